"""`Cell`: the reader's own C as an object with functions to call and assembly to read."""

import inspect
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.c.listing import Listing, listing
from spe_lab.core.c.prototypes import Function
from spe_lab.core.own_c.arguments import Packed, bound, c_name, is_pointer, prototype, signature
from spe_lab.core.own_c.messages import CellError, Diagnostic, diagnostics, refused
from spe_lab.core.own_c.sandbox import Sandbox, build
from spe_lab.core.own_c.worker import Call

LIMIT_S = 5.0
MEMORY_BYTES = 1 << 30
_LONGEST_S = 3600.0


class Cell:
    """Compiled C source text whose non-static functions are attributes; see also `function(name)`.

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
        flags: Sequence[str] = native.FLAGS,
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
        self.source = source
        self.name = name
        self.limit_s = limit_s
        self.memory_bytes = int(memory_bytes)
        self.flags = tuple(flags)
        self.file = native.text_file(source, name)
        self._assembled, said = self._compile()
        self.warnings: list[Diagnostic] = diagnostics(said, self.file)
        self._built = build(source, name, self.flags)
        self._sandbox = Sandbox(self._built.path, self.file)
        self._alone = threading.Lock()  # a slider's call and a cell's may come from two threads

    def _compile(self) -> tuple[str, str]:
        """Return the assembly with line numbers, and the compiler's warnings."""
        try:
            return native.assemble(self.file, [*self.flags, "-fno-asynchronous-unwind-tables"])
        except native.CompilerError as error:
            raise refused(self.name, error.said, self.file, self.flags) from None

    @property
    def functions(self) -> dict[str, "CellFunction"]:
        """Callable functions by name."""
        return {name: CellFunction(self, declared) for name, declared in self._built.declarations.functions.items()}

    def __getattr__(self, name: str) -> "CellFunction":
        if name.startswith("_") or name not in self.functions:
            known = (
                f"it has {', '.join(self.functions)}"
                if not name.startswith("_") and self.functions
                else "it has none that is not static"
            )
            raise AttributeError(f"{self.name!r} has no function {name!r}; {known}")
        return self.functions[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.functions]

    def function(self, name: str) -> "CellFunction":
        if name not in self.functions:
            raise CellError(
                f"name must be one of {', '.join(self.functions) or '(this cell has no function)'}, got {name!r}; see"
                " the cell's list"
            )
        return self.functions[name]

    @property
    def output(self) -> str:
        """Text that the last call printed."""
        return self._sandbox.output

    def close(self) -> None:
        """End the process of this cell; the next call starts a new one."""
        self._sandbox.close()

    def call(self, name: str, arguments: Mapping[str, Any], limit_s: float | None = None) -> Any:
        """Return the function's result for arguments by parameter name; `output` holds what it printed."""
        function = self.function(name).declared
        self._sandbox.output = ""
        packed = Packed.of(function, arguments)
        kinds = tuple("c_void_p" if is_pointer(kind) else kind.__name__ for kind in function.parameters.values())
        result = function.result.__name__ if function.result else ""
        request = Call(
            name,
            result,
            kinds,
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
        return value

    def assembly(self, name: str) -> Listing:
        """Return the innermost loops of a function with their source lines; without loops, the whole function."""
        return listing(self._assembled, self.function(name).declared.name, self.source, self.file, self.flags)

    def __repr__(self) -> str:
        count = len(self.functions)
        call = (
            f", called as {self.name}.{next(iter(self.functions))}(…)"
            if count
            else " that is not static, so nothing to call"
        )
        head = f"{self.name} is compiled: {count or 'no'} function{'s' if count > 1 else ''}{call}"
        prototypes = (f"  {prototype(function.declared)}" for function in self.functions.values())
        return "\n".join([head, *prototypes, *map(str, self.warnings)])


class CellFunction:
    """A C function. Call it with the arguments of its prototype, by position or by name."""

    def __init__(self, cell: Cell, declared: Function) -> None:
        self.cell = cell
        self.declared = declared
        self.__name__ = declared.name
        self.__doc__ = prototype(declared)
        self.__signature__ = signature(declared)
        if inspect.isclass(declared.result) and (is_pointer(declared.result) or not hasattr(declared.result, "_type_")):
            self.refusal = (
                f"{declared.name} must return a number or nothing to be called from Python, got"
                f" {c_name(declared.result)}; write through a pointer"
            )
        else:
            self.refusal = ""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self.refusal:
            raise CellError(self.refusal)
        try:
            return self.cell.call(self.__name__, bound(self.declared, arguments, named))
        finally:
            if self.cell.output:
                print(self.cell.output, end="")

    def __repr__(self) -> str:
        return f"<C function {prototype(self.declared)} of {self.cell.name}>"
