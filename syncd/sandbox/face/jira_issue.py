"""One Jira issue: read, edited, moved, commented, given children, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncd.sandbox.face import adf
from syncd.sandbox.face.desk import Desk, Json
from syncd.sandbox.face.forms import Field, Option, button, folded, form, hidden, rows, told_apart
from syncd.sandbox.face.frame import (
    Go,
    Page,
    Visit,
    address,
    chip,
    danger,
    list_or,
    part,
    section,
    story,
)  # fmt: skip
from syncd.sandbox.face.html import Html, Node, join, tag

_KINDS = {"string": "text", "number": "number", "date": "date"}
_PEOPLE = 1000


def show(visit: Visit, key: str) -> Page:
    """Return an issue's page."""
    desk = visit.desk
    issue = desk.read("jira", f"/rest/api/3/issue/{part(key)}")
    fields = issue["fields"]
    meta = desk.read("jira", f"/rest/api/3/issue/{part(key)}/editmeta")["fields"]
    main = tag("div", _text(issue), _children(desk, issue), _talk(desk, issue), class_="content",
               data_live="content")  # fmt: skip
    aside = tag("aside", _status(desk, issue), _details(desk, issue, meta), _removal(issue),
                class_="side", data_live="side")  # fmt: skip
    body = join(_head(issue), tag("div", main, aside, class_="two"))
    return Page(f"{issue['key']} {fields['summary']}", "jira", body)


def _head(issue: Json) -> Html:
    fields = issue["fields"]
    project = fields["project"]
    parent = fields.get("parent")
    trail = [tag("a", project["name"], href=address("/ui/jira", project=project["key"]))]
    if parent:
        words = f"{parent['key']} {parent['fields']['summary']}"
        trail.append(tag("a", words, href=f"/ui/jira/{parent['key']}"))
    kind = fields["issuetype"]["name"]
    trail.append(tag("span", issue["key"], " ", chip(kind, f"type-{kind.lower()}")))
    return tag("nav", trail, class_="trail", aria_label="Where this is")


def _text(issue: Json) -> Html:
    fields = issue["fields"]
    lines = adf.as_lines(fields["description"])
    edit: Node = tag("p", "This text holds formatting that plain lines cannot say; it is edited"
                     " over the API.", class_="faint")  # fmt: skip
    if lines is not None:
        field = Field("description", "# heading, - item, empty line between paragraphs", "area",
                      (lines,))  # fmt: skip
        edit = form(f"/ui/jira/{issue['key']}/edit", rows([field]), button("Save"))
    return join(
        tag("h1", fields["summary"]),
        section("Description",
                tag("div", adf.shown(fields["description"]) or tag("p", "Nothing written yet.",
                    class_="faint"), class_="prose"), folded("Edit", edit)),
    )  # fmt: skip


def _status(desk: Desk, issue: Json) -> Html:
    key = issue["key"]
    now = issue["fields"]["status"]
    steps = desk.read("jira", f"/rest/api/3/issue/{key}/transitions")["transitions"]
    buttons = [
        button(each["to"]["name"], value=("status", each["to"]["id"]),
               says=f"Move to {each['to']['name']}")
        for each in steps if each["to"]["id"] != now["id"]
    ]  # fmt: skip
    shown = tag("p", tag("span", now["name"], class_=f"lozenge {now['statusCategory']['key']}",
                         id="status"))  # fmt: skip
    return section("Status", shown, form(f"/ui/jira/{key}/move", buttons, class_="steps"))


def _details(desk: Desk, issue: Json, meta: Json) -> Html:
    fields = (
        Field("summary", "Summary", "text", (issue["fields"]["summary"],), empty=False),
        _assignee(desk, issue),
        Field("parent", "Parent (key)", "text", _parent(issue)),
        *_editable(issue["fields"], meta),
    )
    return section(
        "Details",
        form(f"/ui/jira/{issue['key']}/edit", rows(fields), button("Save", class_="primary")),
    )


def _assignee(desk: Desk, issue: Json) -> Field:
    path = f"/rest/api/3/user/assignable/search?issueKey={issue['key']}&maxResults={_PEOPLE}"
    people = {each["accountId"]: each for each in desk.read("jira", path)}
    now = issue["fields"]["assignee"]
    if now:
        people.setdefault(now["accountId"], now)
    options = told_apart(
        (ident, each["displayName"], each.get("emailAddress")) for ident, each in people.items()
    )
    value = (now["accountId"],) if now else ()
    return Field("assignee", "Assignee", "choice", value, options)


def _parent(issue: Json) -> tuple[str, ...]:
    parent = issue["fields"].get("parent")
    return (parent["key"],) if parent else ()


def _editable(now: Json, meta: Json) -> Iterator[Field]:
    """Yield the fields of an edit screen that simple inputs can hold."""
    for name, about in meta.items():
        schema = about["schema"]
        value = now.get(name)
        if name in {"summary", "description", "environment", "assignee", "parent"}:
            continue
        if schema["type"] in {"priority", "option"}:
            options = _options(about)
            one = (str(value["id"]),) if value else ()
            yield Field(name, about["name"], "choice", one, options, empty=name != "priority")
        elif name == "labels":
            text = " ".join(value or ())
            yield Field(name, "Labels (between blanks)", "text", (text,))
        elif schema["type"] in {"number", "date"} and not isinstance(value, dict):
            yield Field(name, about["name"], _KINDS[schema["type"]], _value(value))
        elif about.get("allowedValues") and schema["type"] == "array":
            chosen = tuple(str(each["id"]) for each in value or ())
            yield Field(name, about["name"], "choices", chosen, _options(about))


