"""Pictures of task graphs and schedules: pairs of an SVG and its description, for the stepper.

The hot path is hatched, and the critical path has a thick border: readers can tell them apart without colour.
"""

from collections.abc import Sequence
from itertools import pairwise

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.units import render
from spe_lab.models.schedule import Schedule, bounds, list_schedule
from spe_lab.models.task_graph import ORDERS, Graph
from spe_lab.topics.scaling.execution import execute

BOX_WIDTH, BOX_HEIGHT, COLUMN, ROW = 132, 32, 186, 44
CHART_WIDTH, LANE, LEFT, LETTER = 680, 24, 92, 6.4  # width of the bars, height of a row, room for names, a letter
PLAIN, HOT, CRITICAL, GREY = "#e8eef4", "#E69F00", "#0072B2", "#666666"  # Okabe and Ito
_HATCH = (
    '<defs><pattern id="spe-hot" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="9" height="9" fill="#fdf0d5"/><rect width="3.5" height="9" fill="{HOT}"/></pattern></defs>'
)
_HALO = 'paint-order="stroke" stroke="white" stroke-width="4" stroke-linejoin="round"'


def paths(graph: Graph) -> list[tuple[str, str]]:
    """Return pictures of the graph: plain, with its hot path, with its critical path, and with both."""
    hot, critical, tasks = graph.hot_path, graph.critical_path, len(graph.tasks)
    work, span = render(graph.work, "ms"), render(graph.span, "ms")
    plain = f"{tasks} tasks. Work {work}: the time of one worker. Span {span}: the least time of any number of workers."
    hot_share = f"{graph.share(hot):.0%} of the work, in {len(hot)} task{'s' * (len(hot) > 1)}"
    hot_text = f"The hot path is {graph.hot_code}: {hot_share}."
    path = " → ".join(critical)
    critical_text = f"The critical path is {path}: {span}, {graph.share(critical):.0%} of the work."
    both = f"{hot_text} {critical_text}"
    frames = (((), (), plain), (hot, (), hot_text), ((), critical, critical_text), (hot, critical, both))
    return [(_network(graph, set(h), c, text), text) for h, c, text in frames]


def schedules(
    graph: Graph, workers: Sequence[int] = (1, 2, 3, 4, 8), order: str = ORDERS[0], executed: bool = True
) -> list[tuple[str, str]]:
    """Return a Gantt chart of the list schedule for each number of workers, above one of an execution.

    Both have the same scale. Without a compiler the execution is left out, and the description says so.
    """
    if not workers:
        raise SpeLabError("workers must name at least one number of workers, got none; write for example [1, 2, 4]")
    possible = executed and native.available()
    pairs = [[list_schedule(graph, n, order), *([execute(graph, n, order)] if possible else [])] for n in workers]
    missing = " Not executed here: that needs a C compiler." if executed and not possible else ""
    longest = max(schedule.total for pair in pairs for schedule in pair)
    return [(_charts(pair, longest, text), text) for pair in pairs for text in [_description(pair) + missing]]


def _verb(schedule: Schedule) -> str:
    return "predicted" if schedule.source == "predicted" else "executed"


def _description(pair: Sequence[Schedule]) -> str:
    first, graph = pair[0], pair[0].graph
    least, most = bounds(graph.work, graph.span, first.workers)
    totals = ", ".join(f"{_verb(schedule)} {render(schedule.total, 'ms')}" for schedule in pair)
    return (
        f"{first.workers} worker{'s' * (first.workers > 1)}: {totals}. At least {render(least, 'ms')} by work and span,"
        f" at most {render(most, 'ms')} by Graham's bound. The workers are busy for {first.busy:.0%} of the time."
    )


def _style(hot: bool, critical: bool) -> str:
    border = f'stroke="{CRITICAL}" stroke-width="4"' if critical else f'stroke="{GREY}" stroke-width="1.2"'
    return f'fill="{"url(#spe-hot)" if hot else PLAIN}" {border}'


def _network(graph: Graph, hot: set[str], critical: Sequence[str], description: str) -> str:
    """Return an SVG with a column for each topological generation, and the critical path on top."""
    import networkx

    place: dict[str, tuple[float, float]] = {}
    chain = set(graph.critical_path)
    for column, layer in enumerate(networkx.topological_generations(graph.network)):
        names = sorted(layer, key=lambda name: (name not in chain, graph.names[name]))
        place |= {name: (20 + column * COLUMN, 34 + row * ROW) for row, name in enumerate(names)}
    links = set(pairwise(critical))
    parts = [_link(place[a], place[b], (a, b) in links) for a, b in sorted(graph.network.edges, key=links.__contains__)]
    for task in graph.tasks:
        x, y = place[task.name]
        parts.append(
            f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5"'
            f" {_style(task.name in hot, task.name in critical)}/>"
        )
        label = f"{task.name} · {render(task.ns / 1e6, 'ms')}"
        parts.append(
            f'<text x="{x + BOX_WIDTH / 2}" y="{y + 21}" text-anchor="middle" font-size="14" {_HALO}>{label}</text>'
        )
    width = max(x for x, _ in place.values()) + BOX_WIDTH + 20
    height = max(y for _, y in place.values()) + BOX_HEIGHT + 12
    entries = (("hot path", _style(True, False), hot), ("critical path", _style(False, True), critical))
    legend = [(words, style) for words, style, shown in entries if shown]
    return _svg(max(width, 320), height, description, [_legend(legend, 20), *parts])


