"""axe-core on a part of a page: what it finds that would stop a reader who cannot see, or cannot use a mouse."""

from typing import Any

GRAVE = ("serious", "critical")


def findings(page: Any, within: str, impacts: tuple[str, ...] = GRAVE) -> list[str]:
    """A line for each finding of these impacts below the elements that the CSS selector `within` matches: rule, place, cure."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=within).response["violations"]
    return [_line(violation, node) for violation in found if violation["impact"] in impacts for node in violation["nodes"]]


def _line(violation: dict[str, Any], node: dict[str, Any]) -> str:
    return f"{violation['id']} ({violation['impact']}): {node['html']:.200}: {node['failureSummary']}".replace("\n", " ")
