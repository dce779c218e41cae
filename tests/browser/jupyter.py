"""A private JupyterLab and the Chromium that drives it, for the browser tests and the latency benchmark.

    with jupyterlab(folder) as lab, lab.open("chapter.ipynb") as notebook:
        notebook.run_all()
        Explorer(notebook).press("size", "ArrowRight")

Nothing waits for an indicator on the page: JupyterLab's own promises say when a kernel is ready or a cell is done, and
the number of the explorer's frame says when a picture is new.
"""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Containers have neither the privileges of Chromium's sandbox nor a graphics card; the rest keeps it off the network.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_TOKEN = "browser-test"
_PRIVATE = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
)
# Lab would ask on each start whether to fetch news, and look for updates of itself.
_NO_NEWS = (
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings",
    '{"fetchNews": "false", "checkForUpdates": false}',
)


class MissingError(Exception):
    """What the browser tests need is not installed; the message says what, and how to get it."""


def browser_path() -> str:
    """The Chromium named by $CHROMIUM, else the first of BROWSERS on the PATH."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else BROWSERS:
        if found := shutil.which(name):
            return found
    looked_for = f"$CHROMIUM={named}" if named else ", ".join(BROWSERS)
    raise MissingError(
        f"no browser found (looked for {looked_for}): install one (Debian: apt install chromium), or let CHROMIUM"
        " name it"
    )


def write_notebook(path: Path, *sources: str) -> None:
    """A notebook of these code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}  # without one, Lab asks which
    nbformat.write(notebook, path)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that playwright drives. Raises MissingError where there is no playwright or no browser."""
    executable = browser_path()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise MissingError("the Python package playwright is not installed: pip install 'spe-lab[test]'") from None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def jupyterlab(folder: Path, policy: str = "", **environment: str) -> Iterator["JupyterLab"]:
    """JupyterLab on `folder` with settings of its own, and a browser for it; both are gone afterwards.

    `policy`: the Content-Security-Policy of its pages, if it is not JupyterLab's own. `environment` is added to the
    kernels'. Raises MissingError where there is no playwright or no browser.
    """
    with chromium() as browser, _server(folder, policy, environment) as address:
        yield JupyterLab(address, browser)


@contextmanager
def _server(folder: Path, policy: str, environment: dict[str, str]) -> Iterator[str]:
    """The address of a new JupyterLab process."""
    with (
        tempfile.TemporaryDirectory(prefix="spe-lab-browser-", ignore_cleanup_errors=True) as private,
        socket.socket() as free,
    ):
        private = Path(private)
        variables = {name: str(private / name.lower()) for name in _PRIVATE}
        settings = private / "jupyterlab_settings_dir" / _NO_NEWS[0]
        settings.parent.mkdir(parents=True)
        settings.write_text(_NO_NEWS[1], encoding="utf-8")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={_TOKEN}",
            f"--ServerApp.root_dir={folder}",
            "--LabApp.extension_manager=readonly",
            "--LabApp.expose_app_in_browser=True",  # as window.jupyterapp
        ]
        if policy:
            command.append(f"--ServerApp.tornado_settings={ {'headers': {'Content-Security-Policy': policy}}!r}")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        log = private / "server.log"
        with log.open("w") as out:
            # In a session of its own: Ctrl-C must not reach it, as it would ask on the terminal whether to stop.
            ours = {"JUPYTER_PATH": "", "SPE_LAB_QUICK": "1", "SPE_LAB_PREDICTIONS": ""}
            variables = os.environ | variables | ours | environment
            process = subprocess.Popen(
                command, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for_server(process, address, log)
            yield address
        finally:
            process.terminate()  # ends its kernels, too
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_server(process: subprocess.Popen, address: str, log: Path, timeout_s: float = 60) -> None:
    began = time.monotonic()
    while True:
        with suppress(OSError):
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
            return
        if process.poll() is not None or time.monotonic() - began > timeout_s:
            raise RuntimeError(
                f"JupyterLab did not start within {timeout_s:g} s:\n{log.read_text(errors='replace')[-2000:]}"
            )
        time.sleep(0.1)


class JupyterLab:
    """A server, and a browser that opens its notebooks."""

    def __init__(self, address: str, browser: Any):
        self.address = address
        # One for all pages: a new one would load and compile JupyterLab's four megabytes of JavaScript again.
        self._context = browser.new_context(viewport={"width": 1200, "height": 900})
        self._page: Any = None  # of open_next

    @contextmanager
    def open(self, name: str) -> Iterator["Notebook"]:
        """The notebook in a page of its own, with a new kernel that answers. Both are gone afterwards."""
        page = self._context.new_page()
        try:
            notebook = Notebook(page)
            page.goto(f"{self.address}/lab/tree/{name}?token={_TOKEN}&reset")  # reset: no notebook of an earlier page
            page.wait_for_function(
                "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel", timeout=60_000
            )
            ready = "await context.ready; await sessionContext.ready; await sessionContext.session.kernel.info"
            notebook.evaluate(f"const {{context, sessionContext}} = jupyterapp.shell.currentWidget; {ready}")
            yield notebook
        finally:
            page.close()
            self._end_kernels()

    @contextmanager
    def open_next(self, name: str) -> Iterator["Notebook"]:
        """The notebook in the page of the one before, which starts JupyterLab once for all; after a failure in a new
        page.
        """
        if self._page is None:
            self._page = self._context.new_page()
            self._page.goto(f"{self.address}/lab?token={_TOKEN}&reset")
            self._page.wait_for_function("() => window.jupyterapp?.shell", timeout=60_000)
        page, self._page = self._page, None
        try:
            notebook = Notebook(page)
            opened = "await jupyterapp.restored; await jupyterapp.commands.execute('docmanager:open', {path: a})"
            ready = "await context.ready; await sessionContext.ready; await sessionContext.session.kernel.info"
            notebook.evaluate(
                f"{opened}; const {{context, sessionContext}} = jupyterapp.shell.currentWidget; {ready}", name
            )
            yield notebook
            notebook.evaluate("jupyterapp.shell.currentWidget.dispose()")  # close() would ask whether to save
            notebook.forget()
            self._page, page = page, None
        finally:
            if page is not None:
                page.close()
            self._end_kernels()

    def _end_kernels(self) -> None:
        for session in self._api("GET", "sessions"):
            self._api("DELETE", f"sessions/{session['id']}")

    def _api(self, method: str, path: str) -> Any:
        request = urllib.request.Request(
            f"{self.address}/api/{path}", method=method, headers={"Authorization": f"token {_TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read() or "null")


class Notebook:
    """A notebook in the browser. `console_errors` is what the page has complained of so far."""

    def __init__(self, page: Any):
        self.page = page
        self.console_errors: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", self._hear)

    def _hear(self, said: Any) -> None:
        if getattr(said, "type", "error") == "error":
            self.console_errors.append(getattr(said, "text", str(said)))

    def forget(self) -> None:
        """Listens to the page no more."""
        self.page.remove_listener("console", self._hear)
        self.page.remove_listener("pageerror", self._hear)

    def evaluate(self, body: str, argument: Any = None, timeout_s: float = 60) -> Any:
        """What the body of an asynchronous JavaScript function returns; it knows its argument as `a`."""
        # Playwright itself would wait for a promise without end.
        late = (
            f"new Promise((_, fail) => setTimeout(() => fail(new Error('not done after {timeout_s:g} s')),"
            f" {timeout_s * 1000}))"
        )
        return self.page.evaluate(f"a => Promise.race([(async () => {{ {body} }})(), {late}])", argument)

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float = 10) -> Any:
        """The condition's first true value."""
        began = time.monotonic()
        while not (value := condition()):
            if time.monotonic() - began > timeout_s:
                raise TimeoutError(f"not within {timeout_s:g} s: {what}")
            self.page.wait_for_timeout(20)  # time.sleep would also stop the page's messages
        return value

    def run_all(self, timeout_s: float = 60) -> None:
        self.evaluate("await jupyterapp.commands.execute('notebook:run-all-cells')", timeout_s=timeout_s)

    def start(self, index: int) -> None:
        """Runs one cell without waiting for it."""
        body = (
            "jupyterapp.shell.currentWidget.content.activeCellIndex = a; window.running ="
            " jupyterapp.commands.execute('notebook:run-cell')"
        )
        self.evaluate(body, index)

    def finish(self, timeout_s: float = 60) -> None:
        """Waits for the cell that was started last."""
        self.evaluate("await window.running", timeout_s=timeout_s)

    def run(self, index: int, timeout_s: float = 60) -> list[dict[str, Any]]:
        """Runs one cell, and returns its outputs as the notebook's model has them; they must not be exceptions."""
        self.start(index)
        self.finish(timeout_s)
        cell = self.cells()[index]
        if errors := _errors(cell):
            raise RuntimeError(f"the cell {''.join(cell['source'])!r} failed: {'; '.join(errors)}")
        return cell["outputs"]

    def interrupt(self) -> None:
        """Presses the stop button of the toolbar."""
        self.evaluate("await jupyterapp.commands.execute('notebook:interrupt-kernel')")

    def cells(self) -> list[dict[str, Any]]:
        """All cells from the model: those out of sight are not on the page."""
        return self.evaluate("return jupyterapp.shell.currentWidget.content.model.toJSON().cells")

    def cell_errors(self) -> list[str]:
        """Exceptions that are outputs, and code cells that have not run."""
        found = []
        for cell in self.cells():
            if cell["cell_type"] == "code":
                found += _errors(cell)
                found += [f"not run: {cell['source']}"] if cell["execution_count"] is None else []
        return found


