"""Portfolios and status updates."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.asana import holders
from syncd.sandbox.asana.access import can_see
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Entity, Project, Workspace
from syncd.sandbox.asana.errors import bad, missing, no_access, unknown
from syncd.sandbox.asana.mentions import read_rich
from syncd.sandbox.asana.moments import read_moment
from syncd.sandbox.asana.planning import STATUS_OF_UPDATE, Goal, Holder, Portfolio, StatusUpdate
from syncd.sandbox.asana.records_planning import project_status
from syncd.sandbox.asana.routes_goals import need_plan
from syncd.sandbox.wire import Response

MOST_ITEMS = 1500
WORK_STATUSES = ("on_track", "at_risk", "off_track", "on_hold", "complete", "dropped")
GOAL_STATUSES = ("on_track", "at_risk", "off_track", "achieved", "partial", "missed", "dropped")
COLORS = {"green": "on_track", "yellow": "at_risk", "red": "off_track", "blue": "on_hold"}


def load(call: Call, portfolio: str) -> Portfolio:
    """Return a portfolio of the path."""
    need_plan(call)
    return call.load(Portfolio, portfolio)


def list_portfolios(call: Call) -> Response:
    """GET /portfolios: a person's token sees the portfolios that person owns."""
    need_plan(call)
    home = call.query_object(Workspace, "workspace")
    if home is None:
        raise missing("workspace")
    return call.rows(
        it
        for it in call.store.every(Portfolio)
        if it.workspace == home.gid and it.owner == call.user
    )


def get_portfolio(call: Call, portfolio: str) -> Response:
    """GET /portfolios/{gid}."""
    return call.one(load(call, portfolio))


def create_portfolio(call: Call) -> Response:
    """POST /portfolios."""
    need_plan(call)
    home = call.body_object(Workspace, "workspace")
    made = Portfolio(
        call.store.new_gid(),
        name=call.required("name"),
        workspace=home.gid,
        created_at=call.store.now(),
        created_by=call.user,
        owner=call.user,
        members=(call.user,),
    )
    call.actor.muted = True
    holders.apply(call, made, _read(call))
    call.actor.muted = False
    return call.made(call.store.add(made), "portfolios")


def update_portfolio(call: Call, portfolio: str) -> Response:
    """PUT /portfolios/{gid}."""
    found = load(call, portfolio)
    new = _read(call)
    if call.has("custom_fields"):
        new["custom_values"] = holders.read_values(call, found)
    holders.apply(call, found, new)
    return call.one(found)


def _read(call: Call) -> dict[str, Any]:
    new: dict[str, Any] = holders.read_dates(call, "due_on")
    if call.has("name"):
        new["name"] = call.required("name")
    if call.has("color"):
        new["color"] = call.text("color") or None
    for name in ("archived", "public"):
        if call.has(name):
            new[name] = call.flag(name)
    return new


def delete_portfolio(call: Call, portfolio: str) -> Response:
    """DELETE /portfolios/{gid}: what is in it stays."""
    found = load(call, portfolio)
    call.actor.emit(found, "deleted")
    call.store.bin(found)
    return call.empty()


def list_items(call: Call, portfolio: str) -> Response:
    """GET /portfolios/{gid}/items."""
    found = load(call, portfolio)
    things = [call.store.objects[gid] for gid in found.items if gid in call.store.objects]
    return call.rows(it for it in things if can_see(call.store, call.user, it))


def add_item(call: Call, portfolio: str) -> Response:
    """POST /portfolios/{gid}/addItem: a project or portfolio, at a place."""
    found = load(call, portfolio)
    thing = _item(call)
    if thing.gid == found.gid or found.gid in _below(call, thing):
        raise bad("item: A portfolio cannot contain itself")
    others = [gid for gid in found.items if gid != thing.gid]
    if len(others) >= MOST_ITEMS:
        raise bad(f"item: A portfolio can have at most {MOST_ITEMS} items")
    others.insert(_place(call, others), thing.gid)
    if thing.gid not in found.items:
        call.actor.emit(thing, "added", parent=found, also={found.gid})
    found.items = tuple(others)
    return call.empty()


