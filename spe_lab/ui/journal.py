"""The journal as a page: predictions and exercises of all chapters, and the track record."""

import html
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spe_lab.core import registry, units
from spe_lab.core.reader import journal, report
from spe_lab.core.reader.exercise import exercises
from spe_lab.core.reader.journal import Journal
from spe_lab.core.reader.track_record import CONFIDENCE, SURE, Scored, TrackRecord
from spe_lab.core.reader.verdict import MARKS
from spe_lab.core.text import Text
from spe_lab.ui.drawing import draws
from spe_lab.ui.static import figure_html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HIT, MISSED, TRUTH = "#0072B2", "#D55E00", "#000000"  # of Okabe and Ito; filled and open markers differ as well
WIDTH, DPI = 820, 100


class JournalPage:
    """The reader's journal as a page: `journal()` in a cell shows it.

    `export(file)` writes a copy for another machine; `take_over(file)` adds such a copy to the journal; `report(file)`
    writes a summary for a class.
    """

    def __init__(self, kept: Journal | None = None) -> None:
        self.kept = journal.load() if kept is None else kept
        self.record = TrackRecord.of(self.kept)

    def export(self, file: Path | str) -> Text:
        journal.export(Path(file))
        return Text(f"Your journal is in {file}.")

    def report(self, file: Path | str) -> Text:
        """Write a report for a class: HTML to read or CSV to collect, by the file's ending."""
        report.write(Path(file), self.kept)
        return Text(f"Your report is in {file}; {report.UNSIGNED}.")

    def take_over(self, file: Path | str) -> "JournalPage":
        return JournalPage(journal.take_over(Path(file)))

    @property
    def text(self) -> Text:
        """The page in words."""
        return Text("\n".join([self.record.verdict, *summary(self.kept)]))

    def __repr__(self) -> str:
        return str(self.text)

    def _repr_html_(self) -> str:
        picture = figure_html(draw(self.record), self.alt, WIDTH, _height(self.record)) if self.record.ranges else ""
        tables = [
            _table(title, head, rows) for title, head, rows in (predictions(self.kept), answers(self.kept)) if rows
        ]
        place = f"<p>The journal is the file <code>{html.escape(str(journal.path()))}</code>.</p>"
        return f"<p>{html.escape(self.record.verdict)}</p>{picture}{''.join(tables)}{place}"

    @property
    def alt(self) -> str:
        """Alternative text of the figure."""
        low, high = self.record.interval
        share = f"{self.record.hits} of {len(self.record.ranges)}, interval {low:.0%} to {high:.0%}"
        words = [f"Share of ranges that held: {share}, beside the aim of {SURE:.0%}."]
        for scored in self.record.ranges:
            measured, verdict = units.render(scored.value, scored.unit), "held" if scored.hit else "missed"
            predicted = f"{scored.lab} {scored.asked}: predicted {scored.low:g} to {scored.high:g}"
            words.append(f"{predicted}, measured {measured}, {verdict}.")
        return " ".join(words)


def summary(kept: Journal) -> list[str]:
    """Return a line for each prediction and each exercise."""
    lines = []
    for title, _, rows in (predictions(kept), answers(kept)):
        lines += [f"\n{title}" if rows else "", *(" · ".join(filter(None, row)) for row in rows)]
    return [line for line in lines if line]


def predictions(kept: Journal) -> tuple[str, list[str], list[list[str]]]:
    """Return title, head and rows of the table of predictions, by chapter."""
    rows = [
        [_chapter(entry["lab"]), entry["lab"], entry["asked"], _committed(entry)["words"], _said(entry)]
        for entry in sorted(kept.predictions.values(), key=lambda entry: (_chapter(entry["lab"]), entry["lab"]))
    ]
    return "Predictions", ["chapter", "lab", "of", "predicted", "measured"], rows


def answers(kept: Journal) -> tuple[str, list[str], list[list[str]]]:
    """Return title, head and rows of the table of exercises."""
    known = exercises()
    rows = []
    for id, entry in sorted(kept.exercises.items()):
        best, attempts = entry["right"] or entry["last"], len(entry["verdicts"])
        question = best.get("question") or (known[id].question if id in known else "")
        verdict = f"{MARKS.get(best['state'], '')} {best['state']}"
        rows.append([id, question, verdict, f"{attempts} answer{'s' * (attempts != 1)}"])
    return "Exercises", ["exercise", "question", "verdict", ""], rows