def _options(about: Json) -> list[Option]:
    allowed = about.get("allowedValues") or ()
    return [(str(each["id"]), str(each.get("name") or each.get("value"))) for each in allowed]


def _value(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    if value is None:
        return ()
    return (f"{value:g}" if isinstance(value, float) else str(value),)


def _children(desk: Desk, issue: Json) -> Html:
    key = issue["key"]
    body = {
        "jql": f"parent = {key} ORDER BY rank",
        "maxResults": 100,
        "fields": ["summary", "status", "issuetype"],
    }
    found = desk.read("jira", "/rest/api/3/search/jql", body)["issues"]
    items = (
        tag("li", tag("a", each["fields"]["summary"], href=f"/ui/jira/{each['key']}"),
            tag("span", each["key"], class_="key"),
            tag("span", each["fields"]["status"]["name"],
                class_=f"lozenge {each['fields']['status']['statusCategory']['key']}"),
            id=each["key"])
        for each in found
    )  # fmt: skip
    adding = _child_form(desk, issue)
    if adding is None and not found:
        return Html()
    return section("Child issues", list_or("None yet.", items, "lines"), adding)


def _child_form(desk: Desk, issue: Json) -> Html | None:
    project = issue["fields"]["project"]["key"]
    level = issue["fields"]["issuetype"]["hierarchyLevel"]
    path = f"/rest/api/3/issue/createmeta/{part(project)}/issuetypes"
    kinds = [
        (each["id"], each["name"])
        for each in desk.read("jira", path)["issueTypes"]
        if each.get("hierarchyLevel") == level - 1
    ]
    if not kinds:
        return None
    fields = (
        Field("summary", "Summary", "text", empty=False),
        Field("kind", "Type", "choice", (kinds[0][0],), kinds, empty=False),
    )
    kept = hidden(project=project, parent=issue["key"], back=f"/ui/jira/{issue['key']}")
    return folded(
        "+ Child", form("/ui/jira/create", kept, rows(fields, "child-"), button("Create child"))
    )


def _talk(desk: Desk, issue: Json) -> Html:
    key = issue["key"]
    said = desk.read("jira", f"/rest/api/3/issue/{key}/comment?maxResults=50")["comments"]
    comments = (
        story(each["author"]["displayName"], each["created"], adf.shown(each["body"]))
        for each in said
    )
    field = Field("comment", "Add a comment", "area")
    total = desk.read("jira", f"/rest/api/3/issue/{key}/changelog?maxResults=0")["total"]
    start = max(0, total - 50)
    path = f"/rest/api/3/issue/{key}/changelog?startAt={start}&maxResults=50"
    history = [
        story((each.get("author") or {}).get("displayName"), each["created"],
              map(_change, each["items"]))
        for each in reversed(desk.read("jira", path)["values"])
    ]  # fmt: skip
    return join(
        section("Comments", list_or("Nobody has said anything.", comments, "stories"),
                form(f"/ui/jira/{key}/comment", rows([field]), button("Comment"))),
        section("History", list_or("No change yet.", history, "stories"), class_="history"),
    )  # fmt: skip


def _change(item: Json) -> Html:
    before, after = (_short(item.get(end)) for end in ("fromString", "toString"))
    return tag("p", tag("b", item["field"]), " ", tag("del", before), " → ", tag("ins", after))


def _short(text: str | None, most: int = 160) -> str:
    text = text or "none"
    return text if len(text) <= most else text[:most] + "…"


def _removal(issue: Json) -> Html:
    key = issue["key"]
    back = address("/ui/jira", project=issue["fields"]["project"]["key"])
    sure = f"{key} is gone for good then, with its sub-tasks: Jira has no trash."
    return danger(f"Delete {key}", f"/ui/jira/{key}/delete", sure=sure, back=back)


# actions


def edit(visit: Visit, key: str) -> Go:
    """Send what was changed, and nothing else."""
    changed = visit.form.changed()
    if changed:
        path = f"/rest/api/3/issue/{part(key)}"
        meta = visit.desk.read("jira", f"{path}/editmeta")["fields"]
        sent = {name: _sent(name, values, meta[name]["schema"]) for name, values in changed.items()}
        visit.desk.act("jira", "PUT", path, {"fields": sent})
    return Go(f"/ui/jira/{key}")


def _sent(name: str, values: list[str], schema: Json) -> Any:  # noqa: ANN401 - JSON
    first = values[0].strip() if values else None
    if name == "labels":
        return (first or "").split()
    if name == "description":
        return adf.from_lines(first) if first else None
    if name == "assignee":
        return {"accountId": first} if first else None
    if name == "parent":
        return {"key": first} if first else None
    if schema["type"] == "array":
        return [{"id": value} for value in values]
    if first is None:
        return None
    if schema["type"] in {"priority", "option"}:
        return {"id": first}
    return float(first) if schema["type"] == "number" else first


def comment(visit: Visit, key: str) -> Go:
    """Say something."""
    words = visit.form.one("comment")
    if words:
        path = f"/rest/api/3/issue/{part(key)}/comment"
        visit.desk.act("jira", "POST", path, {"body": adf.from_lines(words)})
    return Go(f"/ui/jira/{key}")


def delete(visit: Visit, key: str) -> Go:
    """Delete an issue with its sub-tasks."""
    visit.desk.act("jira", "DELETE", f"/rest/api/3/issue/{part(key)}?deleteSubtasks=true")
    return Go(visit.form.one("back") or "/ui/jira")
