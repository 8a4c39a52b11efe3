"""States recorded by each released schema: opened by this syncd, nothing is lost and nothing is written.

A new schema needs a recording of its own, made once, by the version that brings it:
`./dev python tests/unit/test_state_recorded.py`
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from state import backup, store
from state.tables import SCHEMA
from syncd.core.records import Record
from syncd.testing.crashworlds import SCENARIOS
from syncd.testing.world import TOOLS, World

RECORDED = Path(__file__).parents[1] / "recorded"
IN_STEP = next(s for s in SCENARIOS if s.name == "one edit in each owner")


def recording(schema):
    return RECORDED / f"schema-{schema}.json.gz"


def record(folder):
    """Record a state of the present schema, with a conflict and history, and what its tools hold."""
    path = folder / "state.db"
    world = World(path=path)
    IN_STEP.prepare(world)
    IN_STEP.act(world)
    world.cycle()
    for tool, day in (("jira", "2027-02-02"), ("notion", "2027-03-03")):
        world.tools[tool].edit(world.record("Find", tool).id, due=day)
    while world.cycle().writes:
        pass
    world.store.close()
    with closing(sqlite3.connect(path)) as driver:
        lines = [f"PRAGMA {n} = {driver.execute(f'PRAGMA {n}').fetchone()[0]};"
                 for n in ("application_id", "user_version")]  # fmt: skip
        lines += list(driver.iterdump())
    tools = {name: [asdict(r) for r in tool.records.values()] for name, tool in world.tools.items()}
    data = {"state": "\n".join(lines), "tools": tools, "touched": {
        name: tool.touched for name, tool in world.tools.items()}}  # fmt: skip
    text = json.dumps(data, default=sorted)
    recording(SCHEMA).write_bytes(gzip.compress(text.encode(), mtime=0))


def played(schema, path):
    """Return a world as it was recorded, over a state file of that schema."""
    data = json.loads(gzip.decompress(recording(schema).read_bytes()))
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        driver.executescript(data["state"])
    world = World(path=path)
    for name in TOOLS:
        tool = world.tools[name]
        tool.touched = data["touched"][name]
        for each in data["tools"][name]:
            fields = {n: tuple(v) if isinstance(v, list) else v for n, v in each["fields"].items()}
            whole = {**each, "fields": fields, "opaque": frozenset(each["opaque"])}
            tool.records[each["id"]] = Record(**whole)
            tool.born[each["id"]] = 0.0
    return world


def test_every_schema_has_its_recording():
    assert {f"schema-{n}.json.gz" for n in range(1, SCHEMA + 1)} == {
        file.name for file in RECORDED.iterdir()
    }


@pytest.mark.parametrize("schema", range(1, SCHEMA + 1))
def test_a_recorded_state_is_taken_up_and_nothing_is_written(tmp_path, schema):
    path = tmp_path / "state.db"
    world = played(schema, path)
    assert world.item("Find").fields["estimate"] == 8.0
    assert len(world.items()) == 6
    assert {claim.value for claim in world.store.conflicts()[0].claims} == {
        "2027-02-02", "2027-03-03",
    }  # fmt: skip
    assert len(world.store.history(limit=1000)) > 30
    for full in (False, True, False):
        assert world.cycle(full=full).writes == 0
    assert world.differences() == []
    world.store.close()
    assert backup.verify(path).schema == SCHEMA
    store.open(path).close()


if __name__ == "__main__":
    import tempfile

    RECORDED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        record(Path(place))
    sys.stdout.write(f"{recording(SCHEMA)}\n")
