"""What axe-core, the rules of WCAG as a program, has to say about a page.

assert not findings(page), "\\n".join(findings(page))
findings(page, within=".jp-OutputArea")     a part of the page: the rest may not be ours
"""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

GRAVE = ("serious", "critical")


def findings(page: Any, within: str | None = None, impacts: tuple[str, ...] = GRAVE) -> list[str]:
    """One line for each element that breaks a rule so gravely: impact, rule, what is wrong, the element."""
    violations = Axe().run(page, context=within).response["violations"]
    return [
        f"{violation['impact']}: {violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in impacts
        for node in violation["nodes"]
    ]