def _legend(entries: Sequence[tuple[str, str]], x: float) -> str:
    return "".join(
        f'<rect x="{x + 140 * i}" y="6" width="26" height="14" {style}/><text x="{x + 140 * i + 34}" y="18"'
        f' font-size="14">{words}</text>'
        for i, (words, style) in enumerate(entries)
    )


def _link(a: tuple[float, float], b: tuple[float, float], bold: bool) -> str:
    """Return an arrow from the right edge of one box to the left edge of another."""
    x, y, end, top = a[0] + BOX_WIDTH, a[1] + BOX_HEIGHT / 2, b[0] - 3, b[1] + BOX_HEIGHT / 2
    colour, width = (CRITICAL, 4) if bold else ("#9a9a9a", 1.3)
    # The arrow bends in the gap before its end, so that it crosses no box of the columns between.
    bend = end - (COLUMN - BOX_WIDTH) + 6
    path = f"M {x} {y} L {bend} {y} C {bend + 26} {y} {end - 30} {top} {end - 6} {top}"
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        f'<polygon points="{end},{top} {end - 10},{top - 5} {end - 10},{top + 5}" fill="{colour}"/>'
    )


def _charts(pair: Sequence[Schedule], longest: float, description: str) -> str:
    parts, y, scale = [], 26, CHART_WIDTH / longest
    graph = pair[0].graph
    hot, critical = set(graph.hot_path), set(graph.critical_path)
    parts.append(_legend([("hot path", _style(True, False)), ("critical path", _style(False, True))], LEFT))
    for schedule in pair:
        height, title = LANE * schedule.workers, f"{_verb(schedule)}: {render(schedule.total, 'ms')}"
        parts.append(f'<text x="{LEFT}" y="{y + 18}" font-size="15" font-weight="700">{title}</text>')
        y += 26
        parts += _ticks(longest, y, height, scale)
        for worker in range(schedule.workers):
            parts.append(
                f'<text x="{LEFT - 8}" y="{y + worker * LANE + 16}" text-anchor="end" font-size="13">worker'
                f" {worker + 1}</text>"
            )
        rows = zip(graph.tasks, schedule.began, schedule.ended, schedule.worker, strict=True)
        for task, began, ended, worker in rows:
            x, width, top = LEFT + began / 1e6 * scale, (ended - began) / 1e6 * scale, y + worker * LANE
            inset = 2 if task.name in critical else 0.6  # SVG draws half of a border outside the box
            parts.append(
                f'<rect x="{x + inset:.1f}" y="{top + 2 + inset}" width="{max(width - 2 * inset, 0.5):.1f}"'
                f' height="{LANE - 4 - 2 * inset}" {_style(task.name in hot, task.name in critical)}><title>{task.name}'
                f" {render(task.ns / 1e6, 'ms')}</title></rect>"
            )
            if width > LETTER * len(task.name) + 8:
                parts.append(
                    f'<text x="{x + width / 2:.1f}" y="{top + 17}" text-anchor="middle" font-size="12.5"'
                    f" {_HALO}>{task.name}</text>"
                )
        y += height + 26
    return _svg(LEFT + CHART_WIDTH + 20, y, description, parts)


def _ticks(longest: float, y: float, height: float, scale: float) -> list[str]:
    """Return grid lines with labels, at most 13 of them, at multiples of 1, 2 or 5 times a power of ten."""
    step = next(step for k in range(-3, 4) for step in (10.0**k, 2 * 10.0**k, 5 * 10.0**k) if longest / step <= 12)
    parts = []
    for i in range(int(longest / step) + 1):
        x = LEFT + i * step * scale
        parts.append(f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + height}" stroke="#cccccc"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{y + height + 15}" text-anchor="middle" font-size="12"'
            f' fill="#444444">{render(i * step, "ms") if i else 0}</text>'
        )
    return parts


def _svg(width: float, height: float, description: str, parts: Sequence[str]) -> str:
    label = description.replace('"', "'")
    head = (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" style="max-width:'
        ' 100%; background: white"'
    )
    return f'{head} xmlns="http://www.w3.org/2000/svg" font-family="sans-serif">{_HATCH}{"".join(parts)}</svg>'
