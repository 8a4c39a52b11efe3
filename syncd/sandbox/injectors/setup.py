"""Changes of set-up beyond one name: fields retyped, steps that want a comment, archives, copies, cycles."""

from __future__ import annotations

import re
from typing import Any

from syncd.sandbox.injectors.changes import before
from syncd.sandbox.injectors.items import first_source
from syncd.sandbox.injectors.stage import Action, Json, Stage, answered, loaded
from syncd.sandbox.wire import Response, json_response

_TRANSITIONS = re.compile(r"/issue/[^/]+/transitions$")


def retype_field(stage: Stage) -> None:
    """Make a field (`field` by id or name, or the first number field) a text field.

    Notion keeps the property's id; in Jira and Asana, which change no field's type, the field is deleted
    and a new one takes its name.
    """
    wanted = stage.option("field")
    if stage.service == "jira":
        _retype_in_jira(stage, wanted)
    elif stage.service == "asana":
        _retype_in_asana(stage, wanted)
    else:
        source = first_source(stage)
        prop = next(p for p in source.properties.values()
                    if (wanted is None and p.type == "number") or wanted in (p.id, p.name))  # fmt: skip
        change: Json = {"properties": {prop.id: {"rich_text": {}}}}
        stage.ask("PATCH", f"/v1/data_sources/{source.id}", change)


def _retype_in_jira(stage: Stage, wanted: str | None) -> None:
    store = stage.stand_in.store
    found = next(f for f in store.fields.values() if f.custom
                 and ((wanted is None and f.kind == "number") or wanted in (f.id, f.name)))  # fmt: skip
    del store.fields[found.id]
    store.setup += 1
    prefix = "com.atlassian.jira.plugin.system.customfieldtypes:"
    made = {
        "name": found.name,
        "type": f"{prefix}textfield",
        "searcherKey": f"{prefix}textsearcher",
    }
    stage.ask("POST", "/rest/api/3/field", made)


def _retype_in_asana(stage: Stage, wanted: str | None) -> None:
    store = stage.stand_in.store
    fields = [store.objects[gid] for gid in store.kinds.get("custom_field", ())]
    field = next(f for f in fields if (wanted is None and f.subtype == "number")
                 or wanted in (f.gid, f.name))  # fmt: skip
    held = [store.objects[gid] for gid in store.kinds.get("custom_field_setting", ())]
    projects = [setting.parent for setting in held if setting.field == field.gid]
    workspace, name = field.workspace, field.name
    stage.ask("DELETE", f"/api/1.0/custom_fields/{field.gid}")
    new = {"workspace": workspace, "name": name, "resource_subtype": "text"}
    gid = stage.ask("POST", "/api/1.0/custom_fields", {"data": new})["data"]["gid"]
    for project in projects:
        path = f"/api/1.0/projects/{project}/addCustomFieldSetting"
        stage.ask("POST", path, {"data": {"custom_field": gid}})


def field_gone(stage: Stage) -> Response:
    """Leave a field (`field`) out of every answer, as when the vendor has removed it."""
    names = {"jira": "reporter", "asana": "modified_at", "notion": "created_by"}
    name = str(stage.option("field") or names[stage.service])
    answer = stage.go_on()
    body = loaded(answer.body)
    return answered(answer, _without(body, name)) if body else answer


def _without(value: Json, name: str) -> Json:
    if isinstance(value, list):
        return [_without(each, name) for each in value]
    if isinstance(value, dict):
        return {key: _without(each, name) for key, each in value.items() if key != name}
    return value


def comment_required(stage: Stage) -> Response:
    """Refuse a step of the workflow that comes without a comment."""
    request = stage.request
    if request.method != "POST" or _TRANSITIONS.search(request.path) is None:
        return stage.go_on()
    if (stage.sent().get("update") or {}).get("comment"):
        return stage.go_on()
    return json_response({"errorMessages": [], "errors": {"comment": "Comment is required."}}, 400)


def archive(stage: Stage) -> None:
    """Archive a project (Jira, Asana): `container`, or the first."""
    name, store = stage.option("container"), stage.stand_in.store
    if stage.service == "jira":
        key = name or next(iter(store.projects.values())).key
        stage.ask("POST", f"/rest/api/3/project/{key}/archive")
    else:
        gid = name or next(iter(store.kinds["project"]))
        stage.ask("PUT", f"/api/1.0/projects/{gid}", {"data": {"archived": True}})


