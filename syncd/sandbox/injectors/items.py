"""Items as the three services keep them, for changes that people and other programs make to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.sandbox.injectors.stage import Json, Stage

HOLDERS = {"jira": "fields", "asana": "data", "notion": "properties"}


def find(stage: Stage) -> str:
    """Return the item that a rule is about: `item` (key, gid or page id), the struck one, or the first."""
    given = stage.option("item")
    if given:
        return str(given)
    last = stage.request.path.rstrip("/").rpartition("/")[2]
    stand_in = stage.stand_in
    if stage.service == "jira":
        found = stand_in.store.find_issue(last) or next(iter(stand_in.store.issues.values()))
        return str(found.key)
    if stage.service == "asana":
        tasks = stand_in.store.kinds["task"]
        return last if last in tasks else str(next(iter(tasks)))
    page = stand_in.app.store.page(last) if last else None
    return str(page.id if page is not None else first_source(stage).live.by_created[0][1])


def first_source(stage: Stage) -> Any:  # noqa: ANN401
    """Return a Notion data source: `data_source`, or the one with the most rows."""
    store = stage.stand_in.app.store
    name = stage.option("data_source")
    if name:
        return store.source(name)
    sources = (store.source(node) for node in store.nodes)
    found = [source for source in sources if source is not None]
    return max(found, key=lambda source: len(source.live))


def path_of(service: str, item: str) -> str:
    """Return the address of an item."""
    paths = {"jira": "/rest/api/3/issue/", "asana": "/api/1.0/tasks/", "notion": "/v1/pages/"}
    return paths[service] + item


def read(stage: Stage, item: str) -> dict[str, Json]:
    """Return the fields of an item as the service shows them."""
    path = path_of(stage.service, item)
    if stage.service == "asana":
        path += "?opt_fields=name,notes,html_notes,assignee,due_on,due_at,start_on,completed,custom_fields"
    shown = stage.ask("GET", path)
    fields: dict[str, Json] = shown[HOLDERS[stage.service]]
    return fields


def write(
    stage: Stage, item: str, fields: Mapping[str, Json], by: str | None = "Colleague"
) -> None:
    """Change fields of an item, as another account unless `by` is None."""
    method = "PATCH" if stage.service == "notion" else "PUT"
    body = {HOLDERS[stage.service]: dict(fields)}
    stage.ask(method, path_of(stage.service, item), body, by=by)


def held(stage: Stage, item: str, names: Mapping[str, Json]) -> dict[str, Json]:
    """Return the present values of some fields, in the form in which they can be written again."""
    shown = read(stage, item)
    if stage.service == "notion":
        by_id = {value["id"]: value for value in shown.values()}
        found = {name: shown.get(name) or by_id.get(name) for name in names}
        return {name: {v["type"]: v[v["type"]]} for name, v in found.items() if v}
    if stage.service == "asana" and "custom_fields" in names:
        asked = names["custom_fields"]
        values = {row["gid"]: _custom(row) for row in shown["custom_fields"] if row["gid"] in asked}
        shown = {**shown, "custom_fields": values}
    if "html_notes" in names:
        shown.pop("notes", None)
    return {name: writable(shown[name]) for name in names if name in shown}


def _custom(row: Json) -> Json:
    if row.get("enum_value"):
        return row["enum_value"]["gid"]
    if row.get("multi_enum_values"):
        return [value["gid"] for value in row["multi_enum_values"]]
    return row.get("text_value") or row.get("number_value")


def writable(value: Json) -> Json:
    """Return a value as it was read, reduced to what may be sent: ids of what it refers to."""
    if isinstance(value, list):
        return [writable(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "gid" in value:
        return value["gid"]
    for name in ("accountId", "id"):
        if name in value:
            return {name: value[name]}
    return value


def name_of(stage: Stage, item: str) -> str:
    """Return the title of an item."""
    shown = read(stage, item)
    if stage.service != "notion":
        return str(shown["summary" if stage.service == "jira" else "name"])
    title = next(value["title"] for value in shown.values() if value["type"] == "title")
    return "".join(part["plain_text"] for part in title)


def rename(stage: Stage, item: str, name: str, by: str | None = "Colleague") -> None:
    """Give an item another title."""
    fields: dict[str, Json] = {"summary" if stage.service == "jira" else "name": name}
    if stage.service == "notion":
        fields = {"title": {"title": [{"text": {"content": name}}]}}
    write(stage, item, fields, by)


def create(stage: Stage, name: str, by: str | None = "Colleague") -> None:
    """Make an item beside the first one."""
    stand_in = stage.stand_in
    if stage.service == "jira":
        like = stand_in.store.find_issue(find(stage))
        fields = {"project": {"id": str(like.project_id)}, "summary": name,
                  "issuetype": {"id": like.values["issuetype"]}}  # fmt: skip
        stage.ask("POST", "/rest/api/3/issue", {"fields": fields}, by=by)
    elif stage.service == "asana":
        project = str(next(iter(stand_in.store.kinds["project"])))
        stage.ask("POST", "/api/1.0/tasks", {"data": {"name": name, "projects": [project]}}, by=by)
    else:
        title = {"title": {"title": [{"text": {"content": name}}]}}
        parent = {"data_source_id": first_source(stage).id}
        stage.ask("POST", "/v1/pages", {"parent": parent, "properties": title}, by=by)


def every(stage: Stage) -> list[str]:
    """Return all items, oldest first."""
    stand_in = stage.stand_in
    if stage.service == "jira":
        return [issue.key for issue in stand_in.store.issues.values()]
    if stage.service == "asana":
        return list(stand_in.store.kinds["task"])
    return [page for _created, page in first_source(stage).live.by_created]


def number_field(stage: Stage, item: str) -> str | None:
    """Return a number field of an item by id or name: `field`, else the first; None without one."""
    wanted = stage.option("field")
    if stage.service == "jira":
        found = [(f.id, f.name) for f in stage.stand_in.store.fields.values()
                 if f.custom and f.kind == "number"]  # fmt: skip
    elif stage.service == "asana":
        rows = read(stage, item)["custom_fields"]
        found = [(row["gid"], row["name"]) for row in rows if row["type"] == "number"]
    else:
        rows = read(stage, item).items()
        found = [(value["id"], name) for name, value in rows if value["type"] == "number"]
    return next((i for i, name in found if wanted in (None, i, name)), None)
