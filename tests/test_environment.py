"""environment.yml (conda, Binder) and pyproject.toml must ask for the same packages in the same ranges."""

import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

PYPI_NAME = {"matplotlib-base": "matplotlib"}  # conda's names where they differ
ONLY_CONDA = {"python", "c-compiler", "make", "pip"}


def ranges(lines: list[str]) -> dict[str, SpecifierSet]:
    requirements = [Requirement(line) for line in lines]
    names = [canonicalize_name(PYPI_NAME.get(requirement.name, requirement.name)) for requirement in requirements]
    assert len(set(names)) == len(names), f"a package is named twice: {sorted(names)}"
    return {name: requirement.specifier for name, requirement in zip(names, requirements, strict=True)}


def conda_ranges() -> tuple[dict[str, SpecifierSet], list[str]]:
    """Packages and ranges of conda's and pip's part together, and the pip lines that are options."""
    conda = [line for line in CONDA["dependencies"] if isinstance(line, str)]
    pip = [line for part in CONDA["dependencies"] if isinstance(part, dict) for line in part["pip"]]
    return ranges(conda + [line for line in pip if not line.startswith("-")]), [
        line for line in pip if line.startswith("-")
    ]


def test_both_files_ask_for_the_same_packages_in_the_same_ranges():
    conda = {name: spec for name, spec in conda_ranges()[0].items() if name not in ONLY_CONDA}
    assert conda == ranges(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"])


def test_conda_brings_the_same_python_a_compiler_and_make():
    conda = conda_ranges()[0]
    assert set(conda) >= ONLY_CONDA
    assert conda["python"] == SpecifierSet(PROJECT["requires-python"])


def test_conda_installs_the_checkout_itself():
    assert CONDA["name"] == PROJECT["name"]
    assert conda_ranges()[1] == ["-e ."]


def test_a_range_written_in_another_order_is_the_same_and_another_bound_is_not():
    assert ranges(["Num_Py<3,>=2.0"]) == ranges(["num-py >=2.0, <3"])
    assert ranges(["numpy>=2.0,<3"]) != ranges(["numpy>=2.1,<3"])
