"""Rules of the house that no linter knows: whose names these are, what is a package, how long a file may be."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGES = ("adapters", "mappings", "state", "syncd")
LONGEST = 500
TOO_LONG: dict[str, str] = {}
"""File -> why it may be longer than LONGEST lines."""


def python_files() -> list[Path]:
    return sorted(path for name in PACKAGES for path in (PROJECT / name).rglob("*.py"))


@pytest.mark.parametrize("name", PACKAGES)
def test_nobody_else_owns_our_names(name):
    assert set(packages_distributions().get(name, ["syncd"])) == {"syncd"}


@pytest.mark.parametrize("name", PACKAGES)
def test_our_names_lead_here(name):
    module = __import__(name)
    assert Path(str(module.__file__)).parent == PROJECT / name


@pytest.mark.parametrize("folder", ["systemd", "tests", "docs", "benchmarks"])
def test_folders_without_a_package(folder):
    assert list((PROJECT / folder).rglob("__init__.py")) == []


@pytest.mark.parametrize("name", PACKAGES)
def test_every_folder_of_a_package_is_a_package(name):
    folders = {path.parent for path in (PROJECT / name).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_is_typed(name):
    assert (PROJECT / name / "py.typed").exists()


def test_no_file_is_too_long():
    lengths = {
        path.relative_to(PROJECT).as_posix(): len(path.read_text("utf8").splitlines())
        for path in python_files()
    }
    too_long = {name for name, lines in lengths.items() if lines > LONGEST}
    assert too_long == set(TOO_LONG), "split it, or say in TOO_LONG why it has to be so long"
    assert all(TOO_LONG.values())


def test_nothing_is_left_for_later():
    later = re.compile(r"#\s*(TODO|FIXME|XXX)\b|raise NotImplementedError")
    found = [
        f"{path.relative_to(PROJECT)}: {hit.group()}"
        for path in python_files()
        for hit in later.finditer(path.read_text("utf8"))
    ]
    assert found == []
