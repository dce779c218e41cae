"""spe-lab: the labs on the command line, for use without a browser, for tests and for other programs.

Exit status: 0 done; 2 bad input, with one sentence that names the cure; 3 the measurement was not possible. versus has
more of them (commands/own_c.py).
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from spe_lab.commands import own_c
from spe_lab.commands.terminal import assignment, print_json, show_progress
from spe_lab.core import files, registry, streams, units
from spe_lab.core import machine as machines
from spe_lab.core.c import native
from spe_lab.core.c.assembly import assembly
from spe_lab.core.errors import MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.grids.executors import BUILT_IN
from spe_lab.core.grids.sweeps import sweeps
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine
from spe_lab.core.recording import Run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    streams.prepare()
    try:
        options = _parser().parse_args(arguments)
        status = options.command(options)
        sys.stdout.flush()  # inside the try: a full disk or a closed pipe shows here
        return status
    except (MeasurementError, UnavailableError) as error:
        return _complain(error, 3)
    except SpeLabError as error:
        return _complain(error, 2)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except BrokenPipeError:
        _discard_output()  # the reader closed the pipe, as in spe-lab labs | head
        return 0
    except OSError as error:
        if error.filename is None:
            _discard_output()
        complaint = f"{error.filename or 'the output'} must be accessible, got: {error.strerror}"
        return _complain(f"{complaint}; check the path, the permissions and the space left", 2)


def _discard_output() -> None:
    """Send the remaining buffer to /dev/null; Python would write it at exit and report the error again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: object, status: int) -> int:
    with contextlib.suppress(OSError):  # nobody can be told; the status remains
        print(f"spe-lab: {message}", file=sys.stderr)
    return status


class _Parser(argparse.ArgumentParser):
    """A parser whose errors have our form: one sentence, status 2, no usage text."""

    def error(self, message: str):
        raise SpeLabError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="spe-lab", description="C kernels measured on this machine beside models that predict them.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    def command(name: str, function: Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=function)
        return added

    doctor = command("doctor", _doctor, "What works here, what does not, and what to do about it.")
    machine = command("machine", _machine, "The machine's claimed and assumed parameters, with their sources.")
    listing = command("labs", _labs, "Every lab: sliders with ranges and units, swept axis, sources.")
    machine.add_argument(
        "--calibrate",
        action="store_true",
        help="measure the parameters (about 25 s) and save them as this machine's profile",
    )
    machine.add_argument("--replace", action="store_true", help="overwrite a profile that cannot be read")
    for report in (doctor, machine, listing):
        report.add_argument("--json", action="store_true", help="print JSON")

    run = command("run", _run, "Run one lab: measure, predict, compare.")
    run.add_argument("lab", metavar="LAB", help="a lab's id, such as memory.stride (see spe-lab labs)")
    run.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="a slider's value, with its unit: size=1MiB"
    )
    run.add_argument("--over", metavar="NAME=V1,V2,…", help="the values of the swept axis: stride=8B,64B,4KiB")
    run.add_argument("--quick", action="store_true", help="a short sweep in under two seconds")
    run.add_argument("--budget", metavar="SECONDS", type=float, help="seconds to measure for (6; with --quick 0.7)")
    run.add_argument("--machine", metavar="PROFILE", type=Path, help="a machine file with parameters for the model")
    run.add_argument("--save", metavar="FILE", type=Path, help="save the measurement, without the model, to FILE")
    form = run.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--csv", action="store_true", help="print one row for each curve and value")
    form.add_argument("--png", metavar="FILE", type=Path, help="write the figure to FILE")

    sweep = command("sweep", _sweep, "Run one lab over a grid of its sliders.")
    sweep.add_argument("lab", metavar="LAB", help="a lab's id (see spe-lab labs)")
    sweep.add_argument(
        "--over",
        metavar="NAME=VALUES",
        action="append",
        default=[],
        help="servers=1,4,16, load=0.5..0.95 (ten values) or load=0.5..0.95/4",
    )
    sweep.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="a slider's value, with its unit: size=1MiB"
    )
    sweep.add_argument(
        "--executor",
        choices=BUILT_IN,
        help="where to compute the points of a simulated lab (default: this process, one after the other)",
    )
    sweep.add_argument("--keep", metavar="FILE", type=Path, help="save finished parts in FILE, and continue from them")
    sweep.add_argument("--quick", action="store_true", help="the lab's first answer instead of its best")
    sweep.add_argument(
        "--budget", metavar="SECONDS", type=float, help="seconds to measure for at each setting (6; with --quick 0.7)"
    )
    form = sweep.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--csv", action="store_true", help="print one row for each setting, curve and value")

    asm = command("asm", _asm, "The compiled instructions of a kernel.")
    asm.add_argument("kernel", metavar="KERNEL", help="stem.function, such as memory.cycle_walk")
    asm.add_argument(
        "--flags", metavar="FLAGS", help='compiler flags instead of the default ones: --flags="-O3 -march=native"'
    )

    own_c.add(command)

    text = "Your predictions and answers of all chapters, and how often your ranges held."
    journal = command("journal", _journal, text)
    form = journal.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the journal as JSON")
    form.add_argument("--export", metavar="FILE", type=Path, help="write a copy to a file that does not exist yet")
    form.add_argument(
        "--report",
        metavar="FILE",
        type=Path,
        help="write what you did and how long it took, for a class: FILE.html to read, FILE.csv to collect",
    )
    form.add_argument(
        "--import", metavar="FILE", type=Path, dest="taken", help="add the entries of an exported journal to your own"
    )

    notebooks = command("notebooks", _notebooks, "A copy of the workbook to work in.")
    notebooks.add_argument("folder", metavar="DIR", type=Path, help="a folder that does not exist yet")
    return parser


