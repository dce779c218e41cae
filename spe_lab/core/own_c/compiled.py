"""`Cell`: the reader's own C as an object with functions to call and assembly to read."""

import keyword
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.c.binding import scalar
from spe_lab.core.c.ctype import Function, Pointer, Type, prototype, spelled
from spe_lab.core.c.listing import Listing, listing
from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c import wrapped
from spe_lab.core.own_c.arguments import bound, signature
from spe_lab.core.own_c.diagnostics import Diagnostic, diagnostics
from spe_lab.core.own_c.dialect import inline_only
from spe_lab.core.own_c.messages import CellError, Sentence
from spe_lab.core.own_c.packed import Packed
from spe_lab.core.own_c.refusals import refusal
from spe_lab.core.own_c.requests import Call
from spe_lab.core.own_c.sandbox import Sandbox, build
from spe_lab.core.own_c.values import dtype_of, number_of, read_member, shown

LIMIT_S = 5.0
MEMORY_BYTES = 1 << 30
_LONGEST_S = 3600.0
_NOT_OURS = ("-c", "-E", "-M", "-MM", "-S", "-fsyntax-only", "-o", "-x", "-###", "--help", "--version")


class NoFunctionError(Sentence, AttributeError):
    """A name that a cell does not have; Python's own look-ups expect an AttributeError."""


