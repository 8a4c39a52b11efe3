"""Values that hurt: unknown nodes, dates at the edges, odd numbers, hidden people, huge and hostile texts."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from syncd.sandbox.injectors import items
from syncd.sandbox.injectors.changes import before
from syncd.sandbox.injectors.stage import Action, Json, Stage, answered, loaded
from syncd.sandbox.wire import Response

# V5: what a colleague puts in: the day (Jira, Asana), the moment (Asana), the value (Notion)
_DAYS = {
    "leap": "2028-02-29",
    "2038": "2038-01-20",
    "9999": "9999-12-31",
}
_MOMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "time": ("2027-03-02T04:30:00.000Z", {"start": "2027-03-01T23:30:00.000-05:00"}),
    "gap": ("2027-03-28T01:00:00.000Z",
            {"start": "2027-03-28T02:30:00.000", "time_zone": "Europe/Berlin"}),
    "overlap": ("2027-10-31T01:30:00.000Z",
                {"start": "2027-10-31T02:30:00.000", "time_zone": "Europe/Berlin"}),
    "zone": ("2027-05-31T10:30:00.000Z", {"start": "2027-06-01T00:30:00.000+14:00"}),
}  # fmt: skip
# V6
_NUMBERS = {"float": 0.1 + 0.2, "huge": 1e21, "zero": -0.0}
# V11
HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "template": "{{7*7}} ${7*7} <%= 7*7 %>",
    "query": 'x"; ORDER BY 1 --',
    "ansi": "\x1b[2J\x1b[31mred\x07",
    "formula": "=HYPERLINK(\"http://evil.example\",\"x\")",
}  # fmt: skip


def odd_date(stage: Stage) -> None:
    """Let a colleague give an item a date of a kind: see `_DAYS` and `_MOMENTS`."""
    item, kind = items.find(stage), stage.option("kind", "leap")
    if stage.service == "notion":
        wanted, shown = stage.option("field"), items.read(stage, item)
        name = next(
            n for n, v in shown.items() if v["type"] == "date" and wanted in (None, n, v["id"])
        )
        value: Json = {"start": _DAYS[kind]} if kind in _DAYS else _MOMENTS[kind][1]
        items.write(stage, item, {name: {"date": value}})
    elif stage.service == "jira":
        items.write(stage, item, {str(stage.option("field", "duedate")): _DAYS[kind]})
    elif kind in _DAYS:
        items.write(stage, item, {"start_on": None, "due_on": _DAYS[kind]})
    else:
        items.write(stage, item, {"due_at": _MOMENTS[kind][0]})


def odd_number(stage: Stage) -> None:
    """Let a colleague give an item a number of a kind: float noise, 1e21, minus zero."""
    item = items.find(stage)
    field = items.number_field(stage, item)
    if field is None:
        raise ValueError(f"{stage.service} item {item} has no number field")
    value = _NUMBERS[stage.option("kind", "float")]
    fields: dict[str, Json] = {field: value}
    if stage.service == "asana":
        fields = {"custom_fields": fields}
    elif stage.service == "notion":
        fields = {field: {"number": value}}
    items.write(stage, item, fields)


def numbers_as_text(stage: Stage) -> Response:
    """Show numbers of number fields as text with a decimal comma."""
    return _shown(stage, _with_texts)


def _with_texts(value: Json) -> Json:
    if isinstance(value, list):
        return [_with_texts(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _comma(each) if _is_number(key, each) else _with_texts(each)
        for key, each in value.items()
    }


def _is_number(key: str, value: Json) -> bool:
    held = key in {"number", "number_value"} or key.startswith("customfield_")
    return held and isinstance(value, int | float) and not isinstance(value, bool)


def _comma(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")


def person_renamed(stage: Stage) -> None:
    """Give a person (`user`: account id; else the first but the client) another name."""
    stand_in, wanted = stage.stand_in, stage.option("user")
    if stage.service == "jira":
        users = [u for u in stand_in.store.users.values() if u.account_id != stand_in.account_id]
    elif stage.service == "asana":
        gids = [gid for gid in stand_in.store.kinds["user"] if gid != stand_in.user]
        users = [stand_in.store.objects[gid] for gid in gids]
    else:
        users = [u for u in stand_in.app.store.users.values() if u.email]
    user = next(u for u in users if wanted in (None, getattr(u, _ID[stage.service])))
    new = str(stage.option("name") or f"{user.name} (renamed)")
    if stage.service == "jira":
        stand_in.set_user(user.account_id, name=new)
    else:
        user.name = new


_ID = {"jira": "account_id", "asana": "gid", "notion": "id"}


def mails_hidden(stage: Stage) -> Response:
    """Show nobody's e-mail address."""
    return _shown(stage, _without_mail)