def _doctor(options: argparse.Namespace) -> int:
    from spe_lab.core.machine import doctor

    findings = doctor.examine()
    if options.json:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            cure = f"\n      → {finding.cure}" if finding.cure else ""
            print(f"{'ok  ' if finding.ok else 'MISS'}  {finding.what:<22} {finding.found}{cure}")
    return 0


def _machine(options: argparse.Namespace) -> int:
    machine = _calibrated(options.replace) if options.calibrate else machines.current()
    if options.json:
        print_json(machine.to_dict())
        return 0
    for name, fact in machine.facts.items():
        print(f"{name.replace('_', ' '):<24} {'not stated' if fact is None else fact}")
    print()
    for name, parameter in machine.parameters.items():
        value, interval, unit = units.render(parameter.value, parameter.unit), "", parameter.unit
        if parameter.low is not None and parameter.low != parameter.high:
            interval = f"{units.render(parameter.low, unit)} to {units.render(parameter.high, unit)}"
        print(f"{name:<28} {value:>10}  {interval:<24} {parameter.origin}: {parameter.method or parameter.source}")
    return 0


def _calibrated(replace: bool) -> Machine:
    """Measure the machine's parameters, save them as its profile and return it."""
    from spe_lab.core.calibration import calibration

    # A profile that is damaged, or cannot be kept, is said now and not after 25 s.
    former = None if replace else machines.load_own()
    machines.make_room()
    measured = {}
    try:
        for progress, text, refined in calibration.calibrate(machines.claim()):
            measured = refined
            show_progress(progress, text)
    finally:
        show_progress(None)
    machine = machines.profile_of(measured, former)
    machines.save_own(machine, replace=replace)
    return machine


def _labs(options: argparse.Namespace) -> int:
    every = [lab_class() for lab_class in registry.labs().values()]
    if options.json:
        print_json([lab.to_dict() for lab in every])
        return 0
    for lab in every:
        print(f"{lab.id}  (chapter {lab.chapter})  {lab.question}")
        for slider in lab.sliders.values():
            low, high = units.render(slider.low, slider.unit), units.render(slider.high, slider.unit)
            domain = ", ".join(slider.choices) or f"{low} to {high}"
            default = slider.default if slider.choices else units.render(slider.default, slider.unit)
            swept = "  ← swept" if slider.name == lab.axis else ""
            print(f"    {slider.name:<8} {domain}; {default} ({slider.source}): {slider.meaning}{swept}")
    return 0


