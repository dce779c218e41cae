"""Makes a new topic from docs/skeleton: a lab that passes the contract, to be turned into the chapter.

make topic STEM=synchronisation CHAPTER=05b TITLE="Synchronisation"

Writes the topic's own files, measures the recorded data of its lab, and refreshes what follows from the table of
chapters (docs/course_pages.py): the start page, the lists in the README and the book, the links in the neighbouring
notebooks. Nothing else is touched. A chapter that is planned brings its sentence, time and prerequisites.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from string import Template

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from spe_lab.core import course
from spe_lab.core.chapter import Chapter

ROOT = Path(__file__).parents[1]
SKELETON = ROOT / "docs" / "skeleton"
PLACES = {
    "kernel.c": "kernels_c/{stem}.c",
    "init.py": "spe_lab/topics/{stem}/__init__.py",
    "chapter.py": "spe_lab/topics/{stem}/chapter.py",
    "models.py": "spe_lab/topics/{stem}/models.py",
    "labs.py": "spe_lab/topics/{stem}/labs.py",
    "exercises.py": "spe_lab/topics/{stem}/exercises.py",
    "claims.py": "spe_lab/topics/{stem}/claims.py",
    "test_topic.py": "tests/topics/{stem}/test_{stem}.py",
    "test_presets.py": "tests/topics/{stem}/test_presets.py",
    "edges.py": "tests/topics/{stem}/edges.py",
    "mutants.toml": "tests/topics/{stem}/mutants.toml",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stem", help="the topic's name in every place, such as synchronisation")
    parser.add_argument("number", help="the chapter's number, such as 05b")
    parser.add_argument("title", help="the chapter's title in the table of chapters")
    options = parser.parse_args()
    if wrong := problem(options.stem, options.number):
        print(wrong, file=sys.stderr)
        return 2
    words = {"stem": options.stem, "number": options.number, "title": options.title, **plan(options.number)}
    for name, place in PLACES.items():
        write(ROOT / place.format(**words), filled(name, words))
    write_notebook(ROOT / "notebooks" / f"{options.number}_{options.stem}.ipynb", words)
    lab = f"{options.stem}.chain"
    record = [sys.executable, "-m", "spe_lab.cli", "run", lab, "--save", f"spe_lab/recorded/{lab}.json"]
    subprocess.run(record, cwd=ROOT, check=True)
    subprocess.run([sys.executable, "docs/course_pages.py"], cwd=ROOT, check=True)
    print(f"Now: make test TOPIC={options.stem}, and docs/adding-a-topic.md")
    return 0


def problem(stem: str, number: str) -> str:
    """Return what is wrong with the names, in a sentence; empty if nothing is."""
    if not re.fullmatch(r"[a-z]+", stem):
        return f"STEM must be one word in lower case, got {stem!r}; write for example STEM=synchronisation"
    if not re.fullmatch(r"\d\d[a-z]?", number):
        return f"CHAPTER must be two digits and perhaps a letter, got {number!r}; write for example CHAPTER=05b"
    if taken := [place for place in PLACES.values() if (ROOT / place.format(stem=stem)).exists()]:
        return f"STEM must be new, and {taken[0].format(stem=stem)} is there; choose another name"
    return ""


def plan(number: str) -> dict[str, str]:
    """Return sentence, minutes and needs of the chapter: those planned for this number, else those of the skeleton."""
    skeleton = Chapter(number, "", "You learn what a chain of dependent operations costs, and why.", 15, ("00",))
    chapter = course.planned(number) or skeleton
    needs = repr(chapter.needs).replace("'", '"')
    return {"sentence": chapter.sentence, "minutes": str(chapter.minutes), "needs": needs}


def filled(name: str, words: dict[str, str]) -> str:
    return Template((SKELETON / f"{name}.txt").read_text(encoding="utf-8")).substitute(words)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_notebook(path: Path, words: dict[str, str]) -> None:
    """Write the skeleton's cells as a notebook in the form that `make notebooks` gives it."""
    blocks = re.split(r"^== ", filled("notebook", words), flags=re.M)[1:]
    cells = []
    for block in blocks:
        head, _, source = block.partition("\n")
        id, kind, *tags = head.split()
        make = new_markdown_cell if kind == "markdown" else new_code_cell
        cells.append(make(source.strip(), id=id, metadata={"tags": tags} if tags else {}))
    sys.path.insert(0, str(ROOT / "tests" / "notebooks"))
    from canonical import canonical, text

    path.write_text(text(canonical(new_notebook(cells=cells))), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
