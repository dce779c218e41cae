"""What the compiler made of a kernel, and which part of it runs hot."""

import re
from collections.abc import Sequence
from pathlib import Path

from spe_lab.core.c import native, prototypes
from spe_lab.core.errors import SpeLabError


def assembly(stem: str, function: str, flags: Sequence[str] = native.FLAGS) -> str:
    """What the compiler made of one kernel: its instructions and labels, without the assembler's directives."""
    source = native.source(stem)
    declared = prototypes.read(source).functions
    if function not in declared:
        raise SpeLabError(
            f"kernel must be one of {', '.join(f'{stem}.{name}' for name in declared)}, got {function!r}; name one of"
            " them"
        )
    said = native.run_compiler(
        [*[flag for flag in flags if flag != "-g"], "-fno-asynchronous-unwind-tables", "-S", "-o", "-"], source
    )
    return "\n".join(body(said, function, flags))


def body(said: str, function: str, flags: Sequence[str] = native.FLAGS, source: Path | None = None) -> list[str]:
    """The instructions and labels of one function among what the compiler wrote. With `source`, each instruction ends
    in a comment with the line of that file which it comes from, where the compiler was asked for line numbers (-g).
    """
    lines = said.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith((f"{function}:", f"_{function}:"))), None)
    if start is None:
        raise SpeLabError(
            f"flags must make the compiler write {function} as assembly, got {' '.join(flags)}; leave out -flto, -E and"
            " the like"
        )
    own = _file_numbers(said, source) if source else set()
    found: list[str] = []
    at = 0
    for line in lines[start:]:
        local = re.match(r"\.?L\w*:", line)
        if found and re.match(r"\S+:", line) and not local:
            break  # the next function
        if location := re.match(r"\s+\.loc\s+(\d+)\s+(\d+)", line):
            at = int(location[2]) if location[1] in own else 0
        if local or not line.lstrip().startswith((".", "#", ";", "//")):
            shown = line.expandtabs(8)
            found.append(f"{shown} # line {at}" if source and at and line[0].isspace() else shown)
    return found


def _file_numbers(said: str, source: Path) -> set[str]:
    """The numbers under which `.loc` directives know this file."""
    declared = re.findall(r'^\s+\.file\s+(\d+)\s.*?"([^"]*)"(?:\s+md5.*)?$', said, flags=re.MULTILINE)
    return {number for number, name in declared if Path(name).name == source.name}


def hot_loops(stem: str, function: str, flags: Sequence[str] = native.FLAGS) -> str:
    """The innermost loops of a kernel's assembly, without what is around them."""
    return "\n".join("\n".join(loop) for loop in innermost_loops(assembly(stem, function, flags).splitlines()))


def innermost_loops(lines: Sequence[str]) -> list[list[str]]:
    """Lines of each natural loop that holds no other one, in the order of the text.

    A loop is what can reach a jump back without its target, the loop's head, which all ways into the loop go through.
    Blocks of one loop need not lie side by side: compilers move the less likely ones elsewhere.
    """
    import networkx as nx

    blocks: list[list[str]] = [[]]
    for line in lines:
        if _label(line) and blocks[-1]:
            blocks.append([])
        blocks[-1].append(line)
        if jump_target(line) or _ends(line):
            blocks.append([])
    heads = {label: i for i, block in enumerate(blocks) if block and (label := _label(block[0]))}
    flow = nx.DiGraph()
    flow.add_node(0)
    for i, block in enumerate(blocks):
        if block and (target := heads.get(jump_target(block[-1]))) is not None:
            flow.add_edge(i, target)
        if i + 1 < len(blocks) and not (block and _ends(block[-1])):
            flow.add_edge(i, i + 1)
    flow = flow.subgraph(nx.descendants(flow, 0) | {0})
    above = nx.immediate_dominators(flow, 0)
    loops: dict[int, set[int]] = {}
    for tail, head in flow.edges:
        if _dominates(above, head, tail):
            body = {head} if tail == head else {head, tail} | nx.ancestors(flow.subgraph(set(flow) - {head}), tail)
            loops[head] = loops.get(head, set()) | body
    innermost = [
        loops[head] for head in sorted(loops) if not any(other in loops[head] for other in loops if other != head)
    ]
    return [[line for i in sorted(loop) for line in blocks[i]] for loop in innermost]


def _dominates(above: dict[int, int], head: int, block: int) -> bool:
    while block != head and above.get(block, block) not in (None, block):
        block = above[block]
    return block == head


def _label(line: str) -> str | None:
    found = re.match(r"([.\w]+):", line)
    return found[1] if found else None


def jump_target(line: str) -> str | None:
    """The local label that an instruction jumps to."""
    found = re.match(r"\s+[a-z][\w.]*\s+(?:[^#;/]*[ ,\t])?(\.?L\w+)\s*(?:#|//|;|$)", line)
    return found[1] if found else None


def _ends(line: str) -> bool:
    """Whether what follows in the text does not follow in time."""
    return bool(re.match(r"\s+(jmpq?|b|retq?|br|ud2|brk)\b(?!\.)", line))
