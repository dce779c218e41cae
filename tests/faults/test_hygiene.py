"""What a local web server, a compiler and files can be misused for, and that they are not."""

import ast
import json
import os
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import nbformat
import psutil
import pytest

from spe_lab.core import machine as machines
from spe_lab.core.c import native
from spe_lab.core.machine import store
from spe_lab.core.reader import journal

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "spe_lab").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What turns data into code, or hands a text to a shell.
EXECUTES = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "joblib",
    "os.system",
    "popen",
    "getoutput",
    "getstatusoutput",
    "sympify",
    "parse_expr",
    "unsafe_load",
    "shell=True",
    "allow_pickle=True",
}
# sympify runs a text as Python: for what the reader's own cell says, and for sympy's own sums.
MAY_SYMPIFY = ("/exercises.py", "patterns/formulas.py")


def names(path: Path) -> set[str]:
    """Every function called by name, every attribute called, every module imported."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                found.add(name)
            case ast.Call(func=ast.Attribute(attr=name)) if name not in (
                "compile",
                "system",
            ):  # re.compile, platform.system
                found.add(name)
            case ast.Attribute(value=ast.Name(id="os"), attr="system"):
                found.add("os.system")
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                found |= {each.name.partition(".")[0] for each in imported}
            case ast.keyword(arg="shell" | "allow_pickle" as name, value=ast.Constant(value=True)):
                found.add(f"{name}=True")
    return found


def test_nothing_is_executed_that_was_data_and_no_shell_is_asked():
    for path in SOURCES:
        allowed = {"sympify"} if path.as_posix().endswith(MAY_SYMPIFY) else set()
        assert not (names(path) & EXECUTES) - allowed, path


def test_the_look_at_names_sees_what_it_is_for(tmp_path):
    (tmp_path / "bad.py").write_text(
        "import pickle\nimport re\nre.compile('x')\nos.system('x')\nsubprocess.run('x', shell=True)\neval('1')\n"
    )
    assert names(tmp_path / "bad.py") & EXECUTES == {"pickle", "os.system", "shell=True", "eval"}


@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
def test_words_for_a_shell_are_words_for_the_compiler(tmp_path, monkeypatch):
    monkeypatch.setattr(native, "_cache_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match="must compile"):
        native.compile_text("int x;", flags=(f"-O2; touch {tmp_path}/owned", f"$(touch {tmp_path}/owned)"))
    assert not (tmp_path / "owned").exists()


def test_files_of_ours_are_the_user_s_alone(tmp_path, monkeypatch):
    before = os.umask(0o022)
    try:
        monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "settings"))
        store.save_own(machines.Machine({}, machines.claim()))
        with journal.open_journal() as kept:
            kept.show("a question")
    finally:
        os.umask(before)
    modes = {
        path.name.partition("-")[0]: stat.S_IMODE(path.stat().st_mode)
        for path in [tmp_path / "settings", *(tmp_path / "settings").iterdir()]
    }
    assert modes == {"settings": 0o700, "machine": 0o600, "journal.json": 0o600, "journal.lock": 0o600}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_brings_no_script_no_state_of_widgets_and_no_trust(path):
    notebook = nbformat.read(path, as_version=4)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert "trusted" not in cell.metadata
        for output in cell.get("outputs", []):
            assert "application/javascript" not in output.get("data", {})
            assert "<script" not in json.dumps(output).lower()
        assert "<script" not in cell.source.lower() or cell.cell_type == "code"


def test_no_key_and_no_list_of_trusted_notebooks_is_shipped():
    shipped = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert not [name for name in shipped if "notebook_secret" in name or "nbsignatures" in name]


@pytest.fixture
def server(tmp_path):
    """JupyterLab as `make lab` starts it, at a free port: (process, what it says of itself)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(ROOT / ".jupyter"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "LAB_PORT": str(port),
    }
    environment |= {
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
    }
    for name in ("LAB_IP", "JUPYTER_TOKEN", "DISPLAY"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={tmp_path}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + 60
        while not (said := list((tmp_path / "runtime").glob("jpserver-*.json"))):
            assert process.poll() is None and time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.1)
        yield process, said[0]
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.slow
def test_make_lab_listens_on_loopback_alone_and_asks_for_a_token(server):
    process, said = server
    about = json.loads(said.read_text())
    assert stat.S_IMODE(said.stat().st_mode) & 0o077 == 0
    assert len(about["token"]) >= 32 and about["password"] is False
    url = f"http://127.0.0.1:{about['port']}/api/"

    def ask(path: str, method: str = "GET", **headers: str) -> int:
        try:
            return urllib.request.urlopen(
                urllib.request.Request(url + path, method=method, headers=headers), timeout=30
            ).status
        except urllib.error.HTTPError as error:
            return error.code

    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            assert ask("contents") == 403
            break
        except urllib.error.URLError:
            time.sleep(0.1)
    token = {"Authorization": f"token {about['token']}"}
    assert ask("kernels", "POST") == 403
    assert ask("kernels", "POST", **token) == 201
    until = time.monotonic() + 30
    tree = [psutil.Process(process.pid)]
    while (
        len(listening := _listening(tree)) < 6 and time.monotonic() < until
    ):  # the server's port, and five of the kernel
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        time.sleep(0.1)
    assert len(tree) >= 2 and len(listening) >= 6
    assert {address for address, _ in listening} <= {"127.0.0.1", "::1"}, listening


def _listening(tree: list[psutil.Process]) -> set[tuple[str, int]]:
    """Addresses and ports at which these processes wait for a call."""
    found = set()
    for process in tree:
        with suppress(psutil.NoSuchProcess):  # a program that only looked something up has ended meanwhile
            found |= {
                (each.laddr.ip, each.laddr.port)
                for each in process.net_connections("inet")
                if each.status == psutil.CONN_LISTEN
            }
    return found
