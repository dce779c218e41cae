"""The direction of imports: core ◀ models ◀ topics ◀ cli, notebooks and models ◀ ui ◀ cli, notebooks.

The sources are parsed, not imported: an import inside a function or behind `if TYPE_CHECKING` ties rooms together as
well.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path.relative_to(ROOT) for path in (ROOT / "spe_lab").rglob("*.py"))
WIDGETS_AND_PICTURES = ("anywidget", "ipywidgets", "matplotlib")


@dataclass(frozen=True)
class Import:
    target: str  # `from spe_lab.core import curve` is "spe_lab.core.curve"
    line: int
    in_function: bool


def within(target: str, *packages: str) -> bool:
    return any(target == package or target.startswith(f"{package}.") for package in packages)


def imports(node: ast.AST, package: str, in_function: bool = False) -> Iterator[Import]:
    """All imports below `node`, relative ones resolved against `package`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, in_function) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            source = resolve_name("." * child.level + (child.module or ""), package)
            yield from (Import(f"{source}.{alias.name}", child.lineno, in_function) for alias in child.names)
        else:
            yield from imports(
                child, package, in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            )


def broken_rule(path: Path, found: Import) -> str | None:
    """The rule that this import breaks; `path` is relative to the checkout."""
    rooms = path.with_suffix("").parts[1:]  # ("core", "curve")
    room, target = rooms[0], found.target
    if room != "ui" and within(target, *WIDGETS_AND_PICTURES):
        return "only ui imports anywidget, ipywidgets or matplotlib"
    if not within(target, "spe_lab"):
        return None
    if room == "core" and not within(target, "spe_lab.core"):
        return "core stands on nothing: neither on models nor on topics nor on ui nor on cli"
    if room == "models" and not within(target, "spe_lab.core", "spe_lab.models"):
        return "models stand on core alone"
    if room == "topics" and not within(target, "spe_lab.core", "spe_lab.models", ".".join(("spe_lab", *rooms[:2]))):
        return "a topic imports core, models and its own modules alone"
    if room == "ui" and within(target, "spe_lab.topics", "spe_lab.cli"):
        return "ui knows models and labs in general: neither topics nor cli"
    if room in ("cli", "commands", "__init__") and within(target, "spe_lab.ui") and not found.in_function:
        return "ui is imported inside the function that needs it, so that starting stays fast"
    return None


def violations(path: Path, source: str) -> list[str]:
    package = ".".join(path.parent.parts)
    return [
        f"{path}:{found.line} imports {found.target}; rule: {rule}"
        for found in imports(ast.parse(source), package)
        if (rule := broken_rule(path, found))
    ]


def test_there_are_modules_to_look_at():
    assert {path.parts[1] for path in MODULES} >= {"core", "models", "topics", "ui", "cli.py"}


def test_every_module_imports_only_what_its_room_may():
    found = [line for path in MODULES for line in violations(path, (ROOT / path).read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("core/curve.py", "import matplotlib.pyplot as plt"),
        ("core/curve.py", "from ipywidgets import IntSlider"),
        ("core/curve.py", "from anywidget import AnyWidget"),
        ("core/curve.py", "from spe_lab.ui import figures"),
        ("core/curve.py", "from .. import topics"),
        ("core/machine/facts.py", "from ...cli import main"),
        ("core/lab.py", "def discover():\n    import spe_lab.topics.memory"),
        ("core/lab.py", "from spe_lab.models import queues"),
        ("models/mesi.py", "from spe_lab.topics.coherence import models"),
        ("models/mesi.py", "from spe_lab.ui.sheet import WIDTH"),
        ("models/mesi.py", "import spe_lab.cli"),
        ("topics/memory.py", "from spe_lab.topics.queueing import erlang_c"),
        ("topics/memory.py", "from . import queueing"),
        ("topics/memory/models.py", "from ..queueing import erlang_c"),
        ("topics/memory.py", "import spe_lab.ui"),
        ("topics/memory.py", "from matplotlib.figure import Figure"),
        ("ui/explorer.py", "from spe_lab.topics import memory"),
        ("ui/explorer.py", "import spe_lab.cli"),
        ("cli.py", "from spe_lab.ui import figures"),
        ("commands/own_c.py", "from spe_lab.ui import figures"),
        ("cli.py", "def png():\n    import matplotlib"),
        ("__init__.py", "from .ui import explore"),
    ],
)
def test_checker_names_file_and_line_of_a_forbidden_import(path, line):
    (message,) = violations(Path("spe_lab", path), line)
    assert message.startswith(f"spe_lab/{path}:{1 + line.count(chr(10))} imports ")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("core/curve.py", "import numpy as np\nfrom . import units\nfrom spe_lab.core.errors import SpeLabError"),
        ("topics/memory.py", "import sympy\nfrom spe_lab.core import lab, model\nfrom ..core.curve import Curve"),
        ("models/queues/replications.py", "from spe_lab.core.grids.executors import answers\nfrom . import batches"),
        ("topics/memory.py", "from spe_lab.models.queues import simulate"),
        ("topics/memory/labs.py", "from . import models\nfrom spe_lab.topics.memory.models import stride"),
        (
            "ui/figures.py",
            "from matplotlib.figure import Figure\nfrom spe_lab.core.curve import Curve\nfrom . import explorer",
        ),
        ("cli.py", "from spe_lab.topics import memory\ndef png():\n    from spe_lab.ui import figures"),
    ],
)
def test_checker_lets_allowed_imports_pass(path, line):
    assert violations(Path("spe_lab", path), line) == []


def test_no_module_needs_itself():
    """Imports inside functions are left out: they run later. Those behind `if TYPE_CHECKING` count."""
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}

    def module(target: str) -> str:
        return target if target in names else target.rpartition(".")[0]

    graph = {
        name: {
            module(found.target)
            for found in imports(ast.parse((ROOT / path).read_text(encoding="utf-8")), ".".join(path.parent.parts))
            if not found.in_function
        }
        - {name}
        for name, path in names.items()
    }
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the modules


def test_import_of_the_package_loads_nothing_slow():
    slow = {"sympy", "matplotlib", "ipywidgets", "anywidget"}
    program = "import sys, spe_lab; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert "spe_lab" in loaded
    assert not slow & set(loaded)
