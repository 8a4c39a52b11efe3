"""Colleagues and other programs that edit at the worst moment: in the write window, between polls."""

from __future__ import annotations

from dataclasses import replace

from syncd.sandbox.injectors import items
from syncd.sandbox.injectors.changes import before
from syncd.sandbox.injectors.stage import ROWS, Action, Json, Stage
from syncd.sandbox.injectors.writes import is_update
from syncd.sandbox.wire import Response

BOT = "Other Integration"
_TEXTS = frozenset({"summary", "name", "notes"})
MARK = " (by a colleague)"


def edited_before(stage: Stage) -> Response:
    """Let a colleague edit the same cells between the client's read and this write."""
    if is_update(stage):
        _edit_same(stage)
    return stage.go_on()


def edited_after(stage: Stage) -> Response:
    """Let a colleague edit the same cells right after this write, before its answer is out."""
    answer = stage.go_on()
    if is_update(stage) and answer.status < 400:  # noqa: PLR2004 - HTTP
        _edit_same(stage)
    return answer


def _edit_same(stage: Stage) -> None:
    """Give the fields that are written another value: `change` in the API's form, else other texts."""
    item = items.find(stage)
    sent = stage.sent().get(items.HOLDERS[stage.service]) or {}
    change = stage.option("change") or {n: _varied(n, v) for n, v in sent.items() if _varied(n, v)}
    if change:
        items.write(stage, item, change)
    else:
        items.rename(stage, item, items.name_of(stage, item) + MARK)


def _varied(name: str, value: Json) -> Json:
    if isinstance(value, str):
        return value + MARK if name in _TEXTS else None
    kind = next((k for k in ("title", "rich_text") if isinstance(value, dict) and k in value), None)
    return {kind: [*value[kind], {"text": {"content": MARK}}]} if kind else None


def there_and_back(stage: Stage) -> Response:
    """Let a colleague change a title and change it back, both before this request is answered."""
    item = items.find(stage)
    old = items.name_of(stage, item)
    items.rename(stage, item, old + MARK)
    items.rename(stage, item, old)
    return stage.go_on()


def same_edit(stage: Stage) -> None:
    """Let people make the same edit in all services: `items` (service: item), the new title `name`."""
    chosen: dict[str, str] = stage.option("items") or {}
    name = stage.option("name") or items.name_of(stage, _one(stage, chosen)) + " (agreed)"
    for service in ROWS:
        other = replace(stage, service=service)
        items.rename(other, _one(other, chosen), name)


def _one(stage: Stage, chosen: dict[str, str]) -> str:
    if stage.service in chosen:
        return str(chosen[stage.service])
    return items.find(stage) if "item" not in stage.rule.params else items.every(stage)[0]


def many_edits(stage: Stage) -> None:
    """Let a colleague rename `number` items (5,000, or as many as there are)."""
    for item in items.every(stage)[: int(stage.option("number", 5000))]:
        items.rename(stage, item, items.name_of(stage, item) + " (bulk)")


def many_new(stage: Stage) -> None:
    """Let a colleague import `number` items (5,000)."""
    for number in range(int(stage.option("number", 5000))):
        items.create(stage, f"Imported {number + 1}")


def delete_and_restore(stage: Stage) -> None:
    """Let a colleague trash an item and take it out again."""
    item = items.find(stage)
    if stage.service == "asana":
        stage.ask("DELETE", f"/api/1.0/tasks/{item}", by="Colleague")
        stage.stand_in.undelete(item)
    else:
        for trashed in (True, False):
            stage.ask("PATCH", f"/v1/pages/{item}", {"in_trash": trashed}, by="Colleague")


def delete_and_edit(stage: Stage) -> None:
    """Let people delete an item here and edit one in each other service (`items`: service: item)."""
    chosen: dict[str, str] = stage.option("items") or {}
    item = _one(stage, chosen)
    for service in ROWS:
        other = replace(stage, service=service)
        if service != stage.service:
            there = _one(other, chosen)
            items.rename(other, there, items.name_of(other, there) + MARK)
        elif service == "notion":
            stage.ask("PATCH", items.path_of(service, item), {"in_trash": True}, by="Colleague")
        else:
            stage.ask("DELETE", items.path_of(service, item), by="Colleague")


