"""Writes the README's table of chapters, which follows from the topics: number, title, notebook, labs."""

import re
from pathlib import Path

from spe_lab.core import registry

ROOT = Path(__file__).parents[1]
HEAD = "| chapter | notebook | labs |\n|---|---|---|\n"


def table() -> str:
    """Return the rows, in the order of the chapters."""
    rows = []
    for stem in sorted(registry.stems(), key=lambda stem: registry.chapter(stem).number):
        chapter = registry.chapter(stem)
        (notebook,) = (ROOT / "notebooks").glob(f"{chapter.number}_*{stem}.ipynb")
        labs = ", ".join(f"`{lab_id}`" for lab_id in registry.labs() if lab_id.startswith(f"{stem}."))
        rows.append(f"| {chapter.number} {chapter.title} | [{notebook.name}](notebooks/{notebook.name}) | {labs} |\n")
    return HEAD + "".join(rows)


def main() -> None:
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(re.sub(re.escape(HEAD) + r"(\|.*\n)+", lambda _: table(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