def _item(call: Call) -> Entity:
    gid = call.required("item")
    thing = call.store.objects.get(gid)
    if not isinstance(thing, (Project, Portfolio)):
        raise unknown("item", gid, 400)
    if not can_see(call.store, call.user, thing):
        raise no_access(thing.KIND)
    return thing


def _below(call: Call, thing: Entity) -> set[str]:
    if not isinstance(thing, Portfolio):
        return set()
    found = set(thing.items)
    for inner in call.store.some(thing.items, Portfolio):
        found |= _below(call, inner)
    return found


def _place(call: Call, others: list[str]) -> int:
    for name, shift in (("insert_before", 0), ("insert_after", 1)):
        if call.body.get(name):
            if call.body[name] not in others:
                raise bad(f"{name}: Not an item of the portfolio: {call.body[name]}")
            return others.index(call.body[name]) + shift
    return len(others)


def remove_item(call: Call, portfolio: str) -> Response:
    """POST /portfolios/{gid}/removeItem."""
    found, thing = load(call, portfolio), _item(call)
    if thing.gid in found.items:
        found.items = tuple(gid for gid in found.items if gid != thing.gid)
        call.actor.emit(thing, "removed", parent=found, also={found.gid})
    return call.empty()


def change_members(call: Call, portfolio: str, *, add: bool) -> Response:
    """POST /portfolios/{gid}/addMembers, removeMembers."""
    found = load(call, portfolio)
    if not call.has("members"):
        raise missing("members")
    users = [user.gid for user in call.people("members")]
    if add:
        found.members = tuple(dict.fromkeys((*found.members, *users)))
    else:
        found.members = tuple(gid for gid in found.members if gid not in users)
    return call.one(found)


# -- status updates ---------------------------------------------------------------------------


def list_updates(call: Call) -> Response:
    """GET /status_updates?parent=, newest first."""
    gid = call.request.one("parent")
    if not gid:
        raise missing("parent")
    parent = _parent(call, gid, 404)
    since = read_moment("created_since", call.request.one("created_since") or None)
    found = call.store.some(reversed(parent.status_updates), StatusUpdate)
    return call.rows(it for it in found if since is None or it.created_at >= since)


def _parent(call: Call, gid: str, status: int) -> Holder:
    thing = call.store.objects.get(gid)
    if not isinstance(thing, (Project, Goal, Portfolio)):
        raise unknown("parent", gid, status)
    if not can_see(call.store, call.user, thing):
        raise no_access(thing.KIND)
    return thing


def get_update(call: Call, update: str) -> Response:
    """GET /status_updates/{gid}."""
    return call.one(call.load(StatusUpdate, update))


def create_update(call: Call) -> Response:
    """POST /status_updates on a project, portfolio or goal."""
    parent = _parent(call, call.required("parent"), 400)
    allowed = GOAL_STATUSES if isinstance(parent, Goal) else WORK_STATUSES
    if not call.has("status_type"):
        raise missing("status_type")
    status = call.choice("status_type", allowed, "")
    return call.made(_post(call, parent, status), "status_updates")


def _post(call: Call, parent: Holder, status: str) -> StatusUpdate:
    given = call.body.get("html_text")
    text, html = read_rich(call, "html_text", given) if given else (call.required("text"), None)
    now = call.store.now()
    made = StatusUpdate(
        call.store.new_gid(),
        parent=parent.gid,
        title=call.text("title"),
        text=text,
        status_type=status,
        author=call.user,
        created_at=now,
        modified_at=now,
        subtype=f"{parent.KIND}_status_update",
        html=html,
    )
    call.store.add(made)
    parent.status_updates = (*parent.status_updates, made.gid)
    call.actor.changed(parent, "current_status_update", new=made)
    if isinstance(parent, Goal):
        parent.status = STATUS_OF_UPDATE.get(status, status)
    elif isinstance(parent, Project):
        parent.modified_at = now
        if status == "complete" and parent.completed_at is None:
            parent.completed_at, parent.completed_by = now, call.user
    return made


