"""The cache simulator against an independent Python model, stack distances against both, and against cachegrind."""

import re
import shutil
import subprocess
from collections import OrderedDict

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError
from spe_lab.models.cache import Hierarchy, Level, lines_of, stack_distances

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")


class Model:
    """A cache of dictionaries: one for each set, from the block that goes next to the one that goes last."""

    def __init__(self, level):
        self.line, self.sets, self.ways, self.policy = (
            level.line,
            level.blocks // level.places,
            level.places,
            level.policy,
        )
        self.held = [OrderedDict() for _ in range(self.sets)]
        self.bits = [[0] * self.ways for _ in range(self.sets)]
        self.place = [[None] * self.ways for _ in range(self.sets)]

    def _of(self, block):
        return self.held[block % self.sets]

    def look(self, block):
        held = self._of(block)
        if block not in held:
            return False
        if self.policy == "LRU":
            held.move_to_end(block)
        if self.policy == "tree-PLRU":
            self._point_away(block % self.sets, self.place[block % self.sets].index(block))
        return True

    def insert(self, block):
        held, number = self._of(block), block % self.sets
        victim = None
        if self.policy == "tree-PLRU":
            places = self.place[number]
            way = places.index(None) if None in places else self._pointed_to(number)
            victim, places[way] = places[way], block
            if victim is not None:
                del held[victim]
            self._point_away(number, way)
        elif len(held) == self.ways:
            victim, _ = held.popitem(last=False)
        held[block] = True
        return victim

    def discard(self, block):
        self._of(block).pop(block, None)

    # The tree as a list of bits over halves of the ways, by recursion.
    def _point_away(self, number, way):
        low, high, node = 0, self.ways, 0
        while high - low > 1:
            middle = (low + high) // 2
            right = way >= middle
            self.bits[number][node] = 0 if right else 1
            low, high, node = (middle, high, 2 * node + 2) if right else (low, middle, 2 * node + 1)

    def _pointed_to(self, number):
        low, high, node = 0, self.ways, 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high, node = (middle, high, 2 * node + 2) if self.bits[number][node] else (low, middle, 2 * node + 1)
        return low


