"""Routes of saved queries, which JQL can name: `filter = "Mine"`."""

from __future__ import annotations

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Filter, Json, User
from syncd.sandbox.jira.problems import bad, bad_field
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.search import Search
from syncd.sandbox.wire import Response


def _shape(call: Call, found: Filter) -> Json:
    base, api = call.shapes.base, call.shapes.api
    return {
        "self": f"{api}/filter/{found.id}",
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "owner": call.shapes.user(found.owner),
        "jql": found.jql,
        "viewUrl": f"{base}/issues/?filter={found.id}",
        "searchUrl": f"{api}/search?jql={found.jql}",
        "favourite": call.user is not None and call.user.account_id in found.favourites,
        "favouritedCount": len(found.favourites),
        "sharePermissions": [],
        "editPermissions": [],
        "subscriptions": {"size": 0, "items": [], "max-results": 0, "start-index": 0,
                          "end-index": 0},
        "sharedUsers": {"size": 0, "items": [], "max-results": 0, "start-index": 0,
                        "end-index": 0},
    }  # fmt: skip


def _find(call: Call, key: str) -> Filter:
    found = call.store.filters.get(key)
    if found is None or call.user is None or found.owner != call.user.account_id:
        raise bad("The selected filter is not available to you, perhaps it has been deleted or had"
                  " its permissions changed.")  # fmt: skip
    return found


def _mine(call: Call, me: User) -> list[Filter]:
    return [it for it in call.store.filters.values() if it.owner == me.account_id]


def _fill(call: Call, me: User, found: Filter, body: dict[str, Json]) -> None:
    name = str(body.get("name") or "").strip()
    if not name:
        raise bad_field("filterName", "You must specify a name to save this filter as.")
    if any(it.name == name and it.id != found.id for it in _mine(call, me)):
        raise bad_field("filterName", "Filter with same name already exists.")
    jql = str(body.get("jql") or "")
    Search(call.viewer, jql, call.sees, bounded=False)  # refuses what no search would take
    found.name, found.jql = name, jql
    found.description = str(body.get("description") or "")


def create(call: Call) -> Response:
    """POST filter."""
    me = call.me()
    found = Filter("", "", "", me.account_id)
    _fill(call, me, found, call.json())
    found.id = str(call.store.number("filter"))
    if call.json().get("favourite"):
        found.favourites.add(me.account_id)
    call.store.filters[found.id] = found
    return call.ok(_shape(call, found))


def read(call: Call, key: str) -> Response:
    """GET filter/{id}."""
    return call.ok(_shape(call, _find(call, key)))


def update(call: Call, key: str) -> Response:
    """PUT filter/{id}."""
    found = _find(call, key)
    _fill(call, call.me(), found, call.json())
    return call.ok(_shape(call, found))


def delete(call: Call, key: str) -> Response:
    """DELETE filter/{id}."""
    del call.store.filters[_find(call, key).id]
    return call.done()


def mine(call: Call) -> Response:
    """GET filter/my."""
    return call.ok([_shape(call, it) for it in _mine(call, call.me())])


def favourites(call: Call) -> Response:
    """GET filter/favourite."""
    me = call.me()
    rows = [it for it in _mine(call, me) if me.account_id in it.favourites]
    return call.ok([_shape(call, it) for it in rows])


def favour(call: Call, key: str) -> Response:
    """PUT and DELETE filter/{id}/favourite."""
    me, found = call.me(), _find(call, key)
    if call.request.method == "PUT":
        found.favourites.add(me.account_id)
    else:
        found.favourites.discard(me.account_id)
    return call.ok(_shape(call, found))


def search(call: Call) -> Response:
    """GET filter/search: only what `expand` names beside id and name."""
    part = (call.request.one("filterName") or "").casefold()
    ids, expand = set(call.request.many("id")), set(call.names("expand"))
    rows: list[Json] = []
    for found in call.store.filters.values():
        seen = call.user is not None and found.owner == call.user.account_id
        if seen and part in found.name.casefold() and (not ids or found.id in ids):
            shape = _shape(call, found)
            kept = {"self", "id", "name", *expand} & set(shape)
            rows.append({name: shape[name] for name in shape if name in kept})
    return call.page_bean(rows)


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("POST", "/filter", create),
        ("GET", "/filter/my", mine),
        ("GET", "/filter/favourite", favourites),
        ("GET", "/filter/search", search),
        ("GET", "/filter/{key}", read),
        ("PUT", "/filter/{key}", update),
        ("DELETE", "/filter/{key}", delete),
        ("PUT", "/filter/{key}/favourite", favour),
        ("DELETE", "/filter/{key}/favourite", favour),
    ):
        routes.add(method, path, handler)
