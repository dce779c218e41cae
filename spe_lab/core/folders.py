"""The user's folders for settings and caches, also where the system knows no home folder."""

import os
from pathlib import Path
from typing import Literal

from spe_lab.core.errors import SpeLabError

NOWHERE = Path(os.devnull)  # below it nothing exists, and nothing can be made, whoever asks


def home_known() -> bool:
    """Return False if neither $HOME nor the system's list of users names a home folder, as in some containers."""
    return Path(os.path.expanduser("~")).is_absolute()  # noqa: PTH111 - Path's own raises where there is none


def user_folder(kind: Literal["cache", "config", "data"]) -> Path:
    """Return the user's folder for this kind of file; NOWHERE if it cannot be told."""
    import platformdirs

    try:
        folder: Path = getattr(platformdirs, f"user_{kind}_path")("spe-lab")
    except RuntimeError:  # platformdirs 4.10 and later; earlier ones return "~/.cache", a folder of the working folder
        return NOWHERE
    return folder if folder.is_absolute() else NOWHERE


def settings_folder(kind: Literal["config", "data"]) -> Path:
    """Return $SPE_LAB_CONFIG_DIR, else the user's folder for this kind of file."""
    own = os.environ.get("SPE_LAB_CONFIG_DIR")
    return Path(own) if own else user_folder(kind)


def unwritable(what: str, file: Path, error: OSError) -> SpeLabError:
    """Return the error for a file of the settings' folder that cannot be written: `what` is "the journal"."""
    if file.parent == NOWHERE:
        return SpeLabError(
            f"{what} must have a folder to be kept in, and this user has no home folder; set SPE_LAB_CONFIG_DIR to a"
            " folder that you can write"
        )
    cure = "make room or set SPE_LAB_CONFIG_DIR to another folder"
    return SpeLabError(f"the folder of {what} must be writable, got {error.strerror} for {file}; {cure}")
