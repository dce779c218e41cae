"""Turns the status that a C function returns (`enum spe_status`, kernels_c/spe.h) into an exception, in one place."""

from spe_lab.core.c.native import Library
from spe_lab.core.errors import CancelledError, SpeLabError, UnavailableError

# Enumerator of spe.h -> exception and its sentence. Any other negative status is reported with its number.
_ERRORS: dict[str, tuple[type[SpeLabError], str]] = {
    "SPE_CANCELLED": (CancelledError, "{work} was cancelled; start it again"),
    "SPE_BAD_ARGUMENT": (
        SpeLabError,
        "{work} must stay within the limits of {source}, and it refused an argument; choose smaller settings",
    ),
    "SPE_NO_THREADS": (
        UnavailableError,
        "{work} needs {threads} threads and the system refused to create them; choose fewer, or raise ulimit -u",
    ),
}


def check(status: int, library: Library, work: str = "the simulation", threads: int = 1) -> None:
    """Raise the exception that belongs to a negative status; return for any other, which may be a count.

    `work` is the subject of the sentence, `threads` the number of threads that were asked for. A caller handles the
    codes of its own kernel (such as QUEUE_FULL) before.
    """
    if status >= 0:
        return
    for name, (error, sentence) in _ERRORS.items():
        if status == library.constants[name]:
            raise error(sentence.format(work=work, source=library.provenance["source"], threads=threads))
    raise SpeLabError(
        f"{work} must end with a status of spe.h, got {status} from {library.provenance['source']}; report"
        " the settings with this sentence"
    )