class Cell:
    """Compiled C source text whose functions are attributes, if not static; `cell["time"]` is one of any name.

    The functions run in a process of their own. It lives, with the C code's static variables, until a call crashes. A
    call may take `limit_s` seconds, allocate `memory_bytes` and print 100 kB; its output appears after the call. Raises
    CellError with the compiler's messages, each with its line of `source`.
    """

    def __init__(
        self,
        source: str,
        name: str = "cell",
        *,
        limit_s: float = LIMIT_S,
        memory_bytes: float = MEMORY_BYTES,
        flags: Sequence[str] = native.CELL_FLAGS,
    ) -> None:
        if not name.isidentifier():
            raise CellError(f"name must be a Python name, got {name!r}; choose for example own")
        if not 0 < (limit_s := units.finite(limit_s, "limit_s")) <= _LONGEST_S:
            raise CellError(
                f"limit_s must be between 0 and {_LONGEST_S:g} seconds, got {limit_s:g}; leave it out to use"
                f" {LIMIT_S:g}"
            )
        if not 1 << 20 <= (memory_bytes := units.finite(memory_bytes, "memory_bytes")) < 1 << 40:
            raise CellError(
                f"memory_bytes must be between 1 MiB and 1 TiB, got {units.render(memory_bytes, 'B')}; leave it out to"
                " use 1 GiB"
            )
        if outside := [flag for flag in flags if flag in _NOT_OURS or not flag.strip("- ")]:
            raise CellError(
                "flags must leave it to the cell what is compiled and where it is written, got"
                f" {outside[0]!r}; leave it out"
            )
        self.source = source
        self.name = name
        self.limit_s = limit_s
        self.memory_bytes = int(memory_bytes)
        self.flags = tuple(flags)
        self._compiled: dict[tuple[str, tuple[str, ...]], native.Built] = {}
        self._built = self.built_with()
        self.file = self._built.source
        self.warnings: list[Diagnostic] = diagnostics(self._built.said, self.file, source)
        self._wrapped = self._with_wrappers()
        # Crashes name the file that was compiled, and that is another one where wrappers stand behind the text.
        self._sandbox = Sandbox(self._wrapped.path, self._wrapped.source)
        self._alone = threading.Lock()  # a slider's call and a cell's may come from two threads

    def built_with(self, behind: str = "", flags: Sequence[str] = ()) -> native.Built:
        """Return the library of the cell's text with C of ours behind it and further flags, compiled at its first use.

        So whatever is timed is what was called, although a file that the text includes may have changed meanwhile.
        """
        key = behind, tuple(flags)
        if key not in self._compiled:
            self._compiled[key] = build(self.source, self.name, [*self.flags, *flags], behind)
        return self._compiled[key]

    def _with_wrappers(self) -> native.Built:
        """Return the library with a wrapper for each function that needs one, which is the plain one if none does.

        All functions are of one library, since they share the C code's static variables.
        """
        functions = self._built.declarations.functions.values()
        needed = [each for each in functions if not wrapped.direct(each) and not refusal(each)]
        if not needed:
            return self._built
        # The warnings are known, and -Werror has had its say.
        return self.built_with("".join(map(wrapped.call_text, needed)), ["-w"])

    @property
    def functions(self) -> dict[str, "CellFunction"]:
        """Functions by name."""
        return {name: CellFunction(self, each) for name, each in self._built.declarations.functions.items()}

    @property
    def constants(self) -> dict[str, int]:
        """Enumerators by name."""
        return dict(self._built.declarations.constants)

    def __getattr__(self, name: str) -> "CellFunction":
        built = vars(self).get("_built")  # absent while a copy is being made
        if built is None or name not in built.declarations.functions:
            raise NoFunctionError(self._missing(name))
        return self.function(name)

    def __getitem__(self, name: str) -> "CellFunction":
        return self.function(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._built.declarations.functions]

    def _missing(self, name: str) -> str:
        """Return the sentence about a name that this cell does not have."""
        built = vars(self).get("_built")
        if built and (sentence := inline_only(self.source, name)):
            return sentence
        names = built.declarations.functions if built else ()
        known = f"it has {', '.join(names)}" if names else "it has none that is neither static, inline nor hidden"
        return f"{vars(self).get('name')!r} has no function {name!r}; {known}"

    def function(self, name: str) -> "CellFunction":
        """Return a function, also one that is named like a method of this object."""
        return CellFunction(
            self, self._declared(name)
        )  # not kept: it refers to this cell, which ends with its last user

    def _declared(self, name: str) -> Function:
        declared = self._built.declarations.functions
        if name not in declared:
            known = ", ".join(declared) or "(this cell has no function)"
            raise CellError(
                inline_only(self.source, name)
                or f"name must be one of {known}, got {name!r}; define it in the cell, without static, or see the"
                " cell's list"
            )
        return declared[name]

    def dtype(self, name: str) -> np.dtype:
        """Return the numpy type of a structure or union, by its tag or the name of its typedef."""
        records = self._built.declarations.records
        if name not in records:
            raise CellError(
                f"{self.name} must use the structure that is named, got {name!r}; it has"
                f" {', '.join(records) or 'no structure'}"
            )
        found = dtype_of(records[name])
        if found is None:
            raise CellError(
                "a structure must hold numbers and arrays of them to be a numpy type, got"
                f" {spelled(records[name])} with pointers, bit-fields or types that numpy lacks; pass a dict"
            )
        return found

    @property
    def output(self) -> str:
        """Text that the last call printed."""
        return self._sandbox.output

    def close(self) -> None:
        """End the process of this cell; the next call starts a new one."""
        self._sandbox.close()

    def call(self, name: str, arguments: Mapping[str, Any], limit_s: float | None = None) -> Any:
        """Return the function's result for arguments by C's names; `output` holds what it printed."""
        function = self._declared(name)
        if sentence := refusal(function):
            raise CellError(sentence)
        self._sandbox.output = ""
        in_record = not wrapped.direct(function)
        tag = wrapped.PREFIX + name
        record = wrapped.arguments_of(function, self._wrapped.declarations, tag) if in_record else None
        packed = Packed.of(function, arguments, self.source, record)
        direct = [] if in_record else [_ctypes_name(each.type) for each in function.parameters]
        request = Call(
            function.name,
            tag if in_record else function.symbol,
            "" if in_record or function.result is None else _ctypes_name(function.result),
            ("c_void_p",) if in_record else tuple(direct),
            tuple(packed.values),
            packed.sizes,
            tuple(packed.pointers),
            limit_s or self.limit_s,
            self.memory_bytes,
        )
        with self._alone:
            ((value, before, returned),) = self._sandbox.ask(request, packed.blocks, packed.described)
        if before:
            raise CellError(
                f"{name} wrote to memory before {packed.described[before[0]][0]}[0]; keep indexes from 0 upwards"
            )
        packed.give_back(returned)
        if function.result is None:
            return None
        if in_record:
            return read_member(
                memoryview(returned[0]), wrapped.place_of_result(function, self._wrapped.declarations), 0
            )
        return shown(value, number_of(function.result))

    def assembly(self, name: str) -> Listing:
        """Return the innermost loops of a function with their source lines; without loops, the whole function."""
        symbol = self._declared(name).symbol
        try:
            return listing(self._built.assembly, symbol, self.source, self.file, self.flags)
        except SpeLabError as error:
            raise CellError(str(error)) from None

    def __repr__(self) -> str:
        functions = self.functions
        called = [f"{self.name}.{name}" if not self._hides(name) else f'{self.name}["{name}"]' for name in functions]
        call = f", called as {called[0]}(…)" if functions else " that is not static, so nothing to call"
        head = f"{self.name} is compiled: {len(functions) or 'no'} function{'s' if len(functions) > 1 else ''}{call}"
        prototypes = [
            f"  {prototype(function.declared)}" + (f", called as {how}(…)" if self._hides(name) else "")
            for (name, function), how in zip(functions.items(), called, strict=True)
        ]
        return "\n".join([head, *prototypes, *map(str, self.warnings)])

    def _hides(self, name: str) -> bool:
        """Return True if an attribute of this object has the name of this C function."""
        return name in vars(self) or hasattr(type(self), name) or keyword.iskeyword(name)


def _ctypes_name(kind: Type) -> str:
    if isinstance(kind, Pointer):
        return "c_void_p"
    number = number_of(kind)
    return ("c_int8" if number.signed else "c_uint8") if number.kind == "char" else scalar(number).__name__


class CellFunction:
    """A C function. Call it with the arguments of its prototype, by position or by name."""

    def __init__(self, cell: Cell, declared: Function) -> None:
        self.cell = cell
        self.declared = declared
        self.__name__ = declared.name
        self.__doc__ = prototype(declared)
        self.__signature__ = signature(declared)
        self.refusal = refusal(declared)

    def __call__(self, /, *arguments: Any, **by_name: Any) -> Any:
        if self.refusal:
            raise CellError(self.refusal)
        try:
            return self.cell.call(self.__name__, bound(self.declared, arguments, by_name))
        finally:
            if self.cell.output:
                print(self.cell.output, end="")

    def __repr__(self) -> str:
        return f"<C function {prototype(self.declared)} of {self.cell.name}>"
