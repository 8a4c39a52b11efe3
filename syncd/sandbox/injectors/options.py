"""Choices of fields and statuses that administrators rename, delete, merge and put in another order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncd.sandbox.injectors.changes import before
from syncd.sandbox.injectors.items import first_source
from syncd.sandbox.injectors.stage import Action, Json, Stage


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice, wherever the service keeps it. `merge` takes the choice that its items get."""

    id: str
    name: str
    rename: Callable[[str], None]
    drop: Callable[[], None]
    merge: Callable[[Choice], None]
    reverse: Callable[[], None]  # the order of all choices of its field


def renamed(stage: Stage) -> None:
    """Rename a status, option or section: `old` (default: the first one) becomes `new`; ids stay."""
    choice = _named(stage, stage.option("old"))
    choice.rename(str(stage.option("new") or f"{choice.name} (renamed)"))


def dropped(stage: Stage) -> None:
    """Delete (Asana: disable) an option: `old`, or the first."""
    _named(stage, stage.option("old")).drop()


def merged(stage: Stage) -> None:
    """Give all items of `old` the option `new` (default: the next one), then delete `old`."""
    old, new, known = stage.option("old"), stage.option("new"), _all(stage)
    choice = next(each for each in known if old in (None, each.name))
    rest = [each for each in known if each.reverse is choice.reverse and each is not choice]
    other = next(each for each in rest if new in (None, each.name))
    choice.merge(other)
    choice.drop()


def reordered(stage: Stage) -> None:
    """Put all options of the field that has `old` (default: the first field) in the other order."""
    _named(stage, stage.option("old")).reverse()


def _named(stage: Stage, name: str | None) -> Choice:
    return next(each for each in _all(stage) if name in (None, each.name))


def _all(stage: Stage) -> list[Choice]:
    return {"jira": _jira, "asana": _asana, "notion": _notion}[stage.service](stage)


# Jira


def _jira(stage: Stage) -> list[Choice]:
    store = stage.stand_in.store
    fields = [field for field in store.fields.values() if field.options]
    found = [each for field in fields for each in _jira_options(stage, field)]
    return [*found, *_jira_statuses(stage)]


def _jira_options(stage: Stage, field: Any) -> list[Choice]:  # noqa: ANN401
    store = stage.stand_in.store

    def reverse() -> None:
        field.options = dict(reversed(field.options.items()))
        store.setup += 1

    def choice(option: Any) -> Choice:  # noqa: ANN401
        def rename(name: str) -> None:
            option.value = name
            store.setup += 1

        def drop() -> None:
            field.options.pop(option.id)
            store.setup += 1

        def merge(other: Choice) -> None:
            _jira_replace(stage, field.id, option.id, other.id)

        return Choice(option.id, option.value, rename, drop, merge, reverse)

    return [choice(option) for option in field.options.values()]


def _jira_replace(stage: Stage, field: str, old: str, new: str) -> None:
    """Give all issues with a choice another one, as an administrator's migration does."""
    store = stage.stand_in.store
    for issue in list(store.issues.values()):
        value = issue.values.get(field)
        if value == old:
            issue.values[field] = new
        elif isinstance(value, list) and old in value:
            issue.values[field] = list(
                dict.fromkeys(new if each == old else each for each in value)
            )
        else:
            continue
        store.reindex(issue)
    store.revision += 1


def _jira_statuses(stage: Stage) -> list[Choice]:
    store = stage.stand_in.store
    flows = [flow for project in store.projects.values() for flow in project.workflows.values()]
    used = {status for flow in flows for status in flow.statuses}

    def reverse() -> None:
        for flow in flows:
            flow.statuses = tuple(reversed(flow.statuses))
        store.setup += 1

    def choice(status: Any) -> Choice:  # noqa: ANN401
        def rename(name: str) -> None:
            status.name = name
            store.setup += 1

        def merge(other: Choice) -> None:
            _jira_replace(stage, "status", status.id, other.id)

        def drop() -> None:
            for flow in flows:  # Jira deletes no status that an issue stands in
                flow.statuses = tuple(each for each in flow.statuses if each != status.id)
                _jira_replace(stage, "status", status.id, flow.statuses[0])
                flow.transitions = tuple(t for t in flow.transitions if t.to != status.id)
            store.statuses.pop(status.id, None)
            store.setup += 1

        return Choice(status.id, status.name, rename, drop, merge, reverse)

    return [choice(store.statuses[each]) for each in store.statuses if each in used]


# Asana


