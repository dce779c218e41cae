"""`%%c` in a real shell, and the sliders of a reader's C."""

import re
import sys
import threading
import time
from pathlib import Path

import ipywidgets as widgets
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import start_new_kernel

from spe_lab.core.c import native
from spe_lab.core.errors import UnavailableError
from spe_lab.core.own_c.messages import CellError
from spe_lab.topics import branches
from spe_lab.ui import cell as cells
from spe_lab.ui.cell import NotebookCell
from spe_lab.ui.explorer import Explorer

ROOT = Path(__file__).parents[2]
needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
MEAN = """#include <stdint.h>
double mean(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum / n;
}
"""


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(
        sys.modules, "__main__", sys.modules["__main__"]
    )  # a shell puts its own there, which no child can be spawned from
    shell = InteractiveShell()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "spe_lab")
    shell.user_ns["np"] = np
    yield shell
    for value in list(shell.user_ns.values()):
        if isinstance(value, NotebookCell):
            value.close()
    shell.reset()


def run(shell, text):
    return shell.run_cell(text, store_history=False)


@needs_compiler
def test_a_cell_defines_functions_that_take_arrays(shell):
    assert run(shell, f"%%c own\n{MEAN}").success
    assert run(shell, "found = own.mean(np.array([1.0, 2.0, 6.0]), 3)").success
    assert shell.user_ns["found"] == 3.0


@needs_compiler
def test_the_name_is_cell_where_none_is_given(shell):
    run(shell, f"%%c\n{MEAN}")
    assert shell.user_ns["cell"].functions.keys() == {"mean"}


@needs_compiler
def test_a_compile_error_names_the_line_that_the_editor_shows(shell):
    failed = run(shell, "%%c own\nint f(void)\n{\n    return missing;\n}\n").error_in_exec
    assert isinstance(failed, CellError) and re.search(r"^line 4: error: .*missing", str(failed), flags=re.MULTILINE)


FAILED = "%%c own\nint f(void)\n{\n    return missing;\n}\n"
UNMENDED = (
    "own must compile before it is used, and its last version did not (line 4: missing is not declared: its name is"
    " misspelt, or its declaration is missing); mend the cell and run it again"
)


@needs_compiler
@pytest.mark.parametrize("first", [f"%%c own\n{MEAN}", "kept = 1"], ids=["a version that compiled", "no version"])
def test_a_cell_that_fails_leaves_nothing_callable_under_its_name(shell, first):
    run(shell, first)
    old = shell.user_ns.get("own")
    if old:
        old.mean(np.ones(2), 2)
    run(shell, FAILED)
    for use in ("own.mean(np.ones(2), 2)", "own.f", "own['f']", "own()", "own.limit_s = 1", "list(own)", "'f' in own"):
        assert str(run(shell, use).error_in_exec) == UNMENDED
    assert repr(shell.user_ns["own"]) == UNMENDED
    assert old is None or old._sandbox.pid is None
    run(shell, "%%c own\nint f(void) { return 7; }\n")
    assert run(shell, "own.f()").result == 7


@needs_compiler
def test_a_cell_that_fails_overwrites_nothing_but_cells(shell, capsys):
    run(shell, "own = [1, 2]")
    run(shell, FAILED)
    run(shell, FAILED.replace("own", "print"))
    run(shell, FAILED.replace("own", "np"))
    assert shell.user_ns["own"] == [1, 2] and shell.user_ns["np"] is np
    assert run(shell, "print(3)").success


@needs_compiler
def test_options_that_fail_leave_nothing_callable_either(shell):
    run(shell, f"%%c own\n{MEAN}")
    run(shell, f"%%c own --limit soon\n{MEAN}")
    said = str(run(shell, "own.mean(np.ones(2), 2)").error_in_exec)
    assert "its last version did not (limit must be a quantity in s, got 'soon'" in said


@needs_compiler
def test_cells_have_the_names_that_plain_gcc_has(shell):
    run(shell, "%%c own\n#include <math.h>\ndouble f(void) { return M_PI; }\n")
    assert run(shell, "own.f()").result == np.pi


@needs_compiler
def test_an_error_is_shown_without_the_calls_that_led_to_it(shell, capsys):
    run(shell, f"%%c own\n{MEAN}")
    shell.run_cell("own.mean(np.ones(2), 3)")
    shown = capsys.readouterr().out
    assert (
        "it reached for x[2], and x has 2 elements" in shown and "Traceback" not in shown and "sandbox.py" not in shown
    )