def delete_update(call: Call, update: str) -> Response:
    """DELETE /status_updates/{gid} and, in the older form, /project_statuses/{gid}."""
    found = call.load(StatusUpdate, update)
    parent = _parent(call, found.parent, 404)
    parent.status_updates = tuple(gid for gid in parent.status_updates if gid != found.gid)
    call.actor.changed(parent, "current_status_update")
    call.store.bin(found)
    return call.empty()


# -- the older form: project statuses ---------------------------------------------------------


def _old_form(call: Call, update: StatusUpdate, *, full: bool) -> dict[str, Any]:
    record = project_status(call.view, update)
    if call.selection is not None:
        picked: dict[str, Any] = call.view.pick(record, {"gid": {}, **call.selection})
        return picked
    if not full:
        record = {name: record[name] for name in ("gid", "resource_type", "title")}
    record.pop("html_text", None)
    shown: dict[str, Any] = call.view.nested(record)
    return shown


def list_statuses(call: Call, project: str) -> Response:
    """GET /projects/{gid}/project_statuses, newest first."""
    found = call.load(Project, project)
    updates = call.store.some(reversed(found.status_updates), StatusUpdate)
    return call.shown_rows(updates, lambda update: _old_form(call, update, full=False))


def create_status(call: Call, project: str) -> Response:
    """POST /projects/{gid}/project_statuses with a color."""
    found = call.load(Project, project)
    if not call.has("color"):
        raise missing("color")
    color = call.choice("color", (*COLORS, "complete"), "")
    made = _post(call, found, COLORS.get(color, color))
    return call.reply(_old_form(call, made, full=True), 201)


def get_status(call: Call, status: str) -> Response:
    """GET /project_statuses/{gid}."""
    return call.reply(_old_form(call, call.load(StatusUpdate, status), full=True))


ROUTES = (
    ("GET", "/portfolios", list_portfolios),
    ("POST", "/portfolios", create_portfolio),
    ("GET", "/portfolios/{portfolio}", get_portfolio),
    ("PUT", "/portfolios/{portfolio}", update_portfolio),
    ("DELETE", "/portfolios/{portfolio}", delete_portfolio),
    ("GET", "/portfolios/{portfolio}/items", list_items),
    ("POST", "/portfolios/{portfolio}/addItem", add_item),
    ("POST", "/portfolios/{portfolio}/removeItem", remove_item),
    (
        "POST",
        "/portfolios/{portfolio}/addMembers",
        lambda call, portfolio: change_members(call, portfolio, add=True),
    ),
    (
        "POST",
        "/portfolios/{portfolio}/removeMembers",
        lambda call, portfolio: change_members(call, portfolio, add=False),
    ),
    (
        "GET",
        "/portfolios/{portfolio}/custom_field_settings",
        lambda call, portfolio: holders.list_settings(call, load(call, portfolio)),
    ),
    (
        "POST",
        "/portfolios/{portfolio}/addCustomFieldSetting",
        lambda call, portfolio: holders.add_setting(call, load(call, portfolio)),
    ),
    (
        "POST",
        "/portfolios/{portfolio}/removeCustomFieldSetting",
        lambda call, portfolio: holders.remove_setting(call, load(call, portfolio)),
    ),
    ("GET", "/status_updates", list_updates),
    ("POST", "/status_updates", create_update),
    ("GET", "/status_updates/{update}", get_update),
    ("DELETE", "/status_updates/{update}", delete_update),
    ("GET", "/projects/{project}/project_statuses", list_statuses),
    ("POST", "/projects/{project}/project_statuses", create_status),
    ("GET", "/project_statuses/{status}", get_status),
    ("DELETE", "/project_statuses/{update}", delete_update),
)