def duplicate(stage: Stage) -> None:
    """Duplicate a Notion database: same title, same properties, copies of the rows' plain values."""
    source = first_source(stage)
    old = stage.ask("GET", f"/v1/databases/{source.parent[1]}")
    shown = stage.ask("GET", f"/v1/data_sources/{source.id}")
    schema = {name: {prop["type"]: _config(prop)} for name, prop in shown["properties"].items()
              if prop["type"] in _PLAIN}  # fmt: skip
    made = stage.ask("POST", "/v1/databases", {
        "parent": _place(old["parent"]), "title": _texts(old["title"]),
        "initial_data_source": {"properties": schema}})  # fmt: skip
    parent = {"data_source_id": made["data_sources"][0]["id"]}
    for _created, identifier in list(source.live.by_created):
        page = stage.ask("GET", f"/v1/pages/{identifier}")
        values = {name: {value["type"]: value[value["type"]]}
                  for name, value in page["properties"].items() if value["type"] in _COPIED}  # fmt: skip
        stage.ask("POST", "/v1/pages", {"parent": parent, "properties": values})


_COPIED = frozenset({"title", "rich_text", "number", "checkbox", "date", "url"})
_PLAIN = _COPIED | {"select", "multi_select", "people"}


def _config(prop: Json) -> Json:
    if prop["type"] not in {"select", "multi_select"}:
        return {}
    options = prop[prop["type"]]["options"]
    return {"options": [{"name": option["name"], "color": option["color"]} for option in options]}


def _place(parent: Json) -> Json:
    kind = parent["type"]
    return {"type": kind, kind: parent[kind]}


def _texts(runs: list[Json]) -> list[Json]:
    return [{"text": {"content": run["plain_text"]}} for run in runs]


# items


def change_type(stage: Stage) -> None:
    """Give a Jira issue (`item`, or the first) another type of its level (`to` by name, or any)."""
    store, given, wanted = stage.stand_in.store, stage.option("item"), stage.option("to")
    for issue in [store.find_issue(given)] if given else list(store.issues.values()):
        old = store.types[issue.values["issuetype"]]
        others = [t.id for t in store.types.values()
                  if t.level == old.level and t is not old and wanted in (None, t.name)]  # fmt: skip
        if others:
            issue.values["issuetype"] = others[0]
            _changed(stage, issue)
            return
    raise ValueError("no issue can have another type")


def promote(stage: Stage) -> None:
    """Make a sub-task (`item`, or the first) an issue of its own."""
    store = stage.stand_in.store
    if stage.service == "asana":
        tasks = [store.objects[gid] for gid in store.kinds["task"]]
        gid = stage.option("item") or next(task.gid for task in tasks if task.parent)
        stage.ask("POST", f"/api/1.0/tasks/{gid}/setParent", {"data": {"parent": None}})
        return
    given = stage.option("item")
    subtasks = (i for i in store.issues.values() if store.types[i.values["issuetype"]].level < 0)
    issue = store.find_issue(given) if given else next(subtasks)
    issue.values["issuetype"] = next(t.id for t in store.types.values() if t.level == 0)
    store.set_parent(issue, None)
    _changed(stage, issue)


def cycle(stage: Stage) -> None:
    """Let two items be each other's parents: Jira's store is forced, Notion allows it in a relation."""
    if stage.service == "jira":
        store = stage.stand_in.store
        first, second = list(store.issues.values())[:2]
        for issue, parent in ((first, second), (second, first)):
            store.set_parent(issue, parent.id)
            _changed(stage, issue)
        return
    source = first_source(stage)
    wanted = stage.option("field", "Parent")
    prop = next(p for p in source.properties.values() if wanted in (p.id, p.name))
    first, second = [page for _created, page in source.live.by_created[:2]]
    for page, parent in ((first, second), (second, first)):
        relation = {"properties": {prop.id: {"relation": [{"id": parent}]}}}
        stage.ask("PATCH", f"/v1/pages/{page}", relation, by="Colleague")


def _changed(stage: Stage, issue: Any) -> None:  # noqa: ANN401
    issue.updated = round(stage.now * 1000)
    stage.stand_in.store.reindex(issue)
    stage.stand_in.store.revision += 1


def one_at_a_time(stage: Stage) -> Response:
    """Let Asana take `most` requests (1) of a token at the same time, whatever the minute's count is."""
    stage.world.limits.at_once = int(stage.option("most", 1))
    return stage.go_on()


def leave_workspace(stage: Stage) -> None:
    """Take a person (`user`, or the busiest) out of Asana's workspace, their tasks to the admin."""
    store, admin = stage.stand_in.store, stage.stand_in.user
    tasks = [store.objects[gid] for gid in store.kinds["task"]]
    held = [task.assignee for task in tasks if task.assignee not in (None, admin)]
    gone = stage.option("user") or max(held, key=held.count)
    for task in tasks:
        if task.assignee == gone:
            stage.ask("PUT", f"/api/1.0/tasks/{task.gid}", {"data": {"assignee": admin}})
    store.objects[gone].workspaces = ()


ACTIONS: dict[str, Action] = {
    "retype_field": before(retype_field),
    "field_gone": field_gone,
    "comment_required": comment_required,
    "archive": before(archive),
    "duplicate": before(duplicate),
    "change_type": before(change_type),
    "promote": before(promote),
    "cycle": before(cycle),
    "one_at_a_time": one_at_a_time,
    "leave_workspace": before(leave_workspace),
}