# the client's own marks and pages


def marker_changed(stage: Stage) -> None:
    """Edit or delete (`kind`) what marks an item as the client's: `marker`, or the first that is found.

    A Jira issue property; in Asana and Notion a text field with a value.
    """
    gone = stage.option("kind", "edited") == "deleted"
    item, name = _marked(stage)
    path = items.path_of(stage.service, item)
    if stage.service == "jira":
        address = f"{path}/properties/{name}"
        stage.ask("DELETE" if gone else "PUT", address, None if gone else {"edited": True},
                  by="Colleague")  # fmt: skip
    elif stage.service == "asana":
        items.write(stage, item, {"custom_fields": {name: None if gone else "edited"}})
    else:
        words: list[Json] = [] if gone else [{"text": {"content": "edited"}}]
        items.write(stage, item, {name: {"rich_text": words}})


def _marked(stage: Stage) -> tuple[str, str]:
    wanted = stage.option("marker")
    given = stage.option("item")
    for item in [str(given)] if given else items.every(stage):
        for identifier, name in _marks(stage, item):
            if wanted in (None, identifier, name):
                return item, identifier
    raise ValueError(f"no item in {stage.service} has a marker; make one, or name it with 'marker'")


def _marks(stage: Stage, item: str) -> list[tuple[str, str]]:
    if stage.service == "jira":
        return [(key, key) for key in stage.stand_in.store.find_issue(item).properties]
    shown = items.read(stage, item)
    if stage.service == "asana":
        rows = shown["custom_fields"]
        return [(row["gid"], row["name"]) for row in rows if row.get("text_value")]
    return [
        (v["id"], name) for name, v in shown.items() if v["type"] == "rich_text" and v["rich_text"]
    ]


def page_edited(stage: Stage) -> None:
    """Edit or delete (`kind`) the first text block of a Notion page: `page`, or the one with most blocks."""
    store = stage.stand_in.app.store
    pages = (node for node in store.nodes.values() if hasattr(node, "is_archived"))
    page = stage.option("page") or max(pages, key=lambda node: len(node.children)).id
    rows = stage.ask("GET", f"/v1/blocks/{page}/children")["results"]
    block = next(row for row in rows if "rich_text" in row.get(row["type"], {}))
    path, kind = f"/v1/blocks/{block['id']}", block["type"]
    if stage.option("kind", "edited") == "deleted":
        stage.ask("DELETE", path, by="Colleague")
    else:
        words = {"rich_text": [{"text": {"content": "Edited by a colleague"}}]}
        stage.ask("PATCH", path, {kind: words}, by="Colleague")


# programs


def put_back(stage: Stage) -> Response:
    """After an update let `by` (default: the site itself) put the old values back."""
    if not is_update(stage):
        return stage.go_on()
    item = items.find(stage)
    old = items.held(stage, item, stage.sent().get(items.HOLDERS[stage.service]) or {})
    answer = stage.go_on()
    if answer.status < 400 and old:  # noqa: PLR2004 - HTTP
        items.write(stage, item, old, by=stage.option("by"))
    return answer


def bot_reacts(stage: Stage) -> Response:
    """After an update let another integration change the item's title in response."""
    answer = stage.go_on()
    if is_update(stage) and answer.status < 400:  # noqa: PLR2004 - HTTP
        item = items.find(stage)
        name = items.name_of(stage, item)
        items.rename(stage, item, name.removesuffix(" (bot)") + " (bot)", by=BOT)
    return answer


ACTIONS: dict[str, Action] = {
    "edited_before": edited_before,
    "edited_after": edited_after,
    "there_and_back": there_and_back,
    "same_edit": before(same_edit),
    "many_edits": before(many_edits),
    "many_new": before(many_new),
    "delete_and_restore": before(delete_and_restore),
    "delete_and_edit": before(delete_and_edit),
    "marker_changed": before(marker_changed),
    "page_edited": before(page_edited),
    "put_back": put_back,
    "bot_reacts": bot_reacts,
}
