"""Labs by kind. A test that asks the same of every lab asks one of each kind in the first tier, and all in the second."""

import pytest

from spe_lab.core import registry


def kind(lab_id: str) -> tuple[type, bool]:
    """The class outside the topics that measures for a lab, and whether it simulates."""
    lab = registry.labs()[lab_id]
    return next(base for base in lab.__mro__ if not base.__module__.startswith("spe_lab.topics")), lab.simulated


ONE_OF_EACH = {kind(lab_id): lab_id for lab_id in sorted(registry.labs())}.values()


def tier(lab_id: str) -> list[pytest.MarkDecorator]:
    """The marks of a test of this lab."""
    return [] if lab_id in ONE_OF_EACH else [pytest.mark.slow]


ALL_LABS = [pytest.param(lab_id, marks=tier(lab_id)) for lab_id in registry.labs()]