@needs_compiler
def test_everything_in_the_notebook_outlives_a_crash(shell):
    run(shell, f"%%c own\n{MEAN}")
    run(shell, "before, x = [1, 2], np.arange(3.0)")
    assert isinstance(run(shell, "own.mean(x, 10**6)").error_in_exec, CellError)
    assert run(shell, "before, x.tolist(), own.mean(x, 3)").result == ([1, 2], [0, 1, 2], 1.0)


@needs_compiler
def test_a_changed_cell_replaces_the_old_one_and_ends_its_process(shell):
    run(shell, "%%c own\nint f(void) { return 1; }\n")
    old = shell.user_ns["own"]
    assert old.f() == 1 and old._sandbox.pid
    run(shell, "%%c own\nint f(void) { return 2; }\n")
    assert old._sandbox.pid is None and run(shell, "own.f()").result == 2


@needs_compiler
@pytest.mark.parametrize(
    "line",
    [
        'own --limit 250ms --memory 64MiB --flags "-O3 -DANSWER=42"',
        "own --limit 250ms --memory 64MiB --flags -O3 -DANSWER=42",
        "--flags -O3 -DANSWER=42 --limit=250ms --memory 64MiB own",
        'own --flags="-O3" --limit 250ms --flags -DANSWER=42 --memory 64MiB',
    ],
)
def test_options_set_limit_memory_and_flags(shell, line):
    run(shell, f"%%c {line}\nint f(void) {{ return ANSWER; }}\n")
    own = shell.user_ns["own"]
    assert (own.limit_s, own.memory_bytes, own.f()) == (0.25, 64 << 20, 42) and "-O3" in own.flags


@needs_compiler
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1st", "name must be a Python name, got '1st'"),
        ("np", "name must not hide a module, and np is one"),
        ("class", "name must be a Python name, got 'class'"),
        ("own other", "name must be one word, got own other; write values without blanks, as in --limit 2s"),
        ("--limit soon", "limit must be a quantity in s, got 'soon'"),
        ("own --limit", "--limit must have a value, got none; write for example --limit 2s (the options are --limit, "),
        ("own --flags --limit 2s", "--flags must have a value, got none; write for example --flags -O3"),
        ("own --fast", "options must be --limit, --memory or --flags, got --fast; write --flags"),
        ("own -O3", "options must be --limit, --memory or --flags, got -O3; write --flags -O3 if it is meant for"),
        ("own --flags -O3 --limt 2s", "options must be --limit, --memory or --flags, got --limt; write --limit 2s"),
        ('own --flags "-O3', '--flags must end each quote that it begins, and not end in a backslash, got "-O3; write'),
        ('own --flags "-DX=\'a"', "--flags must end each quote that it begins, and not end in a backslash, got 'a;"),
        ("--limit 0s", "limit_s must be between 0 and 3600 seconds"),
    ],
)
def test_options_without_sense_are_refused_in_a_sentence(shell, line, sentence):
    failed = run(shell, f"%%c {line}\nint f(void) {{ return 1; }}\n").error_in_exec
    assert isinstance(failed, CellError) and str(failed).startswith(sentence) and "\n" not in str(failed)
    assert shell.user_ns["np"] is np


def test_without_a_compiler_the_cell_says_so_and_the_notebook_goes_on(shell, monkeypatch):
    def none():
        raise UnavailableError(native.NO_COMPILER)

    monkeypatch.setattr(native, "compiler", none)
    assert repr(run(shell, f"%%c own\n{MEAN}").result) == native.NO_COMPILER
    assert run(shell, "own.assembly('mean')").result == native.NO_COMPILER
    assert "double mean" in shell.user_ns["own"].source


@pytest.mark.machine
@needs_compiler
def test_the_stop_button_of_a_real_kernel_ends_an_endless_loop_and_nothing_else():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        own = '%%c own --limit 60s\nvoid loop(void) { for (;;) __asm__ volatile(""); }\nint one(void) { return 1; }'
        for text in ("kept = 41", "%load_ext spe_lab", own, "own.one()"):
            assert client.execute_interactive(text, timeout=60, output_hook=lambda _: None)["content"]["status"] == "ok"
        threading.Timer(0.5, manager.interrupt_kernel).start()
        began = time.monotonic()
        stopped = client.execute_interactive("own.loop()", timeout=60, output_hook=lambda _: None)["content"]
        assert 0.3 < time.monotonic() - began < 0.5 + 2
        assert (
            re.search(r"loop was stopped after .* s, and its process was ended", stopped["evalue"])
            and len(stopped["traceback"]) == 1
        )
        answers = []
        client.execute_interactive(
            "kept + own.one()", timeout=60, output_hook=lambda message: answers.append(message["content"].get("data"))
        )
        assert {"text/plain": "42"} in answers
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