def _without_mail(value: Json) -> Json:
    if isinstance(value, list):
        return [_without_mail(each) for each in value]
    if isinstance(value, dict):
        hidden = {"emailAddress", "email"}
        return {k: _without_mail(v) for k, v in value.items() if k not in hidden}
    return value


# rich text


def rich_nodes(stage: Stage) -> None:
    """Let a colleague write a text with a mention, an emoji, a card and a macro."""
    item = items.find(stage)
    if stage.service == "jira":
        user = {"id": stage.stand_in.account_id, "text": "@someone"}
        inline = [{"type": "mention", "attrs": user},
                  {"type": "emoji", "attrs": {"shortName": ":grinning:", "text": "😀"}},
                  {"type": "inlineCard", "attrs": {"url": "https://example.com/card"}}]  # fmt: skip
        macro = {"extensionType": "com.atlassian.confluence.macro.core", "extensionKey": "toc",
                 "parameters": {}}  # fmt: skip
        content = [{"type": "paragraph", "content": inline}, {"type": "extension", "attrs": macro}]
        items.write(stage, item, {"description": {"type": "doc", "version": 1, "content": content}})
    elif stage.service == "asana":
        mention = f'<a data-asana-gid="{stage.stand_in.user}"/>'
        items.write(stage, item, {"html_notes": f"<body>{mention} 😀 <code>macro</code></body>"})
    else:
        page = {"type": "mention", "mention": {"page": {"id": item}}}
        formula = {"type": "equation", "equation": {"expression": "e=mc^2"}}
        blocks = [{"type": "callout", "callout": {"rich_text": [page, formula],
                                                  "icon": {"type": "emoji", "emoji": "😀"}}},
                  {"type": "table_of_contents", "table_of_contents": {}}]  # fmt: skip
        stage.ask("PATCH", f"/v1/blocks/{item}/children", {"children": blocks}, by="Colleague")


def unknown_nodes(stage: Stage) -> Response:
    """Show a node that nobody knows in every rich text, and an unknown block in Notion's children."""
    answer = _shown(stage, _with_unknown)
    if not stage.request.path.endswith("/children") or stage.request.method != "GET":
        return answer
    body = loaded(answer.body)
    if not isinstance(body.get("results"), list):
        return answer
    strange = {"object": "block", "id": "00000000-0000-4000-8000-0000000000ff",
               "type": "future_block", "future_block": {"words": "?"}, "has_children": False,
               "in_trash": False}  # fmt: skip
    return answered(answer, {**body, "results": [*body["results"], strange]})


def _with_unknown(value: Json) -> Json:
    if isinstance(value, list):
        return [_with_unknown(each) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _with_unknown(each) for key, each in value.items()}
    if value.get("type") == "doc" and isinstance(value.get("content"), list):
        changed["content"] = [*changed["content"], {"type": "futureNode", "attrs": {"words": "?"}}]
    if isinstance(value.get("html_notes"), str):
        changed["html_notes"] = value["html_notes"].replace("</body>", "<future>?</future></body>")
    return changed


# sizes and hostile words


