"""The folder that holds compiled C: the user's, or a private one for this process."""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from spe_lab.core import folders
from spe_lab.core.errors import UnavailableError

_ROOMY = ("/tmp", "/var/tmp", "/dev/shm")  # tried after the system's folder for temporary files


@cache
def cache_folder() -> Path:
    """Return the user's cache folder, or the one in $SPE_LAB_CACHE_DIR.

    If it cannot be written, others can write it, or nothing in it can be executed, return a folder for this process
    alone. Raise UnavailableError if there is no place for one.
    """
    if not unusable(wanted := wanted_folder()):
        return wanted
    # Never a shared, guessable name: anybody could put a library there.
    for place in _places():
        try:
            if not _executable(place):
                continue
            private = Path(tempfile.mkdtemp(prefix="spe-lab-", dir=place))
        except OSError:
            continue
        atexit.register(shutil.rmtree, private, ignore_errors=True)
        return private
    raise UnavailableError(
        "kernels need a folder that can be written and holds programs, and all that were tried are read-only, full or"
        " mounted noexec; set SPE_LAB_CACHE_DIR to another one"
    )


def wanted_folder() -> Path:
    """Return the folder that is used if it can be."""
    own = os.environ.get("SPE_LAB_CACHE_DIR")
    return (Path(own) if own else folders.user_folder("cache")) / "kernels"


def unusable(folder: Path) -> str:
    """Return why this folder cannot hold compiled C; empty if it can. It is made if absent."""
    if folder.parent == folders.NOWHERE:
        return "this user has no home folder"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            return f"others can write {folder}"  # a file in it may be anybody's
        with tempfile.TemporaryFile(dir=folder):
            return "" if _executable(folder) else f"{folder} is mounted noexec"
    except OSError as error:
        return f"{folder} cannot be written ({error.strerror})"


def _places() -> Iterator[Path]:
    """Yield folders for a private one, the usual one first."""
    with contextlib.suppress(OSError):  # the system may have no folder for temporary files that can be written
        yield Path(tempfile.gettempdir())
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(session)
    yield from map(Path, _ROOMY)
    if folders.home_known():
        yield Path.home()


def _executable(folder: Path) -> bool:
    """Return False if the file system forbids programs and libraries (mount option noexec)."""
    return not os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)  # Linux alone names the flag
