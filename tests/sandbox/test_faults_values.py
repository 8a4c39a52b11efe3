"""Faults of values, by id: unknown nodes, edge dates, odd numbers, hidden people, huge and hostile texts."""

from __future__ import annotations

import json
import math
import re

import pytest

from syncd.sandbox.injectors.values import HOSTILE

SERVICES = ["jira", "asana", "notion"]


def paths(lab):
    return {"jira": "/issue/WEB-1", "asana": f"/tasks/{lab.task}", "notion": f"/pages/{lab.page}"}


def strike(lab, service, **rule):
    """Switch a fault on and send one request that it strikes."""
    lab.fault(service=service, **rule)
    assert lab.ask(service, "GET", "/users/me")[0] in {200, 404}
    return lab.truth(service, paths(lab)[service])[1]


ADDRESS = "see https://a.example/b now"


def test_v1_addresses_become_links(lab):
    lab.fault(id="V1", variant="links")
    words = {"type": "paragraph", "content": [{"type": "text", "text": ADDRESS}]}
    document = {"type": "doc", "version": 1, "content": [words]}
    lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"description": document}})
    runs = lab.truth("jira", "/issue/WEB-1")[1]["fields"]["description"]["content"][0]["content"]
    link = [{"type": "link", "attrs": {"href": "https://a.example/b"}}]
    assert [(run["text"], run.get("marks")) for run in runs] == [
        ("see ", None), ("https://a.example/b", link), (" now", None)]  # fmt: skip
    data = {"html_notes": f"<body>{ADDRESS}</body>"}
    lab.ask("asana", "PUT", f"/tasks/{lab.task}", {"data": data})
    notes = lab.truth("asana", f"/tasks/{lab.task}?opt_fields=html_notes")[1]["data"]["html_notes"]
    assert '<a href="https://a.example/b">https://a.example/b</a> now' in notes
    block = {"paragraph": {"rich_text": [{"text": {"content": ADDRESS}}]}}
    made = lab.ask("notion", "PATCH", f"/blocks/{lab.page}/children", {"children": [block]})[1]
    runs = made["results"][0]["paragraph"]["rich_text"]
    assert [run["href"] for run in runs] == [None, "https://a.example/b", None]
    assert "".join(run["plain_text"] for run in runs) == ADDRESS


def test_v1_texts_without_addresses_stay_as_they_are(lab):
    lab.fault(id="V1", variant="links")
    for service in SERVICES:
        lab.rename(service, "a plain name")
        assert lab.name(service) == "a plain name"


@pytest.mark.parametrize("service", SERVICES)
def test_v1_and_v2_by_name(lab, service):
    lab.fault(id="V1", variant="tidied")
    lab.rename(service, " a  b ")
    assert lab.name(service) == "a b"
    lab.fault()
    lab.rename(service, "a\u200bb\u00a0c e\u0301")
    shown = lambda: json.dumps(lab.ask(service, "GET", paths(lab)[service])[1], ensure_ascii=False)  # noqa: E731
    assert "a\u200bb" in shown()
    lab.fault(id="V2", variant="invisible")
    assert "ab c e\u0301" in shown()
    lab.fault(id="V2", variant="composed")
    assert "\u00e9" in shown()


def test_v4_nodes_are_really_written(lab):
    document = strike(lab, "jira", id="V4", variant="written")["fields"]["description"]
    kinds = [node["type"] for node in document["content"][0]["content"]]
    assert kinds == ["mention", "emoji", "inlineCard"]
    assert document["content"][1]["type"] == "extension"
    strike(lab, "asana", id="V4", variant="written")
    task = lab.truth("asana", f"/tasks/{lab.task}?opt_fields=html_notes")[1]["data"]
    assert "data-asana-gid" in task["html_notes"]
    strike(lab, "notion", id="V4", variant="written")
    blocks = lab.truth("notion", f"/blocks/{lab.page}/children")[1]["results"]
    assert [block["type"] for block in blocks[-2:]] == ["callout", "table_of_contents"]
    runs = blocks[-2]["callout"]["rich_text"]
    assert [run["type"] for run in runs] == ["mention", "equation"]


def test_v4_a_node_that_nobody_knows(lab):
    words = {"type": "paragraph", "content": [{"type": "text", "text": "words"}]}
    document = {"type": "doc", "version": 1, "content": [words]}
    lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"description": document}})
    lab.fault(id="V4", variant="unknown")
    shown = lab.ask("jira", "GET", "/issue/WEB-1")[1]["fields"]["description"]["content"]
    assert [node["type"] for node in shown] == ["paragraph", "futureNode"]
    task = lab.ask("asana", "GET", f"/tasks/{lab.task}", opt_fields="html_notes")[1]["data"]
    assert "<future>" in task["html_notes"]
    rows = lab.ask("notion", "GET", f"/blocks/{lab.page}/children")[1]["results"]
    assert rows[-1]["type"] == "future_block"
    assert lab.truth("jira", "/issue/WEB-1")[1]["fields"]["description"] == document


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("variant", "day"), [("leap", "2028-02-29"), ("2038", "2038-01-20"), ("9999", "9999-12-31")]
)
def test_v5_days_at_the_edges(lab, service, variant, day):
    held = strike(lab, service, id="V5", variant=variant)
    if service == "notion":
        dates = [v["date"]["start"] for v in held["properties"].values() if v.get("date")]
        assert day in dates
    else:
        assert day in (held.get("fields", {}).get("duedate"), held.get("data", {}).get("due_on"))


