"""Tables of a machine: its claims, the claims that disagree, and its measured parameters."""

from collections.abc import Sequence

from spe_lab.core import registry, units
from spe_lab.core.machine import Machine, Parameter, claim, current, sources
from spe_lab.core.text import Folded, Text


def claims_table() -> Text:
    """Return every claim of the operating system, with its source, folded: some fifty rows."""
    rows = [(_words(c.name), _shown(c.value, c.unit), c.source) for c in sources.claims()]
    return Folded((f"All {len(rows)} claims", _table(("claim", "value", "source"), rows)))


def disagreements_table() -> Text:
    """Return the claims of the same property that differ."""
    differing = sources.disagreements(sources.claims())
    if not differing:
        return Text("All claims agree on this machine.")
    rows = [(_words(name), _shown(c.value, c.unit), c.source) for name, claims in differing.items() for c in claims]
    return _table(("claim", "value", "source"), rows)


def parameters_table(machine: Machine | None = None) -> Text:
    """Return measured parameters with interval, method and claimed value; by default of this machine."""
    claimed = claim()
    rows = []
    for name, p in (machine or current()).parameters.items():
        stated = claimed.get(name)
        expected = f"{_shown(stated.value, stated.unit)} ({stated.origin})" if stated else "–"
        if p.origin == "measured":
            rows.append((_words(name), _with_interval(p), expected, p.method))
    if not rows:
        return Text("Nothing has been measured yet: press *Calibrate* above, then run this cell again.")
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
    lines += [f"| {' | '.join(str(cell).replace('|', '∣') for cell in row)} |" for row in rows]
    return Text("\n".join(lines))


def _chapters(*stems: str) -> str:
    """Return the chapter numbers of those topics that exist."""
    return ", ".join(registry.chapter(stem).number for stem in stems if stem in registry.stems())


def outlook_table() -> Text:
    """Return what is hard to measure on this machine, and the chapters that need it."""
    machine = current()
    facts = machine.facts
    rows = [
        (_words(name), p.verdict, f"{_chapters('memory')}: a neighbour's step hides its own")
        for name, p in machine.parameters.items()
        if p.origin == "measured" and "not resolvable" in p.verdict
    ]
    if facts["cores"] < 2:
        rows.append(("threads", "one core", f"{_chapters('coherence', 'scaling')}: recorded data beside the models"))
    if facts["virtualised"]:
        changing = f"{_chapters('memory', 'locality')}: effective capacities are smaller and change"
        rows.append(("shared caches", "a virtual machine with neighbours", changing))
    if counters := [c for c in sources.claims() if c.name == "hardware_counter" and c.value != "available"]:
        instead = f"{_chapters('profiling', 'branches')}: times, software counters and simulation instead"
        rows.append(("hardware counters", str(counters[0].value), instead))
    return _table(("what", "here", "concerns"), rows) if rows else Text("Nothing stands in the way of any chapter.")