def _errors(cell: dict[str, Any]) -> list[str]:
    return [f"{output['ename']}: {output['evalue']}" for output in cell["outputs"] if output["output_type"] == "error"]


class Explorer:
    """The explorer below the index-th cell of a notebook, as a reader sees and touches it."""

    def __init__(self, notebook: Notebook, index: int = 0):
        self.notebook = notebook
        self.page = notebook.page
        self.root = self.page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .jp-OutputArea")
        self.picture = self.root.locator("svg.spe-moving")
        self._twin = self.root.locator(".spe-state")
        self.picture.wait_for()

    @property
    def text(self) -> str:
        """The figure's twin in words."""
        return self._twin.text_content()

    @property
    def frame(self) -> int:
        return int(self._twin.get_attribute("data-frame"))

    @property
    def pixels(self) -> str:
        """A hash of both layers of the picture: that it changed. What it shows is in `text`."""
        return hashlib.sha1(self.root.locator(".spe-picture").inner_html().encode()).hexdigest()

    def _control(self, name: str) -> Any:
        """The control of a slider by its name in Python, or another one by its label."""
        if (slider := self.root.locator(f".spe-slider-{name}")).count():
            return slider
        label = self.page.locator(".widget-label", has_text=re.compile(f"^{re.escape(name)}$"))
        return self.root.locator(".widget-inline-hbox", has=label)

    def slider(self, name: str) -> Any:
        """The handle of this slider."""
        return self._control(name).locator(".noUi-handle")

    def readout(self, name: str) -> str:
        """The value that stands beside this slider."""
        return self._control(name).locator(".widget-readout").text_content()

    def label(self, name: str) -> str:
        """The label of this slider."""
        return self._control(name).locator(".widget-label").text_content()

    def sliders(self) -> Sequence[str]:
        """The names of the sliders in sight."""
        found = self.root.locator(".widget-inline-hbox:visible", has=self.page.locator(".noUi-handle"))
        classes = found.evaluate_all("all => all.map(each => each.className)")
        return [re.search(r"spe-slider-(\S+)", each)[1] for each in classes]

    def unfold(self, title: str = "More") -> None:
        """Opens a fold, unless it is open."""
        fold = self.root.locator(".jupyter-widget-Accordion-child").filter(has=self.page.get_by_text(title, exact=True))
        if "jupyter-widget-Accordion-child-active" not in fold.get_attribute("class"):
            fold.get_by_text(title, exact=True).click()

    def press(self, label: str, key: str) -> None:
        """Presses a key on a slider and waits for the next frame."""
        before = self.frame
        self.slider(label).press(key)
        self.notebook.wait(lambda: self.frame > before, f"a new frame after {key} on {label}")

    def nudge(self, label: str) -> None:
        """Moves a slider by one step: to the right, or to the left from the right end."""
        handle = self.slider(label)
        at_the_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
        self.press(label, "ArrowLeft" if at_the_end else "ArrowRight")

    def choose(self, label: str, option: str) -> None:
        """Chooses from a list and waits for the next frame."""
        before = self.frame
        self._control(label).locator("select").select_option(label=option)
        self.notebook.wait(lambda: self.frame > before, f"a new frame after choosing {option} for {label}")

    @property
    def status(self) -> str:
        """What stands below the Measure button."""
        return self.root.locator(".spe-status .widget-html-content").text_content()

    def button(self, name: str) -> Any:
        return self.root.get_by_role("button", name=name)

    def wait_for_text(self, text: str, timeout_s: float = 10) -> None:
        """Waits until the twin says this."""
        self.notebook.wait(lambda: text in self.text, f"the figure's text says {text!r}", timeout_s)