def _run(options: argparse.Namespace) -> int:
    lab = registry.get(options.lab, Machine.load(options.machine) if options.machine else None)
    settings = dict(assignment("--set", text) for text in options.set)
    over = None
    if options.over is not None:
        name, values = assignment("--over", options.over)
        lab.slider(name)
        if name != lab.axis:
            rule = f"--over must name the axis that {lab.id} sweeps, which is {lab.axis}"
            raise SpeLabError(f"{rule}, got {name}; write --set {name}=… for a fixed value")
        over = [value for value in values.split(",") if value.strip()]
    if over is None and lab.axis in settings:
        over = [settings[lab.axis]]  # one value of the swept axis: a sweep of one point
    if options.png:
        from spe_lab.ui.static import check_png

        check_png(options.png)
    recording, status = None, 0
    try:
        for progress, better in lab.recordings(settings, over, budget_s=options.budget, short=options.quick or None):
            recording = better
            show_progress(progress)
        run = lab.joined(lab.fitted(recording))
    except UnavailableError as error:
        run, status = _fall_back(lab, settings, error), 3
    finally:
        show_progress(None)
    if options.save and not status:
        recording.save(options.save)
    _emit(run, options)
    return status


def _sweep(options: argparse.Namespace) -> int:
    grid = dict(assignment("--over", text) for text in options.over)
    settings = dict(assignment("--set", text) for text in options.set)
    effort = {"budget_s": options.budget, "short": options.quick or None}
    swept = None
    try:
        for progress, so_far in sweeps(
            options.lab, grid, options.executor, settings=settings, keep=options.keep, **effort
        ):
            swept = so_far
            show_progress(progress)
    finally:
        show_progress(None)
    if options.json:
        print_json(swept.to_json())
    else:
        print(swept.to_csv().rstrip("\n") if options.csv else swept.summary())
    return 0


def _fall_back(lab: Lab, settings: dict[str, str], error: UnavailableError) -> Run:
    """Return the model beside a recorded run. Raise MeasurementError if there is none."""
    recorded = lab.recorded()
    if recorded is None:
        raise MeasurementError(str(error)) from None
    print(f"spe-lab: {error}. Shown: data recorded on {recorded.machine['facts']['cpu']}.", file=sys.stderr)
    return lab.joined(lab.fitted(recorded), lab.point(settings))


def _emit(run: Run, options: argparse.Namespace) -> None:
    if options.json:
        print_json(run.to_json())
    elif options.csv:
        print(run.to_csv(), end="")
    else:
        if options.png:
            from spe_lab.ui.static import save_png

            save_png(run, options.png)
        print(run.summary())


def _asm(options: argparse.Namespace) -> int:
    stem, dot, function = options.kernel.partition(".")
    if not dot:
        raise SpeLabError(f"KERNEL must be stem.function, got {options.kernel!r}; write for example memory.cycle_walk")
    print(assembly(stem, function, tuple(options.flags.split()) if options.flags else native.FLAGS))
    return 0


def _journal(options: argparse.Namespace) -> int:
    from spe_lab.core.reader import journal
    from spe_lab.ui.journal import JournalPage

    if options.export:
        own = journal.export(options.export)
        print(f"{len(own.predictions)} predictions and {len(own.exercises)} exercises in {options.export}")
    elif options.report:
        from spe_lab.core.reader import report

        report.write(options.report)
        print(f"your report is in {options.report}; {report.UNSIGNED}")
    elif options.taken:
        own = journal.take_over(options.taken)
        print(f"your journal now has {len(own.predictions)} predictions and {len(own.exercises)} exercises")
    elif options.json:
        print_json(journal.load().to_json().rstrip("\n"))
    else:
        print(JournalPage().text)
    return 0


def _notebooks(options: argparse.Namespace) -> int:
    source = files.notebooks()
    try:
        options.folder.mkdir(parents=True)
    except FileExistsError:
        rule = "DIR must not exist yet, as its files would be overwritten"
        raise SpeLabError(f"{rule}, got {options.folder}; choose another name") from None
    try:
        shutil.copytree(source, options.folder, ignore=shutil.ignore_patterns(".*", "__pycache__"), dirs_exist_ok=True)
    except BaseException as error:
        shutil.rmtree(options.folder)  # made above; an incomplete workbook would look complete
        if isinstance(error, shutil.Error):  # holds (source, target, reason) of each file
            rule = f"DIR must have room for the workbook, got {options.folder}: {error.args[0][0][2]}"
            raise SpeLabError(f"{rule}; choose another place") from None
        raise
    count = len(list(options.folder.glob("*.ipynb")))
    print(f"{count} notebooks in {options.folder}; open them with: jupyter lab {options.folder / 'index.ipynb'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
