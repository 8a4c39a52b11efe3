"""What the stand-ins answered during the test runs before this one, held against the vendors.

Not collected by itself: `./dev truth` runs it last. `wiretap.py` writes the logs in `./dev test` and
`./dev truth`, so they have what the stand-ins answered in every test that runs them in its own
process, to good requests and malformed ones alike. Not in them:

- what a fault does to an answer on its way, which is broken on purpose;
- the fuzzer's requests, which are held against the definitions by their own test;
- the few tests that start a sandbox as a program of its own;
- of exchanges that are alike all but the first few.

Answers in Notion's older version, of which there is no definition, are held against recordings alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

import sandbox_table
from replay import parsed
from vendors import ABSENT, WIRE, adf_errors, findings

LOGS = Path(__file__).parents[2] / ".wire"  # written by ./dev test and ./dev truth
PARTIAL = {"object", "id", "properties", "request_id"}
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not WIRE.exists(), reason=ABSENT),
    pytest.mark.skipif(
        not any(LOGS.glob("test/*.jsonl")), reason=f"no logs at {LOGS}: run ./dev test first"
    ),
]


def rows(name: str) -> Iterator[dict]:
    """Yield the exchanges of a log, of all processes of all runs."""
    for path in sorted(LOGS.glob(f"*/{name}.*.jsonl")):
        with path.open(encoding="utf8") as lines:
            yield from map(json.loads, lines)


def written(path: Path, exchanges: Iterator[dict]) -> Path:
    """Write exchanges to a file."""
    with path.open("w", encoding="utf8") as file:
        file.writelines(json.dumps(row) + "\n" for row in exchanges)
    return path


def whole(row: dict) -> bool:
    """Tell whether an answer is whole, as recorded ones are."""
    address, body = urlsplit(row["request"]["url"]), parsed(row["response"].get("body_text"))
    shown = body.get("results", [body]) if isinstance(body, dict) else []
    objects = [each for each in shown if isinstance(each, dict)]
    return not (
        # the request said which fields, or which levels, it wanted
        "fields" in address.query
        or address.path.endswith("/issue/createmeta")
        # a token that may write in Notion but not read is told what a thing is and its id
        or any(each.keys() <= PARTIAL for each in objects)
        or one_sided(objects)
    )


def one_sided(objects: list[dict]) -> bool:
    """Tell whether users are bots only, for a token that may not see people, or people only.

    A token of a person answers for that person at `users/me`; Notion itself gives tokens to bots.
    """
    return len({each.get("type") for each in objects if each.get("object") == "user"}) == 1


@pytest.mark.parametrize("service", ["jira", "asana", "notion"])
def test_every_answer_fits_the_definition(tmp_path, service, record_property):
    log = written(tmp_path / "log.jsonl", rows(service))
    compared, violations = findings("check", service, log)
    record_property(f"{service}: answers of all tests held against the definition", compared)
    assert violations == []
    assert compared > 400


@pytest.mark.parametrize("log", ["jira", "notion", "notion-older"])
def test_answers_have_the_shapes_of_recorded_ones(tmp_path, log, record_property):
    path = written(tmp_path / "log.jsonl", filter(whole, rows(log)))
    compared, violations = findings("shapes", log.partition("-")[0], path)
    record_property(f"{log}: answers of all tests held against recorded shapes", compared)
    assert violations == []
    assert compared > 50


def test_every_document_is_valid_adf(record_property):
    count, wrong = adf_errors(row for row in rows("jira") if row["response"]["status"] < 300)
    record_property("jira: different documents held against the ADF schema", count)
    assert wrong == {}
    assert count > 30


@pytest.mark.parametrize("service", ["Jira", "Asana", "Notion"])
def test_every_operation_built_is_in_the_logs(service, record_property):
    asked = {
        (row["request"]["method"], urlsplit(row["request"]["url"]).path.rstrip("/"))
        for row in rows(service.lower())
    }
    built = set(sandbox_table.operations()[service])
    missing = sorted(f"{m} {path}" for m, path in built if not _visited(m, path, asked))
    record_property(f"{service}: operations built that a test uses",
                    f"{len(built) - len(missing)} of {len(built)}")  # fmt: skip
    assert missing == []


def _visited(method: str, template: str, asked: set[tuple[str, str]]) -> bool:
    pattern = re.compile(".*" + re.sub(r"\{\w+\}", "[^/]+", template).rstrip("/"))
    return any(verb == method and pattern.fullmatch(path) for verb, path in asked)
