"""Task graphs: tasks and their dependencies, with work, span, hot path and critical path.

A graph is written as text, one task per line:

    parse     2ms
    query     6ms after parse
    resize.1  3ms after parse        # the code before the dot, here for the first picture
    send      1ms after query, resize.1

Source: lecture notes §1.4 and §5.1 (hot path, critical path).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from spe_lab.core import units
from spe_lab.core.errors import SpeLabError

if TYPE_CHECKING:
    import networkx

MOST_TASKS = 64
SHORTEST_MS, MOST_MS = 0.01, 500.0  # of a task, and of all tasks together: a run executes a graph many times
ORDERS = ("longest chain first", "as written")
EXAMPLE = "join 5ms after parse, load"
_LINE = re.compile(r"(?P<name>[^\W\d][\w.]*)\s+(?P<time>\S+(\s*[nµum]?s)?)(\s+after\s+(?P<after>.+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """A step without a break; `code`, the name up to the first dot, is what a profiler would show."""

    name: str
    ns: int
    after: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Graph:
    """Tasks in the order in which they were written, without cycles."""

    tasks: tuple[Task, ...]

    @classmethod
    def parse(cls, text: str) -> "Graph":
        """Return the graph that the text describes; an error names the line, the rule and the cure.

        >>> Graph.parse("a 2ms; b 3ms after a".replace(";", chr(10))).span
        5.0
        """
        tasks: dict[str, Task] = {}
        lines: dict[str, int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if not (words := line.partition("#")[0].strip()):
                continue
            task = _task(words, number)
            if task.name in tasks:
                raise SpeLabError(
                    f"line {number}: each name must be given once, got {task.name!r} again; call it {task.name}.2"
                )
            tasks[task.name], lines[task.name] = task, number
        if not 1 <= len(tasks) <= MOST_TASKS:
            raise SpeLabError(
                f"a graph must have between 1 and {MOST_TASKS} tasks, got {len(tasks)}; write one on each line, for"
                f" example {EXAMPLE!r}"
            )
        for task in tasks.values():
            for name in task.after:
                if name not in tasks:
                    raise SpeLabError(
                        f"line {lines[task.name]}: after must name tasks of this graph, got {name!r}; give that task a"
                        " line, or drop it here"
                    )
        graph = cls(tuple(tasks.values()))
        graph._refuse_circles(lines)
        if graph.work > MOST_MS:
            rule = f"the times of all tasks must add up to at most {units.render(MOST_MS, 'ms')}"
            raise SpeLabError(f"{rule}, got {units.render(graph.work, 'ms')}; write shorter times with the same ratios")
        return graph

    def _refuse_circles(self, lines: dict[str, int]) -> None:
        import networkx

        try:
            circle = [source for source, _ in networkx.find_cycle(self.network)]
        except networkx.NetworkXNoCycle:
            return
        path, line = " before ".join([*circle, circle[0]]), lines[circle[0]]
        raise SpeLabError(f"line {line}: no task may wait for itself, got {path}; drop one of these from an 'after'")

    @cached_property
    def network(self) -> "networkx.DiGraph":
        """A directed graph with edges from each task to the tasks that wait for it."""
        import networkx

        network = networkx.DiGraph()
        network.add_nodes_from(task.name for task in self.tasks)
        network.add_edges_from((name, task.name) for task in self.tasks for name in task.after)
        return network

    @cached_property
    def names(self) -> dict[str, int]:
        """The place of each task, by name."""
        return {task.name: i for i, task in enumerate(self.tasks)}

    @cached_property
    def work(self) -> float:
        """Time of all tasks together, in ms: the time of one worker."""
        return sum(task.ns for task in self.tasks) / 1e6

    @cached_property
    def span(self) -> float:
        """Time of the longest chain, in ms: the least time of any number of workers."""
        return max(self.tails) / 1e6

    @cached_property
    def tails(self) -> tuple[int, ...]:
        """For each task, the time in ns of the longest chain that begins with it."""
        import networkx

        tails = dict.fromkeys(self.names, 0)
        for name in reversed(list(networkx.topological_sort(self.network))):
            longest = max((tails[later] for later in self.network.successors(name)), default=0)
            tails[name] = self.tasks[self.names[name]].ns + longest
        return tuple(tails.values())

    @cached_property
    def critical_path(self) -> tuple[str, ...]:
        """The chain whose time is the span; among equal chains, the tasks that were written first."""
        tail = dict(zip(self.names, self.tails, strict=True))
        path = [max(self.names, key=tail.get)]
        while later := list(self.network.successors(path[-1])):
            path.append(max(sorted(later, key=self.names.get), key=tail.get))
        return tuple(path)

    @cached_property
    def hot_code(self) -> str:
        """The code with most work, as a profiler would find it."""
        spent: dict[str, int] = {}
        for task in self.tasks:
            spent[task.code] = spent.get(task.code, 0) + task.ns
        return max(spent, key=spent.get)

    @cached_property
    def hot_path(self) -> tuple[str, ...]:
        """All tasks that run the hot code."""
        return tuple(task.name for task in self.tasks if task.code == self.hot_code)

    def share(self, names: Sequence[str]) -> float:
        """Return these tasks' share of the work: the P of Amdahl's law if they alone are made parallel."""
        return sum(self.tasks[self.names[name]].ns for name in names) / 1e6 / self.work

    def parallelised(self, names: Sequence[str], pieces: int) -> "Graph":
        """Return the graph with each of these tasks cut into equal pieces that may run at the same time."""
        parts = {task.name: [task.name] for task in self.tasks}
        if pieces > 1:
            parts |= {name: [f"{name}/{i + 1}" for i in range(pieces)] for name in names}
        tasks = []
        for task in self.tasks:
            after = tuple(part for name in task.after for part in parts[name])
            of = len(parts[task.name])
            for i, part in enumerate(parts[task.name]):  # whole nanoseconds that add up to the task's time
                tasks.append(Task(part, task.ns * (i + 1) // of - task.ns * i // of, after))
        return Graph(tuple(tasks))

    def order(self, by: str) -> list[int]:
        """Return the places of the tasks in the order in which a list schedule prefers them."""
        if by not in ORDERS:
            raise SpeLabError(f"order must be one of {', '.join(ORDERS)}, got {by!r}; name one of them")
        places = range(len(self.tasks))
        return list(places) if by == "as written" else sorted(places, key=lambda i: -self.tails[i])


def _task(words: str, number: int) -> Task:
    """Return the task of one line."""
    found, cure = _LINE.fullmatch(words), f"write for example {EXAMPLE!r}"
    if found is None:
        rule = "a task must be a name, a time and perhaps 'after' with names"
        raise SpeLabError(f"line {number}: {rule}, got {words!r:.60}; {cure}")
    name = found["name"]
    try:
        ms = units.parse(found["time"], "ms", name)
    except SpeLabError:
        rule = f"the time of {name} must be a time such as 3ms or 0.5 ms"
        raise SpeLabError(f"line {number}: {rule}, got {found['time']!r}; {cure}") from None
    if not SHORTEST_MS <= ms <= MOST_MS:
        rule = f"must be between {units.render(SHORTEST_MS, 'ms')} and {units.render(MOST_MS, 'ms')}"
        raise SpeLabError(f"line {number}: the time of {name} {rule}, got {found['time']}; choose one in that range")
    after = tuple(dict.fromkeys(part for part in re.split(r"[\s,]+", found["after"] or "") if part))
    return Task(name, round(ms * 1e6), after)


PAGE = """
parse     2ms
resize.1  3ms after parse
resize.2  3ms after parse
resize.3  3ms after parse
resize.4  3ms after parse
resize.5  3ms after parse
resize.6  3ms after parse
resize.7  3ms after parse
resize.8  3ms after parse
query     6ms after parse
rank      4ms after query
render    4ms after rank
send      1ms after render, resize.1, resize.2, resize.3, resize.4, resize.5, resize.6, resize.7, resize.8
"""
BUILD = """
headers    2ms
compile.1  3ms after headers
compile.2  4ms after headers
compile.3  5ms after headers
compile.4  9ms after headers
manual     8ms
link       4ms after compile.1, compile.2, compile.3, compile.4
test.1     3ms after link
test.2     5ms after link
"""
GRAHAM = """
t1 3ms
t2 2ms
t3 2ms
t4 2ms
t5 4ms after t4
t6 4ms after t4
t7 4ms after t4
t8 4ms after t4
t9 9ms after t1
"""
GRAPHS = {name: text.strip() for name, text in (("page", PAGE), ("build", BUILD), ("anomaly", GRAHAM))}
