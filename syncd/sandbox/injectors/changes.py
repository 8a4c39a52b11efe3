"""Changes of set-up, permissions and items that administrators and colleagues make while a client runs.

Each takes place once, just before the request that the rule strikes; that one then sees the new world.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncd.sandbox.injectors.items import first_source
from syncd.sandbox.injectors.stage import Action, Json, Stage
from syncd.sandbox.wire import Response

Change = Callable[[Stage], Callable[[], None] | None]


def before(change: Change) -> Action:
    """Return the action that makes a change, once, and lets the request go on."""

    def act(stage: Stage) -> Response:
        if "done" not in stage.rule.memory:
            stage.rule.memory["done"] = True
            stage.rule.memory["undo"] = change(stage)
        return stage.go_on()

    return act


# permissions


def hide(stage: Stage) -> Callable[[], None]:
    """Take away one container (`container`: project key or gid, database or page id; or the first)."""
    stand_in = stage.stand_in
    if stage.service == "jira":
        project = _project(stage)
        held = project.members
        stand_in.set_access(project.key, members=[])
        return lambda: stand_in.set_access(project.key, members=held)
    if stage.service == "asana":
        return _make_private(stage)
    name = str(stage.option("container") or first_source(stage).parent[1])
    stand_in.share(name, shared=False)
    return lambda: stand_in.share(name, shared=True)


def _make_private(stage: Stage) -> Callable[[], None]:
    store = stage.stand_in.store
    project = store.objects[str(stage.option("container") or next(iter(store.kinds["project"])))]
    held = project.privacy_setting, project.members, project.owner
    project.privacy_setting, project.members, project.owner = "private", (), None

    def undo() -> None:
        project.privacy_setting, project.members, project.owner = held

    return undo


def unshare(stage: Stage) -> Callable[[], None]:
    """Take one Notion page (`page`, or the first row) from the connection: 404, as if deleted."""
    stand_in = stage.stand_in
    page = str(stage.option("page") or first_source(stage).live.by_created[0][1])
    stand_in.share(page, shared=False)
    return lambda: stand_in.share(page, shared=True)


def deactivate(stage: Stage) -> None:
    """Deactivate a Jira user (`user`, or the busiest) and hand all their issues to the admin."""
    stand_in = stage.stand_in
    store = stand_in.store
    held: dict[str, list[Any]] = {}
    for issue in store.issues.values():
        held.setdefault(str(issue.values.get("assignee") or ""), []).append(issue)
    held.pop("", None)
    held.pop(stand_in.account_id, None)
    user = stage.option("user") or max(held, key=lambda name: len(held[name]), default=None)
    if user is None:
        return
    stand_in.set_user(user, active=False)
    for issue in held.get(user, []):
        stage.ask("PUT", f"/rest/api/3/issue/{issue.key}/assignee",
                  {"accountId": stand_in.account_id})  # fmt: skip


# set-up


def drop_field(stage: Stage) -> None:
    """Delete a custom field or property: `field` by id or name, or the first that can be."""
    wanted = stage.option("field")
    if stage.service == "jira":
        store = stage.stand_in.store
        found = next(f for f in store.fields.values()
                     if (f.custom and wanted is None) or wanted in (f.id, f.name))  # fmt: skip
        del store.fields[found.id]
        store.setup += 1
    elif stage.service == "asana":
        gids = stage.stand_in.store.kinds.get("custom_field", ())
        fields = [stage.ask("GET", f"/api/1.0/custom_fields/{gid}")["data"] for gid in gids]
        gid = next(f["gid"] for f in fields if wanted in (None, f["gid"], f["name"]))
        stage.ask("DELETE", f"/api/1.0/custom_fields/{gid}")
    else:
        source = first_source(stage)
        prop = next(p for p in source.properties.values()
                    if (wanted is None and p.type != "title") or wanted in (p.id, p.name))  # fmt: skip
        stage.ask("PATCH", f"/v1/data_sources/{source.id}", {"properties": {prop.id: None}})


def strict_workflow(stage: Stage) -> None:
    """Change a Jira workflow: steps need a resolution and a comment, one target is gone."""
    project = _project(stage)
    table = stage.stand_in.store.statuses
    flow = next(iter(project.workflows.values()))
    names = [table[status].name for status in flow.statuses]
    gone = stage.option("missing")
    gone = names[-1] if gone is True else gone
    screen = {"resolution": True} if stage.option("resolution", default=True) else {}
    steps = [(name, (), name, screen) for name in names if name != gone]
    stage.stand_in.set_workflow(project.key, names, steps)


def rekey(stage: Stage) -> None:
    """Change a Jira project's key (`key`); in Asana archive a project, in Notion move a database."""
    if stage.service == "jira":
        project = _project(stage)
        _rekey_project(stage, project, stage.option("key") or f"{project.key[:8]}X")
    elif stage.service == "asana":
        gid = stage.option("container") or next(iter(stage.stand_in.store.kinds["project"]))
        stage.ask("PUT", f"/api/1.0/projects/{gid}", {"data": {"archived": True}})
    else:
        source = first_source(stage)
        page = stage.ask("POST", "/v1/pages", {
            "parent": {"type": "workspace", "workspace": True},
            "properties": {"title": {"title": [{"text": {"content": "Archive"}}]}}})  # fmt: skip
        stage.ask("PATCH", f"/v1/databases/{source.parent[1]}",
                  {"parent": {"type": "page_id", "page_id": page["id"]}})  # fmt: skip