def in_python(levels, addresses, inclusion="independent"):
    models, missed = [Model(level) for level in levels], [0] * len(levels)
    for address in addresses.tolist():
        found = next((i for i, m in enumerate(models) if m.look(address // m.line)), len(models))
        for i in range(found):
            missed[i] += 1
        if found == 0:
            continue
        if inclusion == "exclusive":
            moved = address // models[0].line
            if found < len(models):
                models[found].discard(moved)
            for m in models:
                moved = m.insert(moved) if moved is not None else None
            continue
        for i in reversed(range(found)):
            victim = models[i].insert(address // models[i].line)
            if inclusion == "inclusive" and victim is not None:
                for inner in models[:i]:
                    for part in range(
                        victim * models[i].line // inner.line, (victim + 1) * models[i].line // inner.line
                    ):
                        inner.discard(part)
    return tuple(missed)


def addresses(seed, n=6000):
    """Random ones, a sweep, and a small hot set, mixed."""
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, 40_000, n), (np.arange(n) * 24) % 30_000, rng.integers(0, 3000, n)
    return np.choose(rng.integers(0, 3, n), parts).astype(np.uint64)


@pytest.mark.parametrize("policy", ["LRU", "FIFO", "tree-PLRU"])
@pytest.mark.parametrize("ways", [1, 2, 4, 8, 64, None])
def test_one_level_misses_as_a_python_model_does(policy, ways):
    if policy == "tree-PLRU" and ways is None:
        ways = 32
    for line, blocks in ((16, 64), (64, 256)):
        level = Level(line * blocks, line, ways, policy)
        for seed in range(3):
            trace = addresses(seed)
            assert Hierarchy([level]).run(trace).misses == in_python([level], trace)


@pytest.mark.parametrize("inclusion", ["independent", "inclusive", "exclusive"])
@pytest.mark.parametrize("policy", ["LRU", "FIFO"])
@pytest.mark.parametrize("outer", [8, None])
def test_several_levels_miss_as_a_python_model_does(inclusion, policy, outer):
    lines = (64, 64, 64) if inclusion == "exclusive" else (32, 64, 128)
    levels = [Level(1024, lines[0], 4, policy), Level(4096, lines[1], 8, policy), Level(16384, lines[2], outer, policy)]
    for seed in range(4):
        trace = addresses(seed)
        assert Hierarchy(levels, inclusion).run(trace).misses == in_python(levels, trace, inclusion)


def test_an_inclusive_level_of_many_places_takes_its_victims_from_the_inner_one():
    levels = [Level(64 * 32, 64, 4), Level(64 * 100, 64)]  # 100 places: an index, and back-invalidation through it
    trace = addresses(9)
    assert Hierarchy(levels, "inclusive").run(trace).misses == in_python(levels, trace, "inclusive")


@pytest.mark.parametrize("ways", [8, None])
def test_random_replacement_reaches_the_steady_state_of_random_accesses(ways):
    lines, room, n = 1024, 512, 400_000
    trace = np.random.default_rng(1).integers(0, lines, n).astype(np.uint64) * np.uint64(64)
    missed = Hierarchy([Level(64 * room, 64, ways, "random")]).run(trace).misses[0]
    # A hit has probability K/L whatever the policy; five standard errors, correlated as they are, are below 1 %.
    assert missed / n == pytest.approx(1 - room / lines, rel=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_stack_distances_are_the_misses_of_every_lru_cache(seed):
    trace = addresses(seed)
    distances = stack_distances(lines_of(trace, 1, 64))
    for blocks in (1, 2, 7, 64, 65, 200, 1000):
        assert int(distances.misses(blocks)) == Hierarchy([Level(64 * blocks)]).run(trace).misses[0]


def test_stack_distances_by_definition_and_when_times_are_used_up():
    used = np.random.default_rng(3).integers(0, 9, 3000)  # 9 blocks: the times are used up every few dozen uses
    seen, counts, first = [], np.zeros(9, int), 0
    for block in used.tolist():
        if block in seen:
            counts[len(seen) - 1 - seen.index(block)] += 1
            seen.remove(block)
        else:
            first += 1
        seen.append(block)
    found = stack_distances(used)
    assert found.first_uses == first and found.at.tolist() == counts.tolist()


def test_numbers_far_apart_and_none_at_all():
    assert stack_distances(np.array([5, 1 << 40, 5])).misses([1, 2]).tolist() == [3, 2]
    assert stack_distances(np.array([], dtype=np.int64)).misses(1) == 0


def test_an_access_over_a_line_s_end_touches_both_lines():
    assert Hierarchy([Level(1024)]).run(np.array([60, 0, 64]), 8).misses == (2,)
    assert lines_of(np.array([60, 0]), np.array([8, 8]), 64).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("kind", "step", "left"),
    [("none", 8, 1), ("next line", 8, 0.51), ("stride", 8, 0.05), ("stride", 256, 0.2), ("next line", 256, 1)],
)
def test_prefetchers_see_what_is_theirs_to_see(kind, step, left):
    trace = np.arange(4096, dtype=np.uint64) * np.uint64(step)
    missed = Hierarchy([Level(32 << 10, ways=8)], prefetcher=kind).run(trace).misses[0]
    assert missed <= left * 4096 * min(1, step / 64) and (kind != "none" or missed == 4096 * min(1, step / 64))


def test_a_hierarchy_goes_on_with_what_it_holds_and_a_new_one_is_empty():
    level, trace = Level(4096), np.arange(0, 4096, 64)
    held = Hierarchy([level])
    assert [held.run(trace).misses, held.run(trace).misses, Hierarchy([level]).run(trace).misses] == [
        (64,),
        (0,),
        (64,),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity": 32},
        {"capacity": 100},
        {"line": 48},
        {"line": 0},
        {"ways": 3},
        {"ways": 0},
        {"ways": 128, "capacity": 1 << 20},
        {"policy": "clock"},
        {"policy": "tree-PLRU", "ways": None},
        {"capacity": 1 << 50},
    ],
)
def test_a_level_that_cannot_be_is_refused(wrong):
    with pytest.raises(SpeLabError, match=r"must .*got .*; "):
        Level(**({"capacity": 8192, "line": 64, "ways": 4} | wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": []},
        {"inclusion": "victim"},
        {"prefetcher": "psychic"},
        {"levels": [Level(4096, 64), Level(4096, 32)]},
        {"levels": [Level(4096, 32), Level(4096, 64)], "inclusion": "exclusive"},
    ],
)
def test_a_hierarchy_that_cannot_be_is_refused(wrong):
    with pytest.raises(SpeLabError, match=r"must .*got .*; "):
        Hierarchy(**({"levels": [Level(4096)]} | wrong))


def test_cancelled_simulations_say_so():
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        Hierarchy([Level(4096)]).run(np.zeros(10), cancel=cancel)
    with pytest.raises(CancelledError):
        stack_distances(np.zeros(10, int), cancel)


MAIN = """
#include "spe.h"
#include <stdio.h>
#include <stdlib.h>

struct visits { const char *region; const uint32_t *list; uint64_t count, width, words, position, mask; };
uint64_t visit_listed(struct visits *state, uint64_t work);

int main(void)
{
    const uint64_t n = 4096, visits = 50000, width = 32;
    char *region = aligned_alloc(1 << 16, n * width);
    uint32_t *list = aligned_alloc(1 << 16, 1 << 18);
    uint64_t random = 1;
    for (uint64_t i = 0; i < n * width; i += 64)
        region[i] = 1;
    for (uint64_t i = 0; i < visits; i++)
        list[i] = (uint32_t)spe_random_below(&random, n);
    struct visits state = {region, list, visits, width, 1, 0, 0};
    uint64_t sum = visit_listed(&state, visits);
    printf("%llu %llu %llu", (unsigned long long)(uintptr_t)region, (unsigned long long)(uintptr_t)list, (unsigned long long)sum);
    return 0;
}
"""


def random_below(count, bound):
    """spe_random_below of spe.h from seed 1, in Python."""
    state, mask, found = 1, (1 << 64) - 1, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        found.append((((z ^ (z >> 31)) >> 32) * bound) >> 32)
    return np.array(found)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind")
def test_cachegrind_counts_the_same_misses(tmp_path):
    program, main, counts = tmp_path / "visits", tmp_path / "main.c", tmp_path / "counts"
    main.write_text(MAIN, encoding="utf-8")
    kernels = native.kernel_folder()
    subprocess.run(
        [
            *native.compiler().command,
            *native.FLAGS,
            f"-I{kernels}",
            str(main),
            str(kernels / "patterns.c"),
            "-o",
            str(program),
        ],
        check=True,
    )
    options = [
        "--tool=cachegrind",
        "--cache-sim=yes",
        "--D1=32768,8,64",
        "--LL=1048576,16,64",
        f"--cachegrind-out-file={counts}",
    ]
    said = subprocess.run(
        ["valgrind", *options, str(program)], capture_output=True, text=True, timeout=120, check=False
    )
    if said.returncode:
        pytest.skip(f"valgrind cannot run here: {said.stderr.strip()[-100:]}")
    region, listed, _ = map(int, said.stdout.split())
    text, current, missed = counts.read_text(encoding="utf-8"), None, 0
    column = re.search(r"^events: (.*)$", text, flags=re.MULTILINE)[1].split().index("D1mr")
    for row in text.splitlines():
        if row.startswith("fn="):
            current = row[3:]
        elif current == "visit_listed" and row[:1].isdigit():
            missed += int(row.split()[1 + column])
    order = random_below(50_000, 4096)
    cache = Hierarchy([Level(32768, 64, 8)])
    cache.run(region + np.arange(0, 4096 * 32, 64))
    cache.run(listed + 4 * np.arange(50_000))
    ours = cache.run(np.stack([listed + 4 * np.arange(50_000), region + 32 * order], axis=1).ravel()).misses[0]
    # The stack and the program's own variables take a few lines of the same cache.
    assert missed == pytest.approx(ours, rel=0.005)


@pytest.mark.parametrize(
    "wrong",
    [
        np.array([-1]),
        np.array([0.5]),
        np.array([np.nan]),
        np.array([2**64 - 1], np.uint64),
        np.array(["a"]),
        np.array([[0, 64]]),
    ],
)
def test_addresses_that_no_memory_has_are_refused(wrong):
    with pytest.raises(SpeLabError, match="addresses must be"):
        Hierarchy([Level(64, 1)]).run(wrong)  # the last one of a level with lines of one byte would never end


@pytest.mark.parametrize("wrong", [-1, 0.5, 2**32, [1, 2, 3]])
def test_sizes_that_no_access_has_are_refused(wrong):
    with pytest.raises(SpeLabError, match="sizes"):
        Hierarchy([Level(64)]).run(np.array([0, 64]), wrong)


@pytest.mark.parametrize("wrong", [np.array([0.5]), np.array([np.nan]), np.array([2**63], np.uint64)])
def test_blocks_that_have_no_number_are_refused(wrong):
    with pytest.raises(SpeLabError, match="blocks must be"):
        stack_distances(wrong)


def test_narrow_numbers_of_blocks_do_not_wrap_round():
    assert stack_distances(np.array([-128, 127, -128], np.int8)).misses([1, 2]).tolist() == [3, 2]


def test_one_access_of_a_gigabyte_is_cancelled_as_any_other():
    import threading
    import time

    cancel = Cancel()
    timer = threading.Timer(0.05, cancel.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(CancelledError):
        Hierarchy([Level(1 << 12, 1)]).run(
            np.zeros(1000, np.int64), 1 << 30, cancel
        )  # a thousand times a thousand million lines
    assert time.monotonic() - began < 5
