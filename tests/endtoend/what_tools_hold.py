"""What a person could see in the three tools, as plain data: read through their APIs, without ids and times."""

from __future__ import annotations

import re
from typing import Any

from syncd.sandbox.seeds.caller import asana_caller, jira_caller, notion_caller

Json = Any

_TASK = (
    "name,notes,completed,due_on,start_on,assignee.name,memberships.project.name,"
    "memberships.section.name,parent.name,custom_fields.name,custom_fields.display_value"
)
_ISSUE = ["summary", "status", "assignee", "duedate", "labels", "priority", "parent", "description"]
MARKER = "Syncd ID"
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC")


def what_tools_hold(sandbox: Any) -> dict[str, list[Json]]:
    """Return the content of each tool, sorted, and beside it (`markers`) every marker."""
    markers: dict[str, list[str]] = {"jira": [], "asana": [], "notion": []}
    holds = {
        "jira": _issues(jira_caller(sandbox.jira, sandbox.jira.email, sandbox.jira.token)),
        "asana": _tasks(
            asana_caller(sandbox.asana, sandbox.asana.token),
            sandbox.asana.workspace,
            markers["asana"],
        ),
        "notion": _notion(notion_caller(sandbox.notion, sandbox.notion.token), markers["notion"]),
    }
    return {**{name: sorted(map(str, each)) for name, each in holds.items()}, "markers": markers}


def _issues(call: Any) -> list[Json]:
    found, token = [], None
    while True:
        body = {"jql": "created > 0 ORDER BY key", "maxResults": 1000, "fields": _ISSUE}
        page = call(
            "POST",
            "/rest/api/3/search/jql",
            {**body, **({"nextPageToken": token} if token else {})},
        )
        for issue in page["issues"]:
            fields = issue["fields"]
            named = {n: (fields[n] or {}).get("name") for n in ("status", "priority")}
            who = (fields["assignee"] or {}).get("displayName")
            parent = (fields.get("parent") or {}).get("key")
            rest = {n: fields[n] for n in ("summary", "duedate", "labels", "description")}
            found.append({"key": issue["key"], **rest, **named, "who": who, "parent": parent})
        token = page.get("nextPageToken")
        if not token:
            return found


def _tasks(call: Any, workspace: str, markers: list[str]) -> list[Json]:
    found = []
    for project in call("GET", f"/api/1.0/workspaces/{workspace}/projects")["data"]:
        path = f"/api/1.0/projects/{project['gid']}/tasks?limit=100&opt_fields={_TASK}"
        for task in call("GET", path)["data"]:
            custom = {f["name"]: f["display_value"] for f in task["custom_fields"]}
            marker = custom.pop(MARKER, None)
            if marker:
                markers.append(marker)
            task.pop("gid")
            places = [(m["project"]["name"], m["section"]["name"]) for m in task["memberships"]]
            who = (task["assignee"] or {}).get("name")
            plain = {k: task[k] for k in ("name", "notes", "completed", "due_on", "start_on")}
            found.append({**plain, "who": who, "places": places, **custom})
    return found


def _notion(call: Any, markers: list[str]) -> list[Json]:
    found, titles, token = [], {}, None
    while True:
        page = call("POST", "/v1/search", {"start_cursor": token} if token else {})
        found += [each for each in page["results"] if each["object"] == "page"]
        token = page.get("next_cursor")
        if not token:
            break
    for row in found:
        titles[row["id"]] = _title(row)
    rows = []
    for row in found:
        shown = {n: _shown(p, titles) for n, p in row["properties"].items()}
        marker = shown.pop(MARKER, None)
        if marker:
            markers.append(marker)
        rows.append({"title": titles[row["id"]], "trash": row.get("in_trash"), **shown})
        if row["parent"]["type"] != "data_source_id":
            rows.append({"page": titles[row["id"]], "blocks": _blocks(call, row["id"])})
    return rows


def _title(row: Json) -> str:
    prop = next(p for p in row["properties"].values() if p["type"] == "title")
    return "".join(t["plain_text"] for t in prop["title"])


def _shown(prop: Json, titles: dict[str, str]) -> Json:
    value = prop[prop["type"]]
    match prop["type"]:
        case "title" | "rich_text":
            return "".join(t["plain_text"] for t in value)
        case "relation":
            return sorted(titles.get(each["id"], each["id"]) for each in value)
        case "people":
            return [person["name"] for person in value]
        case "select" | "status":
            return value and value["name"]
        case "multi_select":
            return sorted(each["name"] for each in value)
        case "created_time" | "last_edited_time" | "created_by" | "last_edited_by" | "unique_id":
            return None
        case _:
            return value


def _blocks(call: Any, parent: str) -> list[Json]:
    """Return type and text of every block below, depth first; times of day are left out."""
    result: list[Json] = []
    for block in call("GET", f"/v1/blocks/{parent}/children?page_size=100")["results"]:
        content = block[block["type"]]
        text = "".join(t["plain_text"] for t in content.get("rich_text", ()))
        cells = [["".join(t["plain_text"] for t in c) for c in content.get("cells", ())]]
        result.append([block["type"], _MOMENT.sub("(moment)", text), cells])
        if block["has_children"] and block["type"] != "child_page":
            result.append(_blocks(call, block["id"]))
    return result
