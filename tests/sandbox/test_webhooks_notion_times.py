"""Webhooks of the Notion stand-in: aggregation, attempts, what is kept."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import sys
from pathlib import Path

import pytest

from syncd.sandbox.webhooks import deliver

sys.path.insert(0, str(Path(__file__).parent))

from notionspace import NOW, TEXT, Workspace


@pytest.fixture
def space():
    return Workspace()


# aggregation


def test_events_are_aggregated_for_half_a_minute(space):
    space.subscribe(["page.properties_updated"])
    for number in range(3):
        space.ask("PATCH", f"pages/{space.row}", {"properties": {"Size": {"number": number}}})
        space.notion.clock.step(9)
    assert space.told(0) == []
    [body] = space.told(3)
    assert body["timestamp"] == "2026-09-21T14:13:38.000Z"
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"Size": {"number": 8}}})
    assert space.told(29) == []
    assert len(space.told(1)) == 1


def test_columns_and_blocks_of_aggregated_events_are_joined(space):
    space.subscribe(["page.properties_updated", "page.content_updated"])
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"Size": {"number": 1}}})
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"State": {"select": {"name": "a"}}}})
    blocks = [space.append(), space.append()]
    bodies = {body["type"]: body["data"] for body in space.told()}
    assert len(bodies["page.properties_updated"]["updated_properties"]) == 2
    told = [block["id"] for block in bodies["page.content_updated"]["updated_blocks"]]
    assert told == blocks


def test_a_change_while_a_delivery_is_under_way_is_told_by_the_next(space):
    space.subscribe(["page.properties_updated"])
    change = {"properties": {"Size": {"number": 1}}}
    space.ask("PATCH", f"pages/{space.row}", change)
    space.notion.clock.step(30)

    def receive(url, headers, body):
        if len(space.got) < 1:
            more = {"properties": {"State": {"select": {"name": "a"}}}}
            space.ask("PATCH", f"pages/{space.row}", more)
        return space.post(url, headers, body)

    space.notion.line.post = receive
    deliver(space.notion.publisher, space.notion.line)
    shown = space.ask("GET", f"data_sources/{space.source}")["properties"]
    [body] = space.told()
    assert body["data"]["updated_properties"] == [shown["State"]["id"]]


def test_the_other_side_of_a_relation_is_not_told_where_it_is_not_seen(space):
    made = space.ask("POST", "databases", {
        "parent": {"page_id": space.page},
        "initial_data_source": {"properties": {"Name": {"title": {}}}}})  # fmt: skip
    other = made["data_sources"][0]["id"]
    row = space.ask("POST", "pages", {"parent": {"data_source_id": other},
                                      "properties": {"Name": {"title": TEXT}}})["id"]  # fmt: skip
    relation = {"relation": {"data_source_id": other, "type": "dual_property", "dual_property": {}}}
    space.ask("PATCH", f"data_sources/{space.source}", {"properties": {"Blocks": relation}})
    space.ask(
        "PATCH", f"pages/{space.row}", {"properties": {"Blocks": {"relation": [{"id": row}]}}}
    )
    space.subscribe(["page.properties_updated"])
    space.notion.share(made["id"], shared=False)
    space.ask("PATCH", f"pages/{space.row}", {"properties": {"Blocks": {"relation": []}}})
    assert [body["entity"]["id"] for body in space.told()] == [space.row]


def test_comments_and_locks_are_sent_at_once(space):
    space.subscribe()
    space.ask("POST", "comments", {"parent": {"page_id": space.page}, "rich_text": TEXT})
    space.ask("PATCH", f"pages/{space.page}", {"is_locked": True})
    assert [body["type"] for body in space.told(0)] == ["comment.created", "page.locked"]


def test_what_was_made_and_deleted_within_the_window_was_never_there(space):
    space.subscribe(["page.created", "page.deleted", "page.properties_updated"])
    made = space.new_row()
    space.ask("PATCH", f"pages/{made}", {"properties": {"Size": {"number": 1}}})
    space.ask("PATCH", f"pages/{made}", {"in_trash": True})
    assert space.told() == []


def test_deleted_and_restored_within_the_window_is_nothing(space):
    space.subscribe(["page.deleted", "page.undeleted"])
    space.ask("PATCH", f"pages/{space.row}", {"in_trash": True})
    space.ask("PATCH", f"pages/{space.row}", {"in_trash": False})
    assert space.told() == []
    space.ask("PATCH", f"pages/{space.row}", {"in_trash": True})
    assert [body["type"] for body in space.told()] == ["page.deleted"]
    space.ask("PATCH", f"pages/{space.row}", {"in_trash": False})
    assert [body["type"] for body in space.told()] == ["page.undeleted"]


# attempts


def test_eight_attempts_the_last_one_a_day_after_the_event(space):
    _, token = space.subscribe(["comment.created"])
    space.status = 503
    space.ask("POST", "comments", {"parent": {"page_id": space.page}, "rich_text": TEXT})
    times = []
    for _minute in range(60 * 30):
        before = len(space.got)
        deliver(space.notion.publisher, space.notion.line)
        times += [space.notion.clock.now() - NOW] * (len(space.got) - before)
        space.notion.clock.step(60)
    numbers = [json.loads(body)["attempt_number"] for _u, _h, body in space.got]
    assert numbers == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len({json.loads(body)["id"] for _u, _h, body in space.got}) == 1
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert all(later > 1.8 * earlier for earlier, later in itertools.pairwise(pauses))
    assert 86_400 <= times[-1] <= 86_400 + 600
    for _url, headers, body in space.got:
        digest = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Notion-Signature"] == f"sha256={digest}"


def test_an_accepted_event_is_sent_once(space):
    space.subscribe(["comment.created"])
    space.status = 0
    space.ask("POST", "comments", {"parent": {"page_id": space.page}, "rich_text": TEXT})
    assert len(space.told(0)) == 1
    space.status = 204
    assert [body["attempt_number"] for body in space.told(3600)] == [2]
    assert space.told(86_400) == []


def test_subscriptions_and_what_waits_are_kept_with_the_state(space):
    space.subscribe(["page.created"])
    made = space.new_row()
    kept = space.notion.snapshot()
    assert len(space.told()) == 1
    other = Workspace()
    other.notion.restore(kept)
    assert [body["entity"]["id"] for body in other.told()] == [made]
    other.new_row()
    assert len(other.told()) == 1


def test_the_same_seed_tells_the_same_bytes():
    def run():
        space = Workspace()
        space.subscribe()
        space.new_row()
        space.append()
        space.told()
        return space.got

    assert run() == run()
