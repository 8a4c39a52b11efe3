"""Recorded single requests to Notion sent again to a workspace made to match what they presuppose."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from recorded_workspace import VERSION, Workspace
from replay import ABSENT, RECORDED, Shape, answer_of, differences, rows
from test_recorded_notion import kind, replayed, sentence

PAIRS = "notion_hkob_pairs.jsonl.gz"
pytestmark = pytest.mark.skipif(not (RECORDED / PAIRS).exists(), reason=ABSENT)
# The recordings are older than the definition, which has these members; the service adds them now.
NEWER = re.compile(r"adds \$.*\.(in_trash|request_id|display_name|is_archived|icon|complete_url"
                   r"|is_locked|archived|file_import_result|additional_data|workspace_id|email_verified|description"
                   r"|public_url|parent\.database_id|data_source_id|has_more)")  # fmt: skip
# What the recorded workspace alone has.
OWN = re.compile(
    # published pages, people's pictures, prefixes of ids; what hangs on who or what made something
    r"\$.*\.(public_url|avatar_url|prefix): null, recorded string"
    r"|(adds|lacks) .*_by\.(person|bot)(\.\w+)?|\$\.(icon|cover): null, recorded object"
    # columns the recorded table had at another time than that of the exchange
    r"|adds \$\.properties\.[^.\[]+|(lacks|adds) \$\.properties\.[^.\[]+\.relation\.(dual|single)_property"
    # the title column of a table that is shown nowhere
    r"|lacks \$\.properties\.名前"
    # files that the service keeps itself, where ours are elsewhere; an icon changed meanwhile
    r"|(lacks|adds) .*\.(file|external)|(lacks|adds) \$\.callout\.icon\.emoji"
)
# Exchanges that cannot be sent again, by the recorded name, each with its reason.
NOT_SENT = {
    "retrieve_database_(button|status)|update_database_created":
        "recorded in a version before data sources, which the stand-in does not speak",
    "upload_file_.*": "the files sent are not in the recording; sessions hold others",
}  # fmt: skip


def order(row: dict) -> tuple:
    """Return the place of an exchange: what shows things comes before what presupposes them."""
    asked, (_status, answer) = row["request"], answer_of(row)
    first = ("/users/", "/file_uploads/", "/data_sources/", "/pages/", "/databases/")
    place = next((n for n, part in enumerate(first) if part in asked["url"]), len(first))
    simple = asked["url"].count("/") == first[0].count("/") + 3
    reads = asked["method"] == "GET" or urlsplit(asked["url"]).path.endswith("/query")
    later = 0 if reads else 20 if asked["method"] == "DELETE" else 10
    # What completes an upload comes first, for what it names is made again, without parts, later.
    place = -1 if asked["url"].endswith("/complete") else place + later + 5 * (not simple)
    paged = "start_cursor" in f"{asked['url']}{asked['body']}"
    return place, answer.get("last_edited_time", ""), paged + ("_last_" in row["name"])


def compare(world: Workspace, row: dict) -> list[str]:
    """Send one recorded request; return what differs."""
    expected, theirs = answer_of(row)
    if expected == 200:
        world.prepare(row)
    version = row["request"]["headers"].get("Notion-Version", VERSION)
    status, body = world.send(row["request"], version)
    if status != expected:
        return [f"{status} {body}"]
    if theirs.get("object") != "list":
        world.learn(theirs, body)
    world.follow(theirs, body)
    found = [
        line
        for line in differences(Shape([theirs]), Shape([body]))
        if not NEWER.fullmatch(line) and not OWN.fullmatch(line)
    ]
    if sentence(theirs, world.ids) != sentence(body, world.ids):
        found.append(f"says {sentence(body, {})}, recorded {sentence(theirs, {})}")
    return found


def kind_of_pair(row: dict) -> str:
    """Return the kind of an exchange, alike for all properties."""
    return re.sub(r"/properties/\S+", "/properties/{id}", kind(row))


@pytest.fixture(scope="module")
def compared() -> dict[str, tuple[str, list[str]]]:
    """Return kind and differences of each exchange, by its name in the recording."""
    recorded = rows(PAIRS)
    world = Workspace(recorded)
    found = {}
    for row in sorted(recorded, key=order):
        if not any(re.fullmatch(pattern, row["name"]) for pattern in NOT_SENT):
            found[row["name"]] = kind_of_pair(row), compare(world, row)
    return found


def test_recorded_requests_are_answered_alike(compared, record_property):
    wrong = {name: lines for name, (_kind, lines) in compared.items() if lines}
    figure = f"{len(compared) - len(wrong)} of {len(compared)} sent, {len(rows(PAIRS))} recorded"
    record_property("notion: recorded pairs that agree (the others are listed)", figure)
    assert wrong == {}
    assert len(compared) > 0.97 * len(rows(PAIRS))


def test_every_kind_agrees_in_every_exchange(compared, record_property):
    """Of both recordings: a kind agrees only if each of its exchanges does."""
    found = [*compared.values(), *replayed().items()]
    kinds = {kind_of_pair(row) for row in rows(PAIRS)} | {kind for kind, _lines in found}
    sent = {kind for kind, _lines in found}
    agreeing = sent - {kind for kind, lines in found if lines}
    figure = f"{len(agreeing)} of {len(kinds)}, {len(kinds - sent)} not sent"
    record_property("notion: kinds of recorded exchanges that agree", figure)
    assert len(kinds) > 50
    assert len(agreeing) >= 0.95 * len(kinds), sorted(kinds - agreeing)


def test_the_list_of_what_is_not_sent_is_needed():
    names = [row["name"] for row in rows(PAIRS)]
    assert [p for p in NOT_SENT if not any(re.fullmatch(p, name) for name in names)] == []
