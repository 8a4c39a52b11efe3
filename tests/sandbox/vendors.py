"""The vendors' material beside the checkout, and what wire logs break of it.

`shared/wire/oracle.py` does the comparing: `check` with the vendors' API definitions, `shapes` with
recorded traffic. What real traffic breaks as well, and what recordings have by accident, is listed
here, each with its reason; everything else is a violation.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import jsonschema

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
ABSENT = f"the vendors' definitions and recordings are not at {WIRE}"
ADF = WIRE / "specs" / "adf_schema_full_atlaskit_57.7.22.json"
# What is known to break a definition, by the end of the line, each with its reason.
KNOWN = {
    r"items/\*/(from|to|fromString|toString): None is not of type 'string'":
        "Jira's definition calls these strings; the service sends null where nothing was or is",
    r"POST /rest/api/3/issue/bulk 400  errors: \{\} is not of type 'array'":
        "the definition tells of issues that cannot be made; this body holds no list of issues",
    r"GET /rest/api/3/attachment/(content|thumbnail)/\w+ 200  the body is not JSON":
        "it is the file itself",
    r"GET /status_updates/\{\w+\} 200  data: 'text' is a required property":
        "with opt_fields Asana answers the fields named, and no others",
    r"/v1/data_sources\S* 200  properties/(Where|Seal|\w+ \d+)/type: 'number' was expected":
        "Notion's definition takes columns (place, verification, ...) its answers do not know",
}  # fmt: skip
# Differences from the recordings' shapes that say nothing of the service, likewise.
ACCIDENTS = {
    r"lacks (properties\.(title|Name)|results\[\]\.properties\.\*)":
        "the recorded workspace's own properties",
    r"lacks parent\.(page_id|type)": "where the recorded pages and databases lie",
    r"lacks results\[\]\.bot": "the recorded workspace's first user is a bot",
    r"lacks (results\[\]\.)?archived":
        "most recordings are of version 2025-09-03; 2026-03-11 says in_trash alone",
    r"lacks results\[\]\.upload_url": "the recorded uploads all wait for their file",
    r"(fields\.(description|comment\.comments\[\]\.body)|body) is object, real traffic has string":
        "the recordings are of Jira's version 2; version 3 has documents where it has markup",
}  # fmt: skip


def findings(verb: str, service: str, log: Path) -> tuple[int, list[str]]:
    """Return how many answers of a log the oracle compared, and what it finds beyond what is known.

    `verb`: check or shapes.
    """
    command = [sys.executable, str(WIRE / "oracle.py"), verb, "--tool", service,
               "--log", str(log), "--strip-prefix", f"/{service}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    *lines, summary = done.stdout.splitlines()
    compared = sum(map(int, re.findall(r"(\d+) (?:ok|bad|exchanges)", summary)))
    known = re.compile(f".*({'|'.join(KNOWN if verb == 'check' else ACCIDENTS)})")
    return compared, [line.strip() for line in lines if not known.fullmatch(line)]


def adf_errors(rows: Iterable[dict]) -> tuple[int, dict[str, list[str]]]:
    """Return how many different Atlassian documents exchanges hold, and what is wrong with which."""
    schema = json.loads(ADF.read_text("utf8"))
    check = jsonschema.validators.validator_for(schema)(schema)
    found: dict[str, dict] = {}
    for row in rows:
        for text in (row["request"]["body"], row["response"].get("body_text")):
            if text and '"doc"' in text:
                found |= {json.dumps(each): each for each in documents(json.loads(text))}
    wrong = {
        text[:200]: [error.message[:200] for error in check.iter_errors(each)]
        for text, each in found.items()
    }
    return len(found), {text: errors for text, errors in wrong.items() if errors}


def documents(value: object) -> Iterator[dict]:
    """Yield the Atlassian documents in a JSON value."""
    if isinstance(value, dict):
        if value.get("type") == "doc" and "version" in value:
            yield value
        else:
            for item in value.values():
                yield from documents(item)
    elif isinstance(value, list):
        for item in value:
            yield from documents(item)