@pytest.mark.parametrize(
    ("variant", "moment", "start"),
    [("time", "2027-03-02T04:30:00.000Z", "2027-03-01T23:30:00.000-05:00"),
     ("gap", "2027-03-28T01:00:00.000Z", "2027-03-28T0"),
     ("overlap", "2027-10-31T01:30:00.000Z", "2027-10-31T02:30:00.000"),
     ("zone", "2027-05-31T10:30:00.000Z", "2027-06-01T00:30:00.000+14:00")],
)  # fmt: skip
def test_v5_moments_at_the_edges(lab, variant, moment, start):
    assert strike(lab, "asana", id="V5", variant=variant)["data"]["due_at"] == moment
    field = {"with": {"field": "Target date"}}
    held = strike(lab, "notion", id="V5", variant=variant, **field)["properties"]
    assert held["Target date"]["date"]["start"].startswith(start)
    with pytest.raises(ValueError, match="is a fault of asana, notion, not of jira"):
        lab.fault(id="V5", variant=variant, service="jira")


def numbers(lab, service):
    body = lab.ask(service, "GET", paths(lab)[service])[1]
    if service == "jira":
        return [v for k, v in body["fields"].items() if k.startswith("customfield_")]
    if service == "asana":
        return [row.get("number_value") for row in body["data"]["custom_fields"]]
    return [v["number"] for v in body["properties"].values() if v["type"] == "number"]


def test_v6_float_noise_and_minus_zero(lab):
    strike(lab, "notion", id="V6", variant="float")
    assert 0.1 + 0.2 in numbers(lab, "notion")
    strike(lab, "jira", id="V6", variant="float", **{"with": {"field": "Story Points"}})
    assert any(isinstance(n, float) and math.isclose(n, 0.3) for n in numbers(lab, "jira"))
    strike(lab, "asana", id="V6", variant="float")
    assert any(n is not None and math.isclose(n, 0.3, abs_tol=0.3) for n in numbers(lab, "asana"))
    strike(lab, "notion", id="V6", variant="huge")
    assert 1e21 in numbers(lab, "notion")
    for service in SERVICES:
        strike(lab, service, id="V6", variant="zero")
        assert 0 in numbers(lab, service)


@pytest.mark.parametrize("service", SERVICES)
def test_v6_numbers_come_as_text(lab, service):
    strike(lab, service, id="V6", variant="zero")
    lab.fault(id="V6", variant="text")
    assert [n for n in numbers(lab, service) if n in ("0,0", "-0,0")]


@pytest.mark.parametrize("service", SERVICES)
def test_v9_a_person_is_renamed_and_addresses_are_hidden(lab, service):
    path = {"jira": "/users/search", "asana": "/users?opt_fields=name,email", "notion": "/users"}
    before = json.dumps(lab.ask(service, "GET", path[service])[1])
    assert "@" in before
    lab.fault(id="V9", variant="renamed", service=service)
    assert json.dumps(lab.ask(service, "GET", path[service])[1]).count("(renamed)") == 1
    lab.fault(id="V9", variant="hidden", service=service)
    shown = json.dumps(lab.ask(service, "GET", path[service])[1])
    assert not re.findall(r'"email(?:Address)?": ', shown)


def test_v10_a_description_of_a_megabyte(lab):
    words = {"type": "paragraph", "content": [{"type": "text", "text": "words"}]}
    document = {"type": "doc", "version": 1, "content": [words]}
    lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {"description": document}})
    lab.fault(id="V10", variant="description")
    for service in SERVICES:
        if service == "notion":
            text = {"Syncd ID": {"rich_text": [{"text": {"content": "m-1"}}]}}
            lab.ask("notion", "PATCH", f"/pages/{lab.page}", {"properties": text})
        size = len(lab.raw(service, "GET", paths(lab)[service]).body)
        assert 1_000_000 <= size < 5_000_000, service


@pytest.mark.parametrize("service", SERVICES)
def test_v10_many_children_and_a_long_comment(lab, service):
    strike(lab, service, id="V10", variant="children", **{"with": {"number": 120}})
    path = {"asana": f"/tasks/{lab.task}/subtasks?limit=100",
            "notion": f"/blocks/{lab.page}/children?page_size=100"}  # fmt: skip
    if service == "jira":
        parent = lab.sandbox.jira.store.find_issue("WEB-1").id
        issues = lab.sandbox.jira.store.issues.values()
        assert sum(i.values.get("parent") == parent for i in issues) >= 120
    else:
        body = lab.truth(service, path[service])[1]
        assert len(body.get("data") or body.get("results")) == 100
        assert body.get("next_page") or body.get("next_cursor")
    strike(lab, service, id="V10", variant="comment")
    path = {"jira": "/issue/WEB-1/comment", "asana": f"/tasks/{lab.task}/stories",
            "notion": f"/comments?block_id={lab.page}"}  # fmt: skip
    assert json.dumps(lab.truth(service, path[service])[1]).count("comment ") >= 3_900


def test_v10_five_hundred_labels(lab):
    held = strike(lab, "jira", id="V10", variant="labels")
    assert len(held["fields"]["labels"]) == 500


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("variant", ["html", "template", "query", "ansi", "formula"])
def test_v11_hostile_titles(lab, service, variant):
    strike(lab, service, id="V11", variant=variant)
    assert lab.name(service) == HOSTILE[variant]