# ---- Sliders

SHAPES = """
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
void scale(double *x, int64_t n, double by) { for (int64_t i = 0; i < n; i++) x[i] *= by; printf("scaled\\n"); }
int types(uint8_t small, bool on, int8_t sign, float f) { return small + on + sign + (int)f; }
int pick(int a) { return 100 / a; }
"""


@pytest.fixture(scope="module")
def own():
    if not native.available():
        pytest.skip("needs a C compiler")
    cell = NotebookCell(SHAPES, "own")
    yield cell
    cell.close()


def test_numbers_get_sliders_of_their_type_and_arrays_do_not(own):
    page = own.sliders("types", sign=(-5, 5), f=(0.5, 2.5))
    kinds = {
        name: (type(slider), getattr(slider, "min", None), getattr(slider, "max", None))
        for name, slider in page.sliders.items()
    }
    assert kinds == {
        "small": (widgets.IntSlider, 0, 100),
        "on": (widgets.Checkbox, None, None),
        "sign": (widgets.IntSlider, -5, 5),
        "f": (widgets.FloatSlider, 0.5, 2.5),
    }
    assert list(own.sliders("scale", x=np.ones(3), n=3).sliders) == ["by"]


def test_a_slider_that_moves_calls_the_function(own):
    page = own.sliders("pick", a=(1, 50))
    assert page.text == "pick(a=1) = 100"
    page.sliders["a"].value = 50
    assert page.text == "pick(a=50) = 2" and "pick(a=50) = 2" in page.twin.value and 'role="status"' in page.twin.value


def test_each_call_gets_the_arrays_as_they_were_given(own):
    x = np.ones(3)
    page = own.sliders("scale", x=x, n=3)
    for by in (0.5, 0.25):
        page.sliders["by"].value = by
        assert page.text == f"scale(by={by:g})\nx is now [{by:g} {by:g} {by:g}]\nscaled"
    assert x.tolist() == [1, 1, 1]


def test_a_crash_behind_a_slider_is_shown_and_the_next_call_works(own):
    page = own.sliders("pick", a=(0, 5))
    assert "divided an integer by zero" in page.text and 'role="alert"' in page.twin.value
    page.sliders["a"].value = 4
    assert page.text == "pick(a=4) = 25"


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("types", {"small": (0, 256)}, r"the range of small must lie between 0 and 255 for C's uint8_t, got 0 to 256"),
        ("types", {"small": (5, 5)}, r"small must be a range \(low, high\) with low < high, or one value"),
        ("types", {"small": (0.5, 5)}, r"the range of small must be whole numbers"),
        ("types", {"f": (0, np.inf)}, r"f must be a finite number"),
        ("types", {"other": 1}, r"the arguments must be those of int types\("),
        ("scale", {}, r"the sliders of scale need a value for x"),
        ("gone", {}, r"name must be one of scale, types, pick, got 'gone'"),
    ],
)
def test_a_domain_without_sense_is_refused(own, name, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        own.sliders(name, **arguments)


def test_sliders_have_words_where_no_kernel_is(own):
    data, _ = own.sliders("pick", a=(1, 50))._repr_mimebundle_()
    assert data["text/plain"] == "Sliders for a. pick(a=1) = 100"


def test_one_line_puts_a_function_beside_a_model(own):
    page = own.beside("scale", lambda n, price: price * n, {"n": [10, 1000]}, x=np.ones(1000), by=1.0, price=0.5)
    assert isinstance(page, Explorer) and list(page.sliders) == ["n", "price"]
    page.set(price=1.0)
    assert "Predicted, your model: 10 ns to 1 µs." in page.text


# ---- The workbook


def test_the_exercise_of_chapter_03d_starts_from_the_template_that_its_check_knows():
    notebook = nbformat.read(ROOT / "notebooks" / "03d_branches.ipynb", as_version=4)
    (text,) = [each.source for each in notebook.cells if each.source.startswith("%%c")]
    assert text.partition("\n")[2].strip() == branches.PREDICATE_TEMPLATE.strip()


def test_the_magic_explains_its_options():
    assert all(option in cells.c.__doc__ for option in ("--limit", "--memory", "--flags"))
