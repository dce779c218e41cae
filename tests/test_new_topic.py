"""`make topic` in a copy of the checkout: what it writes passes the topic's tests, and nothing else is touched but what
follows from the table of chapters.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spe_lab.core.c import native

ROOT = Path(__file__).parents[1]
COPIED = ("spe_lab", "kernels_c", "tests", "notebooks", "docs", "book", "README.md", "pyproject.toml", "Makefile")
# The lists of chapters, and links in the neighbours' notebooks.
FOLLOWS = re.compile(r"README\.md|book/index\.md|notebooks/(09\w+|index)\.ipynb")
OWN = re.compile(r"(kernels_c/toys\.c|notebooks/98_toys\.ipynb|spe_lab/recorded/toys\.chain\.json|.*/topics/toys/.*)")


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def run(folder, *command, **environment):
    """Runs Python in the copy, on the copy's modules."""
    variables = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=variables, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
@pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure recorded data")
def test_a_new_topic_passes_its_tests_and_touches_nothing_but_its_own_files(tmp_path):
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        more = {"ignore": shutil.ignore_patterns("__pycache__"), "symlinks": True} if copy is shutil.copytree else {}
        copy(ROOT / name, tmp_path / name, **more)
    before = contents(tmp_path)
    made = run(tmp_path, "docs/new_topic.py", "toys", "98", "Toys")
    assert made.returncode == 0, made.stderr
    after = contents(tmp_path)
    changed = {name for name in before if before[name] != after.get(name)}
    assert {"README.md", "book/index.md", "notebooks/index.ipynb"} <= changed
    assert all(FOLLOWS.fullmatch(name) for name in changed), changed
    assert all(OWN.fullmatch(name) for name in after.keys() - before.keys())
    tests = (
        "tests/topics/toys",
        "tests/core/test_lab_contract.py",
        "tests/core/test_exercise_contract.py",
        "tests/core/test_chapters.py",
    )
    form = "tests/notebooks/test_notebooks.py"
    done = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--topic=toys", *tests, form)
    assert done.returncode == 0, done.stdout[-3000:]
    followed = ("tests/notebooks/test_course_pages.py", "tests/notebooks/test_links.py", "tests/core/test_chapters.py")
    done = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not docs/", *followed)
    assert done.returncode == 0, done.stdout[-3000:]
    again = run(tmp_path, "docs/new_topic.py", "toys", "98", "Toys")
    assert again.returncode == 2 and "STEM must be new" in again.stderr


@pytest.mark.parametrize(
    ("names", "said"), [(("Two words", "98"), "STEM must be one word"), (("toys", "9"), "CHAPTER must be two digits")]
)
def test_bad_names_are_refused_with_the_rule(names, said):
    refused = run(ROOT, "docs/new_topic.py", *names, "Toys")
    assert refused.returncode == 2 and said in refused.stderr and refused.stderr.count("\n") == 1
