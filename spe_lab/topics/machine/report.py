"""Tables of a machine: what it claims, where the claims disagree, and what was measured beside them."""

from collections.abc import Sequence

from spe_lab.core import registry, units
from spe_lab.core.machine import Machine, Parameter, claim, current, sources
from spe_lab.core.text import Text


def claims_table() -> Text:
    """Every claim of the operating system, with its source."""
    return _table(
        ("claim", "value", "source"), [(_words(c.name), _shown(c.value, c.unit), c.source) for c in sources.claims()]
    )


def disagreements_table() -> Text:
    """Claims of one thing that differ."""
    found = sources.disagreements(sources.claims())
    if not found:
        return Text("All claims agree on this machine.")
    rows = [(_words(name), _shown(c.value, c.unit), c.source) for name, claims in found.items() for c in claims]
    return _table(("claim", "value", "source"), rows)


def parameters_table(machine: Machine | None = None) -> Text:
    """What was measured (here, unless another `machine` is given), with interval and method, beside what is claimed or
    assumed.
    """
    claimed = claim()
    rows = []
    for name, p in (machine or current()).parameters.items():
        stated = claimed.get(name)
        beside = f"{_shown(stated.value, stated.unit)} ({stated.origin})" if stated else "–"
        if p.origin == "measured":
            rows.append((_words(name), _with_interval(p), beside, p.method))
    if not rows:
        return Text("Nothing has been measured yet: run `spe-lab machine --calibrate`.")
    return _table(("parameter", "measured", "claimed or assumed", "method"), rows)


def _with_interval(p: Parameter) -> str:
    if p.value is None:
        return p.verdict
    if p.low is None or p.low == p.high:
        return _shown(p.value, p.unit)
    return f"{_shown(p.value, p.unit)} ({_shown(p.low, p.unit)} to {_shown(p.high, p.unit)})"


def _shown(value: float | str, unit: str) -> str:
    return value if isinstance(value, str) else units.render(value, unit)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Text:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return Text(
        "\n".join([*lines, *(f"| {' | '.join(str(cell).replace('|', '∣') for cell in row)} |" for row in rows)])
    )


def _chapters(*stems: str) -> str:
    """The numbers of these topics' chapters, as far as the topics are built."""
    return ", ".join(registry.chapter(stem).number for stem in stems if stem in registry.stems())


def outlook_table() -> Text:
    """What will be hard to measure on this machine, and which chapters that concerns."""
    machine = current()
    facts = machine.facts
    rows = [
        (_words(name), p.verdict, f"{_chapters('memory')}: its step is hidden by a neighbour's")
        for name, p in machine.parameters.items()
        if p.verdict and p.origin == "measured" and ("not resolvable" in p.verdict)
    ]
    if facts["cores"] < 2:
        rows.append(("threads", "one core", f"{_chapters('coherence', 'scaling')}: recorded data beside the models"))
    if facts["virtualised"]:
        rows.append(
            (
                "shared caches",
                "a virtual machine with neighbours",
                f"{_chapters('memory', 'locality')}: capacities are effective ones, and move",
            )
        )
    if counters := [c for c in sources.claims() if c.name == "hardware_counter" and c.value != "available"]:
        rows.append(
            (
                "hardware counters",
                str(counters[0].value),
                f"{_chapters('profiling', 'branches')}: times, software counters and simulation instead",
            )
        )
    return _table(("what", "here", "concerns"), rows) if rows else Text("Nothing stands in the way of any chapter.")
