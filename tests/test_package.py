"""The wheel, installed into an empty environment of each supported Python that this machine has: it brings all that a
lab needs.

uv makes such an environment in seconds, from the index that uv is set up with.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from spe_lab.core.c import native

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow
VERSIONS = ("3.11", "3.12", "3.13")


def run(*command: str | Path, **more) -> subprocess.CompletedProcess:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done


def python_of(version: str) -> str | None:
    """An interpreter of this version: on the path, or among pyenv's, which its shims hide."""
    named = shutil.which(f"python{version}")
    candidates = [named] if named else []
    candidates += sorted(
        map(str, Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python"))
    )
    tell = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in candidates:
        if subprocess.run([candidate, "-c", tell], capture_output=True, text=True).stdout.strip() == version:
            return candidate
    return None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy of what is under version control, as a stranger would."""
    folder = tmp_path_factory.mktemp("wheel")
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs git and a checkout, to build from what is under version control alone")
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    (folder / "source").mkdir()
    subprocess.run(["tar", "-x", "-C", folder / "source"], input=archive, check=True)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, folder / "source")
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_kernels_notebooks_and_recorded_data_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for kind, folder in (
        ("*.c", "kernels_c"),
        ("*.h", "kernels_c"),
        ("programs/*.c", "kernels_c"),
        ("*.ipynb", "notebooks"),
        ("recorded/*.json", "spe_lab"),
    ):
        for path in (ROOT / folder).glob(kind):
            assert any(name.endswith(f"/{path.name}") for name in names), f"{path} is not in the wheel"
    assert not [name for name in names if name.startswith(("tests", "benchmarks")) or "__pycache__" in name]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lab_runs_from_the_wheel_in_an_empty_environment(version, wheel, tmp_path):
    python = python_of(version)
    if python is None:
        pytest.skip(f"needs Python {version}, which this machine does not have")
    home, environment = (
        tmp_path / "env",
        {
            **os.environ,
            "SPE_LAB_CACHE_DIR": str(tmp_path / "cache"),
            "SPE_LAB_CONFIG_DIR": str(tmp_path / "config"),
        },
    )
    environment.pop("PYTHONPATH", None)
    uv = (sys.executable, "-m", "uv")
    run(*uv, "venv", "--quiet", "--python", python, home)
    run(*uv, "pip", "install", "--quiet", "--python", home / "bin" / "python", wheel)
    spe_lab = home / "bin" / "spe-lab"
    told = json.loads(run(spe_lab, "labs", "--json", cwd=tmp_path, env=environment).stdout)
    assert {"memory.working_set", "branches.predictor"} <= {lab["id"] for lab in told}
    run(spe_lab, "notebooks", tmp_path / "workbook", cwd=tmp_path, env=environment)
    assert {path.name for path in (tmp_path / "workbook").glob("*.ipynb")} == {
        path.name for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    if not native.available():
        pytest.skip("the package is there; to run a lab needs a C compiler")
    measured = json.loads(
        run(spe_lab, "run", "memory.working_set", "--quick", "--json", cwd=tmp_path, env=environment).stdout
    )
    assert measured["measured"][0]["source"] == "measured" and measured["kept"] > 0
    probe = "import spe_lab.core.c.native as n; print(n.__file__); import spe_lab.ui.explorer"
    assert str(home) in run(home / "bin" / "python", "-c", probe, cwd=tmp_path, env=environment).stdout
