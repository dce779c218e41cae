"""The assembly that the compiler generates for a kernel, and its innermost loops."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError

_LABEL = re.compile(r"([.\w]+):")
# Also those of a function that was inlined: its calls are gone, and only these remain.
_PARTS = re.compile(r"(?:\._omp_fn|\.omp_outlined|^\.omp_task_entry|\.part)\b")


def assembly(stem: str, function: str, flags: Sequence[str] = native.FLAGS) -> str:
    """Return the assembly of one kernel: instructions and labels, without assembler directives."""
    source = native.source(stem)
    declared = native.build(stem).declarations.functions
    if function not in declared:
        kernels = ", ".join(f"{stem}.{name}" for name in declared)
        raise SpeLabError(f"kernel must be one of {kernels}, got {function!r}; name one of them")
    plain = [flag for flag in flags if flag != "-g"]
    assembled, _ = native.assemble(source, [*plain, "-fno-asynchronous-unwind-tables"])
    return "\n".join(body(assembled, function, flags))


def body(assembled: str, function: str, flags: Sequence[str] = native.FLAGS, source: Path | None = None) -> list[str]:
    """Return the instructions and labels of one function in the compiler's output.

    With `source`, each instruction ends in a comment with its line of that file, if the output has line numbers (-g).
    """
    symbols = _symbols(assembled)
    prefix = _prefix(symbols, function)
    if prefix is None:
        raise SpeLabError(
            f"flags must make the compiler write {function} as assembly, got {' '.join(flags)}; leave out -flto, -E and"
            " the like"
        )
    own = _file_numbers(assembled, source) if source else set()
    shown: list[str] = []
    at = 0
    for line in symbols[prefix + function]:
        if location := re.match(r"\s+\.loc\s+(\d+)\s+(\d+)", line):
            at = int(location[2]) if location[1] in own else 0
        if _LABEL.match(line) or _is_instruction(line):
            text = line.expandtabs(8)
            shown.append(f"{text} # line {at}" if source and at and line[0].isspace() else text)
    return shown


def split_off(assembled: str, function: str) -> list[str]:
    """Return the names of the symbols that hold parts of a function, in the order in which its code refers to them.

    gcc moves the body of an OpenMP region to `f._omp_fn.0`, and clang to `.omp_outlined.` or (from version 17)
    `f.omp_outlined`; gcc also makes `f.part.0`, `f.constprop.0`, `f.isra.0` and `f.cold`. Parts may have parts.
    """
    symbols = _symbols(assembled)
    prefix = _prefix(symbols, function)
    if prefix is None:
        return []
    home = {label: symbol for symbol, lines in symbols.items() for line in lines if (label := _label(line))}
    found = [function]
    for symbol in found:  # which grows meanwhile
        for line in filter(_is_instruction, symbols[prefix + symbol]):
            into = home.get(jump_target(line), "")  # f jumps into the middle of f.cold
            for word in (into, *(word for word in re.findall(r"[.\w]+", line) if word in symbols)):
                part = word.removeprefix(prefix)
                if part not in found and (part.startswith(f"{function}.") or _PARTS.search(part)):
                    found.append(part)
    return found[1:]


def _symbols(assembled: str) -> dict[str, list[str]]:
    """Return the lines of each symbol, from its label to the next symbol's."""
    # Local labels: of ELF, of macOS (where a function has an underscore), and the numbers of inline assembly.
    local = re.compile(r"[Ll]|\d" if "__TEXT,__text" in assembled else r"\.L|\d")
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in assembled.splitlines():
        if (label := _label(line)) and not local.match(label):
            lines = found.setdefault(label, [])
        lines.append(line)
    return found


def _prefix(symbols: Mapping[str, Sequence[str]], function: str) -> str | None:
    """Return what the system puts before names, nothing or an underscore (macOS); None if there is no such function."""
    return next((prefix for prefix in ("", "_") if prefix + function in symbols), None)


def _is_instruction(line: str) -> bool:
    return line[:1].isspace() and bool(line.strip()) and not line.lstrip().startswith((".", "#", ";", "//"))


def _file_numbers(assembled: str, source: Path) -> set[str]:
    """Return the numbers that stand for this file in `.loc` directives."""
    declared = re.findall(r'^\s+\.file\s+(\d+)\s.*?"([^"]*)"(?:\s+md5.*)?$', assembled, flags=re.MULTILINE)
    return {number for number, name in declared if Path(name).name == source.name}


def hot_loops(stem: str, function: str, flags: Sequence[str] = native.FLAGS) -> str:
    """Return the innermost loops of a kernel's assembly."""
    return "\n".join("\n".join(loop) for loop in innermost_loops(assembly(stem, function, flags).splitlines()))


def innermost_loops(lines: Sequence[str]) -> list[list[str]]:
    """Return the lines of each natural loop that contains no other loop, in the order of the text.

    Every path into a loop enters at its head. The loop consists of the blocks that can reach a jump back to the head
    without passing the head. They need not be adjacent: compilers move unlikely blocks elsewhere.
    """
    import networkx as nx

    blocks: list[list[str]] = [[]]
    for line in lines:
        if _label(line) and blocks[-1]:
            blocks.append([])
        blocks[-1].append(line)
        if jump_target(line) or _ends(line):
            blocks.append([])
    heads = {label: i for i, block in enumerate(blocks) if block and (label := _label(block[0]))}
    flow = nx.DiGraph()
    flow.add_node(0)
    for i, block in enumerate(blocks):
        if block and (target := heads.get(jump_target(block[-1]))) is not None:
            flow.add_edge(i, target)
        if i + 1 < len(blocks) and not (block and _ends(block[-1])):
            flow.add_edge(i, i + 1)
    flow = flow.subgraph(nx.descendants(flow, 0) | {0})
    above = nx.immediate_dominators(flow, 0)
    loops: dict[int, set[int]] = {}
    for tail, head in flow.edges:
        if _dominates(above, head, tail):
            body = {head} if tail == head else {head, tail} | nx.ancestors(flow.subgraph(set(flow) - {head}), tail)
            loops[head] = loops.get(head, set()) | body
    innermost = [
        loops[head] for head in sorted(loops) if not any(other in loops[head] for other in loops if other != head)
    ]
    return [[line for i in sorted(loop) for line in blocks[i]] for loop in innermost]


def _dominates(above: dict[int, int], head: int, block: int) -> bool:
    while block != head and above.get(block, block) not in (None, block):
        block = above[block]
    return block == head


def _label(line: str) -> str | None:
    match = _LABEL.match(line)
    return match[1] if match else None


def jump_target(line: str) -> str | None:
    """Return the local label that an instruction jumps to, or None."""
    match = re.match(r"\s+[a-z][\w.]*\s+(?:[^#;/]*[ ,\t])?(\.?L\w+)\s*(?:#|//|;|$)", line)
    return match[1] if match else None


def _ends(line: str) -> bool:
    """Return True if execution never continues with the next line of the text."""
    return bool(re.match(r"\s+(jmpq?|b|retq?|br|ud2|brk)\b(?!\.)", line))