def _committed(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the version that counts, or else the last one."""
    return entry["committed"] or entry["revised"][-1]


def _said(entry: Mapping[str, Any]) -> str:
    if entry["committed"] is None:
        return "committed after a measurement was shown: does not count"
    revised = " Revised afterwards; the first counts." if entry["revised"] else ""
    return (entry["scored"]["said"] if entry["scored"] else "not measured yet") + revised


def _chapter(lab_id: str) -> str:
    known = registry.labs()
    return known[lab_id].chapter if lab_id in known else ""


def _table(title: str, head: list[str], rows: list[list[str]]) -> str:
    def cell(kind: str, text: str) -> str:
        short = "; white-space: nowrap" if len(text) < 30 else ""
        style = f"text-align: left; vertical-align: top{short}"
        return f'<{kind} style="{style}">{html.escape(text)}</{kind.partition(" ")[0]}>'

    top = "".join(cell('th scope="col"', text) for text in head)
    body = "".join("<tr>" + "".join(cell("td", text) for text in row) + "</tr>" for row in rows)
    return f"<table><caption><b>{title}</b></caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _height(record: TrackRecord) -> int:
    return 210 + 26 * len(record.ranges)


@draws
def draw(record: TrackRecord) -> bytes:
    """Return a PNG: above, the share of ranges that held; below, each range ÷ the measured value."""
    from matplotlib.figure import Figure

    n, height = len(record.ranges), _height(record)
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white", layout="constrained")
    top, bottom = figure.subplots(2, 1, height_ratios=[80, 26 * n])
    for axes in (top, bottom):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(labelsize=10, left=False)
    low, high = record.interval
    share = record.hits / n
    top.errorbar(
        [share], [0], xerr=[[share - low], [high - share]], fmt="o", color=HIT, capsize=4, markersize=8, elinewidth=2
    )
    top.axvline(SURE, color=TRUTH, linestyle=(0, (4, 2)))
    for place, level, text in ((share, 0.4, f"you: {record.hits} of {n} "), (SURE, -1.0, f"the aim: {SURE:.0%} ")):
        top.text(place, level, text, ha="right" if place > 0.5 else "left", fontsize=10)
    top.set(xlim=(-0.02, 1.02), ylim=(-1.2, 1.2), yticks=[])
    top.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    top.set_title(f"Share of your ranges that held, with its {CONFIDENCE:.0%} interval", loc="left", fontsize=11)
    shown = [(place, scored) for place, scored in enumerate(record.ranges) if scored.value > 0]
    for place, scored in shown:
        _bar(bottom, place, scored)
    bottom.axvline(1, color=TRUTH, linewidth=1.5)
    bottom.set(xscale="log", yticks=range(n), ylim=(n - 0.5, -0.5))
    bottom.set_yticklabels([f"{scored.lab} {scored.asked}" for scored in record.ranges], fontsize=9)
    bottom.minorticks_off()
    bottom.set_xticks(_ratios(*bottom.get_xlim()))
    bottom.xaxis.set_major_formatter(lambda ratio, _: f"×{ratio:g}" if ratio >= 1 else f"×1/{1 / ratio:g}")
    bottom.grid(True, axis="x", color="#dddddd")
    bottom.set_axisbelow(True)
    bottom.set_xlabel("your range ÷ the measured value (filled: it held; open: it did not)", fontsize=11)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _ratios(low: float, high: float) -> list[float]:
    """Return powers of two between the ends, ten at most."""
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    step = max(1, math.ceil((last - first) / 9))
    return [2.0**k for k in range(first, last + 1) if k % step == 0]


def _bar(axes: "Axes", place: int, scored: Scored) -> None:
    """Draw a range as a bar, its marker filled if it held, and the measured interval as a thin line."""
    colour, fill = (HIT, HIT) if scored.hit else (MISSED, "white")
    low, high = max(scored.low, scored.high / 1e3, scored.value / 1e3) / scored.value, scored.high / scored.value
    axes.hlines(place, low, high, color=colour, linewidth=7, alpha=0.6)
    axes.plot([(low * high) ** 0.5], [place], marker="o", markersize=7, color=colour, markerfacecolor=fill)
    axes.hlines(place, scored.value_low / scored.value, scored.value_high / scored.value, color=TRUTH, linewidth=2)