def _rekey_project(stage: Stage, project: Any, key: str) -> None:  # noqa: ANN401
    """Give a Jira project another key and all its issues new keys; the old ones still lead there."""
    stage.stand_in.store.rekey(project, key)


def move_item(stage: Stage) -> None:
    """Move an item elsewhere: a Jira issue to another project, others below another parent."""
    if stage.service == "jira":
        store = stage.stand_in.store
        issue = store.find_issue(stage.option("item") or next(iter(store.issues)))
        other = next((p for p in store.projects.values() if p.id != issue.project_id), None)
        if other is None:
            stage.stand_in.add_project("MOVED", "Moved to")
        key = other.key if other else "MOVED"
        stage.stand_in.move_issue(issue.key, stage.option("to") or key)
    elif stage.service == "asana":
        tasks = list(stage.stand_in.store.kinds["task"])
        item = stage.option("item") or tasks[0]
        below = stage.option("to") or next(gid for gid in tasks if gid != item)
        stage.ask("POST", f"/api/1.0/tasks/{item}/setParent", {"data": {"parent": below}})


def second_source(stage: Stage) -> None:
    """Give a Notion database a second data source (`kind` recreate: a property anew under its name)."""
    source = first_source(stage)
    if stage.option("kind", "second") == "second":
        schema: Json = {"Name": {"title": {}}}
        parent = {"type": "database_id", "database_id": source.parent[1]}
        stage.ask("POST", "/v1/data_sources", {"parent": parent, "properties": schema})
        return
    wanted = stage.option("field")
    prop = next(p for p in source.properties.values()
                if (wanted is None and p.type in {"rich_text", "number"}) or p.name == wanted)  # fmt: skip
    name, kind = prop.name, prop.type
    stage.ask("PATCH", f"/v1/data_sources/{source.id}", {"properties": {prop.id: None}})
    stage.ask("PATCH", f"/v1/data_sources/{source.id}", {"properties": {name: {kind: {}}}})


# items


