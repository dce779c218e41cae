"""The value of a measurement that waits for a prediction: it passes through every cell, and shows one line."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, ParamSpec, TypeVar


class Waiting:
    """Stands for a run, a fit or a score until the reader commits a prediction. It is false and empty.

    Every attribute, call, item and sum of it is the same object again, so that *Run All* ends in every cell. As a
    mapping (`**waiting`) and as a sequence it has no items.
    """

    def __init__(self, said: str) -> None:
        self._said = said

    @classmethod
    def until(cls, advice: str) -> "Waiting":
        """Return the value that waits until the reader follows `advice`, such as "Commit a range above"."""
        return cls(f"{advice.removesuffix('.')}, and run this cell again.")

    def __repr__(self) -> str:
        return self._said

    def __format__(self, spec: str) -> str:
        return self._said

    def __getattr__(self, name: str) -> "Waiting":
        if name.startswith("_"):  # Python and IPython ask for these to learn what an object can do
            raise AttributeError(name)
        return self

    def __call__(self, *_arguments: Any, **_named: Any) -> "Waiting":
        return self

    def __getitem__(self, _key: Any) -> "Waiting":
        return self

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __contains__(self, _item: Any) -> bool:
        return False

    def __float__(self) -> float:
        return float("nan")


def _itself(self: Waiting, *_others: Any) -> Waiting:
    return self


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Waiting, f"__{_name}__", _itself)
    setattr(Waiting, f"__r{_name}__", _itself)
for _name in ("neg", "abs", "round"):
    setattr(Waiting, f"__{_name}__", _itself)
for _name in ("lt", "le", "gt", "ge"):
    setattr(Waiting, f"__{_name}__", lambda self, other: False)

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def waits(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result | Waiting]:
    """Let a function that takes a run return the first argument that waits, instead of running."""

    @wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result | Waiting:
        waiting = next((given for given in (*args, *kwargs.values()) if isinstance(given, Waiting)), None)
        return function(*args, **kwargs) if waiting is None else waiting

    return call
