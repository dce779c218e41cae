"""C that is compiled behind a cell's own: calls whose arguments ctypes cannot pass, and loops that are timed.

Only the compiler knows how a structure, a complex or a 128-bit number travels to a function. So the arguments are put
into a structure, in memory, and a function in C makes the call. Its layout is read like any other.
"""

from spe_lab.core.c.binding import scalar
from spe_lab.core.c.ctype import Declarations, Function, Member, Pointer, Record

PREFIX = "spe_lab_call_"
TIMED = "spe_lab_timed"
_CALL = """
struct {tag} {{ {fields} }};
void {tag}(struct {tag} *call);
void {tag}(struct {tag} *call)
{{
    __typeof__(&{name}) volatile callee = {name};
    {keep}callee({arguments});
    {store}
}}
"""
# The loop begins a cache line whatever comes before it: only the place of the reader's function may change its time.
_LOOP = """
struct {tag} {{ {fields} }};
__UINT64_TYPE__ {tag}(struct {tag} *state, __UINT64_TYPE__ work) __attribute__((aligned(64)));
__UINT64_TYPE__ {tag}(struct {tag} *state, __UINT64_TYPE__ work)
{{
    __typeof__(&{name}) volatile callee = {name};
    for (__UINT64_TYPE__ i = 0; i < work; i++) {{
        {keep}callee({arguments});
        __asm__ volatile("" : : {used} : "memory");
    }}
    return work;
}}
"""


def direct(function: Function) -> bool:
    """Return True if ctypes can make the call: numbers that it knows, and pointers."""
    kinds = [each.type for each in function.parameters]
    kinds += [function.result] if function.result is not None else []
    return function.prototyped and all(isinstance(kind, Pointer) or scalar(kind) is not None for kind in kinds)


def expressible(function: Function) -> bool:
    """Return True if the types of arguments and result have names in C."""
    return all(each.spelling for each in function.parameters) and bool(function.result_spelling)


def call_text(function: Function) -> str:
    """Return a C function that makes one call, from a structure of arguments a0, a1 … into its member `result`."""
    kept = function.result is not None
    return _CALL.format(
        tag=PREFIX + function.name,
        fields=_fields(function) + (f" {function.result_spelling} result;" if kept else ""),
        name=function.name,
        arguments=_arguments(function, "call"),
        keep=f"{function.result_spelling} result = " if kept else "",
        store="__builtin_memcpy(&call->result, &result, sizeof result);" if kept else "",
    )


def loop_text(function: Function) -> str:
    """Return a work kernel that makes `work` calls, through a pointer that the compiler cannot look through."""
    kept = function.result is not None
    return _LOOP.format(
        tag=TIMED,
        fields=_fields(function),
        name=function.name,
        arguments=_arguments(function, "state"),
        keep=f"{function.result_spelling} result = " if kept else "",
        used='"m"(result)' if kept else "",
    )


def arguments_of(function: Function, declarations: Declarations, tag: str) -> Record:
    """Return the structure of arguments as compiled, with C's names and types of the parameters."""
    compiled = declarations.records[tag]
    named = {f"a{i}": parameter for i, parameter in enumerate(function.parameters)}
    members = [
        Member(named[member.name].name, named[member.name].type, member.offset)
        for member in compiled.members
        if member.name in named
    ]
    return Record("struct", function.name, compiled.bytes, members)


def place_of_result(function: Function, declarations: Declarations) -> Member:
    """Return where a call leaves its result."""
    compiled = declarations.records[PREFIX + function.name]
    return next(member for member in compiled.members if member.name == "result")


def _fields(function: Function) -> str:
    # A structure without members is C only for GNU's compilers.
    return " ".join(f"{each.spelling} a{i};" for i, each in enumerate(function.parameters)) or "char none;"


def _arguments(function: Function, owner: str) -> str:
    return ", ".join(f"{owner}->a{i}" for i in range(len(function.parameters)))
