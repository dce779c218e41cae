"""What stands under a cell's name while there is no compiled C."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from spe_lab.core.own_c.messages import CellError
from spe_lab.core.text import Text


class Uncompiled:
    """A stand-in for a cell on a machine without a compiler: every method returns the reason."""

    def __init__(self, source: str, reason: str) -> None:
        self.source = source
        self.reason = Text(reason)

    def __getattr__(self, name: str) -> Callable[..., Text]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_arguments, **_named: self.reason

    def __repr__(self) -> str:
        return self.reason


class Failed:
    """A stand-in for a cell whose last version did not compile: every use raises CellError with the reason.

    Otherwise the functions of an older version would answer in its place. Its text, which a notebook shows, is the
    reason.
    """

    def __init__(self, name: str, reason: str) -> None:
        rule = f"{name} must compile before it is used, and its last version did not"
        vars(self)["_sentence"] = f"{rule} ({reason}); mend the cell and run it again"

    def _fail(self, *_arguments: Any, **_named: Any) -> NoReturn:
        raise CellError(self._sentence)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)  # Python and IPython ask for methods such as _repr_html_
        self._fail()

    __call__ = __getitem__ = __setattr__ = __contains__ = _fail

    def __iter__(self) -> Iterator:
        self._fail()

    def __len__(self) -> int:
        self._fail()

    def __dir__(self) -> list[str]:
        return []

    def __repr__(self) -> str:
        return self._sentence
