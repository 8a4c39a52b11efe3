"""Every member that `--json` prints stands in the command reference, and nothing else does."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from installation import change, syncd

DOCS = Path(__file__).parents[2] / "docs"
TITLE = "Fleet map"


@pytest.fixture(scope="module")
def members():
    spec = importlib.util.spec_from_file_location("json_members", DOCS / "json_members.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["json_members"] = module
    spec.loader.exec_module(module)
    return module.JSON


@pytest.fixture(scope="module")
def printed(world, filled):
    """What each command prints in one installation with a conflict and something held back."""
    world.edit_issue(TITLE, duedate="2027-01-01")
    world.edit_issue("Size advisor", duedate="2027-07-01")
    world.edit_row(TITLE, **{"Target date": {"date": {"start": "2027-02-02"}}})
    syncd("run", "--once", cwd=filled)
    limits = "limits: {overwrites: {at_least: 0, share: 0%}}\n\npages:"
    change(filled / "roadmap.yaml", "\npages:", f"\n{limits}")
    world.edit_issue("Size advisor", duedate="2027-08-01")

    def data(*words):
        return syncd(*words, "--json", cwd=filled).data

    found = {name: data(*name.split()) for name in ("plan", "run --once", "apply", "status")}
    found["run"] = found.pop("run --once")
    found["approve --list"] = data("approve", "--list")
    found["approve"] = data("approve", found["approve --list"]["held"][0]["checksum"])
    found["history"] = data("history", "-n", "3")
    found["audit"] = data("audit")
    found["undo"] = data("undo", "1")
    found["conflicts list"] = data("conflicts", "list")
    found["conflicts show"] = data("conflicts", "show", found["conflicts list"][0]["id"])
    found["simulate"] = data("simulate", "--schedules", "2")
    found["state backup"] = data("state", "backup", "copy.db")
    found["state verify"] = data("state", "verify", "copy.db")
    found["state restore"] = data("state", "restore", "copy.db")
    found["state restored"] = data("state", "restored")
    return found


@pytest.mark.slow  # twenty commands, each a process
def test_what_is_printed_is_what_is_documented(members, printed):
    assert set(members) - set(printed) == {"adopt"}, "shown where a review is open: test_adopt.py"
    rows = {name: data[0] if isinstance(data, list) else data for name, data in printed.items()}
    differ = {name: sorted(set(row) ^ set(members[name])) for name, row in rows.items()}
    assert {name: names for name, names in differ.items() if names} == {}
