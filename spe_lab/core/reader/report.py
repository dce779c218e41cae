"""A reader's report for a class: exercises, predictions and time per chapter, as HTML or CSV.

It comes from the reader's own journal, a text file that its reader can edit: it is signed by nothing, and says so.
Answers and reasons are a reader's text. HTML escapes them; CSV puts a ' before a cell that a spreadsheet would compute.
"""

import csv
import html
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spe_lab.core import registry
from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import write_atomically
from spe_lab.core.reader import journal, progress
from spe_lab.core.reader.exercise import exercises
from spe_lab.core.reader.journal import Journal
from spe_lab.core.reader.verdict import MARKS

UNSIGNED = "it is signed by nothing: its reader can edit it, and the journal that it comes from"
COLUMNS = ("chapter", "kind", "name", "question", "answer", "state", "reason", "attempts", "first", "last")
SUMMARY = ("chapter", "title", "done", "of", "predictions", "scored", "minutes")
TITLE = "SPE Lab: report"
_STYLE = (
    "<style>body { font-family: sans-serif; max-width: 80em; margin: 2em auto } caption { text-align: left; font-weight"
    ": bold; margin-top: 1em } td, th { text-align: left; vertical-align: top; padding: 0.2em 0.6em; border-bottom: 1px"
    " solid #ccc } td { white-space: pre-wrap; overflow-wrap: anywhere }</style>"
)
LONGEST_ANSWER = 4000  # characters in a report; the longest solution in C has two thousand


def write(file: Path, kept: Journal | None = None) -> None:
    """Write the report of a journal (default: the reader's) to a new file, as HTML or CSV by its ending."""
    file = Path(file)
    forms = {".html": to_html, ".csv": to_csv}
    if file.suffix.lower() not in forms:
        raise SpeLabError(f"FILE must end in .html or .csv, got {file}; write for example report.html")
    if os.path.lexists(file):
        raise SpeLabError(f"FILE must not exist yet, as it would be overwritten, got {file}; choose another name")
    write_atomically(file, forms[file.suffix.lower()](journal.load() if kept is None else kept), private=True)


def summary(kept: Journal) -> list[dict[str, Any]]:
    """Return a row of SUMMARY for each chapter in which the reader did something."""
    rows = []
    for stem in _stems():
        names, chapter = progress.exercise_names(stem), registry.chapter(stem)
        found = progress.of_journal(stem, names, kept)
        if progress.times_of(stem, kept):
            counts = (len(found.done), len(names), *found.predictions, round(found.minutes))
            rows.append(dict(zip(SUMMARY, (chapter.number, chapter.title, *counts), strict=True)))
    return rows


def entries(kept: Journal) -> list[dict[str, Any]]:
    """Return a row of COLUMNS for each exercise and each prediction, by chapter; exercises without an answer, too."""
    known = exercises()
    ids = [*known, *(id for id in sorted(kept.exercises) if id not in known)]
    rows = [_exercise(id, kept.exercises.get(id), known[id].question if id in known else "") for id in ids]
    rows += [_prediction(entry) for entry in kept.predictions.values()]
    return sorted(rows, key=lambda row: (row["chapter"], row["kind"]))  # stable: exercises in the notebook's order


def _exercise(id: str, entry: Mapping[str, Any] | None, question: str) -> dict[str, Any]:
    row = dict.fromkeys(COLUMNS, "") | {"chapter": _chapter(id), "kind": "exercise", "name": id, "question": question}
    if entry is None:
        return row | {"state": "not attempted", "attempts": 0}
    best, times = entry["right"] or entry["last"], [verdict["time"] for verdict in entry["verdicts"]]
    answer = best["answer"] if isinstance(best["answer"], str) else json.dumps(best["answer"], ensure_ascii=False)
    return row | {
        "question": best.get("question") or question,
        "answer": answer[:LONGEST_ANSWER],
        "state": best["state"],
        "reason": best["reason"],
        "attempts": len(times),
        "first": min(times, default=best["time"]),
        "last": max(times, default=best["time"]),
    }


def _prediction(entry: Mapping[str, Any]) -> dict[str, Any]:
    versions = [version for version in (entry["committed"], *entry["revised"]) if version]
    scored = entry["scored"]
    state = "late" if not entry["committed"] else "open" if not scored else f"{scored['right']} of {scored['of']} right"
    if not versions:  # nothing but a mark, such as skipped
        versions, state = [{"time": "", "words": ""}], "skipped"
    return dict.fromkeys(COLUMNS, "") | {
        "chapter": _chapter(entry["lab"]),
        "kind": "prediction",
        "name": entry["lab"],
        "question": f"{entry['kind']} {entry['asked']}".strip(),
        "answer": versions[0]["words"],
        "state": state,
        "reason": scored["said"] if scored else "",
        "attempts": len(versions),
        "first": versions[0]["time"],
        "last": scored["time"] if scored else versions[-1]["time"],
    }


def to_csv(kept: Journal) -> str:
    """Return one row for each exercise and each prediction, and a last row that says what signs the report: nothing."""
    out = io.StringIO()
    rows = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for row in entries(kept):
        rows.writerow({name: _inert(value) for name, value in row.items()})
    for chapter in summary(kept):
        time = {"chapter": chapter["chapter"], "kind": "time", "name": "minutes", "answer": chapter["minutes"]}
        rows.writerow(dict.fromkeys(COLUMNS, "") | time)
    note = {"kind": "note", "name": "signed by nothing", "reason": f"{UNSIGNED}."}
    rows.writerow(dict.fromkeys(COLUMNS, "") | note)
    return out.getvalue()


def _inert(value: Any) -> Any:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def to_html(kept: Journal) -> str:
    """Return a page of its own, without scripts: a summary by chapter, then all exercises and predictions."""
    rows = [{**row, "state": f"{MARKS.get(row['state'], '')} {row['state']}".strip()} for row in entries(kept)]
    attempted = [row for row in rows if row["attempts"]]
    open_ = ", ".join(row["name"] for row in rows if not row["attempts"])
    chapters = _table("Chapters", SUMMARY, summary(kept))
    every = _table("Exercises and predictions", COLUMNS, attempted)
    return "\n".join(
        (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>{_STYLE}</head><body>',
            f"<h1>{TITLE}</h1><p>From the journal of {html.escape(journal.told(journal.now()))}. Minutes are the sum",
            "of the gaps between entries that are below a quarter of an hour.</p>",
            f"<p><b>Not signed:</b> {html.escape(UNSIGNED)}.</p>",
            chapters,
            every,
            f"<p>Not attempted: {html.escape(open_) or 'none'}.</p></body></html>\n",
        )
    )


def _table(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(row[name]))}</td>" for name in columns) + "</tr>\n" for row in rows
    )
    return f"<table><caption>{html.escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _stems() -> list[str]:
    return sorted(registry.stems(), key=lambda stem: registry.chapter(stem).number)


def _chapter(id: str) -> str:
    stem = id.partition(".")[0]
    return registry.chapter(stem).number if stem in registry.stems() else ""