def _asana(stage: Stage) -> list[Choice]:
    kinds = stage.stand_in.store.kinds
    fields = [stage.ask("GET", f"/api/1.0/custom_fields/{gid}")["data"]
              for gid in list(kinds.get("custom_field", ()))]  # fmt: skip
    found = [each for field in fields for each in _asana_options(stage, field)]
    for gid in list(kinds.get("project", ())):
        found += _asana_sections(stage, gid)
    return found


def _asana_options(stage: Stage, field: Json) -> list[Choice]:
    options = field.get("enum_options") or []

    def reverse() -> None:
        for option in options[1:]:
            body = {"enum_option": option["gid"], "before_enum_option": options[0]["gid"]}
            path = f"/api/1.0/custom_fields/{field['gid']}/enum_options/insert"
            stage.ask("POST", path, {"data": body})
            options.insert(0, options.pop(options.index(option)))

    def choice(option: Json) -> Choice:
        path = f"/api/1.0/enum_options/{option['gid']}"

        def merge(other: Choice) -> None:
            for gid in list(stage.stand_in.store.kinds["task"]):
                rows = stage.ask("GET", f"/api/1.0/tasks/{gid}?opt_fields=custom_fields")["data"]
                held: Json = next(
                    (r for r in rows["custom_fields"] if r["gid"] == field["gid"]), {}
                )
                if (held.get("enum_value") or {}).get("gid") == option["gid"]:
                    values = {"custom_fields": {field["gid"]: other.id}}
                    stage.ask("PUT", f"/api/1.0/tasks/{gid}", {"data": values})

        return Choice(
            option["gid"],
            option["name"],
            lambda name: stage.ask("PUT", path, {"data": {"name": name}}),
            lambda: stage.ask("PUT", path, {"data": {"enabled": False}}),
            merge,
            reverse,
        )

    return [choice(option) for option in options]


def _asana_sections(stage: Stage, project: str) -> list[Choice]:
    sections = stage.ask("GET", f"/api/1.0/projects/{project}/sections")["data"]

    def reverse() -> None:
        order = [section["gid"] for section in sections]
        for section in order[1:]:
            body = {"section": section, "before_section": order[0]}
            stage.ask("POST", f"/api/1.0/projects/{project}/sections/insert", {"data": body})
            order.insert(0, order.pop(order.index(section)))

    def choice(section: Json) -> Choice:
        path = f"/api/1.0/sections/{section['gid']}"

        def merge(other: Choice) -> None:
            for row in stage.ask("GET", f"{path}/tasks")["data"]:
                body = {"data": {"task": row["gid"]}}
                stage.ask("POST", f"/api/1.0/sections/{other.id}/addTask", body)

        return Choice(
            section["gid"],
            section["name"],
            lambda name: stage.ask("PUT", path, {"data": {"name": name}}),
            lambda: stage.ask("DELETE", path),
            merge,
            reverse,
        )

    return [choice(section) for section in sections]


# Notion


def _notion(stage: Stage) -> list[Choice]:
    source = first_source(stage)
    props = [prop for prop in source.properties.values() if prop.config.get("options")]
    return [each for prop in props for each in _notion_options(stage, source, prop)]


def _notion_options(stage: Stage, source: Any, prop: Any) -> list[Choice]:  # noqa: ANN401
    options: dict[str, Json] = prop.config["options"]

    def reverse() -> None:
        turned = dict(reversed(list(options.items())))
        options.clear()
        options.update(turned)

    def choice(identifier: str, name: str) -> Choice:
        def rename(new: str) -> None:
            options[identifier] = {**options[identifier], "name": new}

        def drop() -> None:
            del options[identifier]

        def merge(other: Choice) -> None:
            for _created, page in list(source.live.by_created):
                held = stage.ask("GET", f"/v1/pages/{page}")["properties"][prop.name][prop.type]
                if isinstance(held, dict) and held["id"] == identifier:
                    value: Json = {prop.type: {"id": other.id}}
                elif isinstance(held, list) and identifier in [each["id"] for each in held]:
                    kept = [each["id"] for each in held if each["id"] not in (identifier, other.id)]
                    value = {prop.type: [{"id": each} for each in [*kept, other.id]]}
                else:
                    continue
                stage.ask("PATCH", f"/v1/pages/{page}", {"properties": {prop.id: value}})

        return Choice(identifier, name, rename, drop, merge, reverse)

    return [choice(identifier, option["name"]) for identifier, option in options.items()]


ACTIONS: dict[str, Action] = {
    "rename_option": before(renamed),
    "drop_option": before(dropped),
    "merge_option": before(merged),
    "reorder_options": before(reordered),
}
