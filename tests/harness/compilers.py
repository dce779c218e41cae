"""Tests of what compilers write run with gcc and with clang, each where it is installed."""

import shutil

import pytest


@pytest.fixture(scope="module", params=["gcc", "clang"])
def each_compiler(request):
    """The name of the compiler in use."""
    if shutil.which(request.param) is None:
        pytest.skip(f"needs {request.param}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", request.param)
        yield request.param
