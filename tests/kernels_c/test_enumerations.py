"""What a reader chooses by a word reaches C by an enumerator's name: its order and its numbers do not matter."""

import pytest

from spe_lab.core.c import native
from spe_lab.models import cache, mesi
from spe_lab.topics.branches import simulator as predictors
from spe_lab.topics.coherence import simulator as bus
from spe_lab.topics.coherence import words
from spe_lab.topics.scaling import parallelism


@pytest.mark.parametrize(
    ("stem", "names", "first_name"),
    [
        ("branches", predictors.KINDS, "SPE_COUNTER"),
        ("cache", cache.INCLUSIONS, "SPE_INDEPENDENT"),
        ("cache", cache.POLICIES, "SPE_LRU"),
        ("cache", cache.PREFETCHERS, "SPE_NO_PREFETCH"),
        ("coherence", bus.KIND_CODES, "MESI_READ"),
        ("coherence", bus.STATE_CODES, "MESI_INVALID"),
        ("coherence", words.OPERATIONS, "SHARING_ADD"),
        ("scaling", parallelism.KERNELS, "DOT_ONE_CHAIN"),
    ],
)
def test_each_word_has_an_enumerator_of_its_own(stem, names, first_name):
    constants = native.load(stem).constants
    codes = [constants[name] for name in names.values()]
    assert first_name in names.values() and len(set(codes)) == len(names)


def test_the_words_of_c_and_of_the_models_are_the_same():
    assert set(bus.STATE_CODES) == set(mesi.STATES) and set(bus.KIND_CODES) == set(mesi.KINDS)
    assert set(parallelism.KERNELS) == set(parallelism.KINDS) and set(words.COUNTING) < set(words.OPERATIONS)