def huge_text(stage: Stage) -> Response:
    """Show every description with `characters` characters (1,000,000)."""
    words = "long " * (int(stage.option("characters", 1_000_000)) // 5)
    return _shown(stage, lambda body: _swollen(body, words))


def _swollen(value: Json, words: str) -> Json:
    if isinstance(value, list):
        return [_swollen(each, words) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _long(key, each, words) or _swollen(each, words) for key, each in value.items()}


def _long(key: str, value: Json, words: str) -> Json:
    if key == "notes" and isinstance(value, str):
        return words
    if key == "html_notes" and isinstance(value, str):
        return f"<body>{words}</body>"
    if key == "description" and isinstance(value, dict) and value.get("type") == "doc":
        text = {"type": "text", "text": words}
        return {**value, "content": [{"type": "paragraph", "content": [text]}]}
    if key == "description" and isinstance(value, str):
        return words
    if key == "rich_text" and value and isinstance(value, list):
        run = {**value[0], "plain_text": words, "text": {"content": words, "link": None}}
        return [{**run, "type": "text"}]
    return None


def many_children(stage: Stage) -> None:
    """Let a colleague put `number` children (10,000) below an item: sub-tasks; blocks in Notion."""
    item, number = items.find(stage), int(stage.option("number", 10_000))
    if stage.service == "notion":
        line = {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "child"}}]}}
        for start in range(0, number, 100):
            rows = [line] * min(100, number - start)
            stage.ask("PATCH", f"/v1/blocks/{item}/children", {"children": rows}, by="Colleague")
        return
    make = _jira_child(stage, item) if stage.service == "jira" else _asana_child(stage, item)
    for place in range(number):
        make(f"Child {place + 1}")


def _jira_child(stage: Stage, item: str) -> Callable[[str], None]:
    store = stage.stand_in.store
    parent = store.find_issue(item)
    level = store.types[parent.values["issuetype"]].level
    kind = next(t for t in store.types.values() if t.level == level - 1)
    fields = {"project": {"id": str(parent.project_id)}, "issuetype": {"id": kind.id},
              "parent": {"key": parent.key}}  # fmt: skip

    def make(name: str) -> None:
        stage.ask(
            "POST", "/rest/api/3/issue", {"fields": {**fields, "summary": name}}, by="Colleague"
        )

    return make


def _asana_child(stage: Stage, item: str) -> Callable[[str], None]:
    def make(name: str) -> None:
        stage.ask(
            "POST", f"/api/1.0/tasks/{item}/subtasks", {"data": {"name": name}}, by="Colleague"
        )

    return make


def many_labels(stage: Stage) -> None:
    """Let a colleague give a Jira issue `number` labels (500)."""
    number = int(stage.option("number", 500))
    items.write(stage, items.find(stage), {"labels": [f"label-{n:04}" for n in range(number)]})


def long_comment(stage: Stage) -> None:
    """Let a colleague write a comment of 32,000 characters."""
    item, words = items.find(stage), "comment " * 4000
    if stage.service == "jira":
        content = [{"type": "paragraph", "content": [{"type": "text", "text": words}]}]
        body: Json = {"body": {"type": "doc", "version": 1, "content": content}}
        stage.ask("POST", f"/rest/api/3/issue/{item}/comment", body, by="Colleague")
    elif stage.service == "asana":
        stage.ask(
            "POST", f"/api/1.0/tasks/{item}/stories", {"data": {"text": words}}, by="Colleague"
        )
    else:
        runs = [{"text": {"content": words[at : at + 2000]}} for at in range(0, len(words), 2000)]
        stage.ask(
            "POST", "/v1/comments", {"parent": {"page_id": item}, "rich_text": runs}, by="Colleague"
        )


def hostile_title(stage: Stage) -> None:
    """Let a colleague give an item a title that attacks whoever shows it without care (`HOSTILE`)."""
    items.rename(stage, items.find(stage), HOSTILE[stage.option("kind", "html")])


def _shown(stage: Stage, change: Callable[[Json], Json]) -> Response:
    answer = stage.go_on()
    if answer.body[:1] not in (b"{", b"["):
        return answer
    return answered(answer, change(orjson.loads(answer.body)))


ACTIONS: dict[str, Action] = {
    "odd_date": before(odd_date),
    "odd_number": before(odd_number),
    "numbers_as_text": numbers_as_text,
    "person_renamed": before(person_renamed),
    "mails_hidden": mails_hidden,
    "rich_nodes": before(rich_nodes),
    "unknown_nodes": unknown_nodes,
    "huge_text": huge_text,
    "many_children": before(many_children),
    "many_labels": before(many_labels),
    "long_comment": before(long_comment),
    "hostile_title": before(hostile_title),
}
