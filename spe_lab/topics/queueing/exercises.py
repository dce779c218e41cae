"""Exercises: four with numbers of the reader's own, a culprit to find, and a discipline to write in C."""

from typing import Any

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict
from spe_lab.topics.queueing.blocking import CULPRIT, ENDPOINTS, blame, incident
from spe_lab.topics.queueing.numbers import make_behind, make_mix, make_servers, make_two_kinds
from spe_lab.topics.queueing.shortest import SHORTEST


def judge_culprit(answer: Any) -> Verdict:
    if not isinstance(answer, str) or answer not in ENDPOINTS:
        raise SpeLabError(
            f"the answer must be an endpoint ({', '.join(ENDPOINTS)}), got {answer!r:.40}; give its name as text"
        )
    accused = blame(incident())
    share = accused[answer] / sum(accused.values())
    if answer == CULPRIT:
        work = f"which are {work_share(CULPRIT):.0%} of the work"
        return Verdict(
            "right", f"{share:.0%} of all waiting was behind reports, {work}: a few of them read the archive"
        )
    if answer == "search":
        work = f"it has the longest services on average and {work_share(answer):.0%} of the work"
        waits = f"only {share:.0%} of the waiting was behind it"
        return Verdict("wrong", f"{work}, but {waits}. Look at single requests, not at means")
    hint = "Which request was in service while the slowest requests waited?"
    return Verdict("wrong", f"{share:.0%} of the waiting was behind {answer}. {hint}")


def culprit() -> str:
    """Return the endpoint behind which requests waited longest in all."""
    return next(iter(blame(incident())))


def work_share(endpoint: str) -> float:
    """Return the endpoint's share of all service time."""
    log = incident()
    work = log["departure"] - log["start"]
    return float(work[log["endpoint"] == endpoint].sum() / work.sum())


EXERCISES = Exercises(
    "queueing",
    {
        "behind": Seeded(make_behind),
        "two_kinds": Seeded(make_two_kinds),
        "servers": Seeded(make_servers),
        "mix": Seeded(make_mix),
        "culprit": Exercise(
            "A log has 20,000 requests to four servers, each with a queue of its own. The p99 is nearly 400 times the"
            " median. Behind requests of which endpoint do the others wait?",
            (
                (
                    "Means by endpoint do not show it. Take the requests with the longest waits: which request was in"
                    " service at their server meanwhile?"
                ),
                "queueing.blame(log) adds up, by endpoint, how long requests waited behind a request during its service.",
            ),
            CULPRIT,
            "One report in a thousand reads the archive and takes 800 ms; on average reports are fast, and their own"
            " sojourn is the shortest of all. All requests to the same server wait during that time. Statistics by"
            " endpoint charge the wait to the waiting requests; statistics by request in service charge it to the reports.",
            judge_culprit,
        ),
        "shortest": SHORTEST,
    },
)