def delete_item(stage: Stage) -> Callable[[], None] | None:
    """Delete or trash an item (`item`, or the first); Asana's and Notion's come back on undo."""
    if stage.service == "jira":
        store = stage.stand_in.store
        issue = store.find_issue(stage.option("item") or next(iter(store.issues)))
        stage.ask("DELETE", f"/rest/api/3/issue/{issue.key}?deleteSubtasks=true")
        return None
    if stage.service == "asana":
        item = stage.option("item") or next(iter(stage.stand_in.store.kinds["task"]))
        stage.ask("DELETE", f"/api/1.0/tasks/{item}")

        def back() -> None:
            stage.stand_in.undelete(item)

        return back
    item = stage.option("item") or first_source(stage).live.by_created[0][1]
    stage.ask("PATCH", f"/v1/pages/{item}", {"in_trash": True})

    def undo() -> None:
        stage.ask("PATCH", f"/v1/pages/{item}", {"in_trash": False})

    return undo


def copy_item(stage: Stage) -> None:
    """Copy an item together with its marker, as people do with "duplicate" (`item`, or the first)."""
    if stage.service == "jira":
        _copy_issue(stage)
    elif stage.service == "asana":
        item = stage.option("item") or next(iter(stage.stand_in.store.kinds["task"]))
        task = stage.ask("GET", f"/api/1.0/tasks/{item}?opt_fields=name,projects,custom_fields")
        data = task["data"]
        values = {f["gid"]: f["text_value"] for f in data["custom_fields"] if f.get("text_value")}
        stage.ask("POST", "/api/1.0/tasks", {"data": {
            "name": data["name"], "projects": [p["gid"] for p in data["projects"]],
            "custom_fields": values}})  # fmt: skip
    else:
        item = stage.option("item") or first_source(stage).live.by_created[0][1]
        page = stage.ask("GET", f"/v1/pages/{item}")
        kinds = ("title", "rich_text", "number", "checkbox")
        values = {v["id"]: {v["type"]: v[v["type"]]} for v in page["properties"].values()
                  if v["type"] in kinds}  # fmt: skip
        source = page["parent"]["data_source_id"]
        stage.ask("POST", "/v1/pages", {"parent": {"data_source_id": source}, "properties": values})


def _copy_issue(stage: Stage) -> None:
    store = stage.stand_in.store
    issue = store.find_issue(stage.option("item") or next(iter(store.issues)))
    fields = {
        "project": {"id": str(issue.project_id)},
        "issuetype": {"id": issue.values["issuetype"]},
        "summary": issue.values["summary"],
    }
    if issue.values.get("parent"):
        fields["parent"] = {"id": str(issue.values["parent"])}
    marks = [{"key": key, "value": value} for key, value in issue.properties.items()]
    stage.ask("POST", "/rest/api/3/issue", {"fields": fields, "properties": marks})


def skew(stage: Stage) -> Callable[[], None]:
    """Put this service's clock `seconds` ahead (negative: behind), drifting `drift` seconds an hour."""
    clock = stage.stand_in.clock
    clock.skew(float(stage.option("seconds", 300)), float(stage.option("drift", 0)))
    return lambda: clock.skew(0)


def move_zone(stage: Stage) -> None:
    """Put the caller's Jira account in another time zone: JQL's local times are meant in it."""
    stand_in = stage.stand_in
    zone = stage.option("zone", "Pacific/Kiritimati")
    for account in list(stand_in.store.users):
        stand_in.set_user(account, time_zone=zone)


def _project(stage: Stage) -> Any:  # noqa: ANN401
    store = stage.stand_in.store
    name = stage.option("container")
    return store.find_project(name) if name else next(iter(store.projects.values()))


ACTIONS: dict[str, Action] = {
    name: before(change)
    for name, change in {
        "hide": hide,
        "unshare": unshare,
        "deactivate": deactivate,
        "drop_field": drop_field,
        "strict_workflow": strict_workflow,
        "rekey": rekey,
        "move_item": move_item,
        "second_source": second_source,
        "delete_item": delete_item,
        "copy_item": copy_item,
        "skew": skew,
        "move_zone": move_zone,
    }.items()
}
