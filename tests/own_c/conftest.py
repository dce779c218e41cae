"""The compilers that the reader's own C is tested with."""

import importlib.util
import shutil
import sys

import pytest

from spe_lab.core.c import native
from spe_lab.core.errors import UnavailableError


@pytest.fixture(scope="module", params=["cc", pytest.param("clang", marks=pytest.mark.slow)])
def compiler(request):
    """The compiler of this machine, and clang: the system's, else that of the Python package ziglang."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "clang":
            patch.setenv("CC", _clang())
        try:
            yield native.compiler()
        except UnavailableError as error:
            pytest.skip(str(error))


def _clang():
    if native.available() and "clang" in native.compiler().version:
        pytest.skip("the compiler of this machine is clang, which the tests for cc use")
    if clang := shutil.which("clang"):
        return clang
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("needs clang or the Python package ziglang")
    return f"{sys.executable} -m ziglang cc"
