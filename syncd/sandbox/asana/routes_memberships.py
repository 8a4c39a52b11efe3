"""Routes of memberships: who belongs to a project, portfolio, goal, team or workspace."""

from __future__ import annotations

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import (
    Entity,
    Membership,
    Project,
    Task,
    Team,
    User,
    Workspace,
)
from syncd.sandbox.asana.errors import bad, missing, unknown
from syncd.sandbox.asana.planning import Goal, Portfolio
from syncd.sandbox.asana.records_extras import SpecialMembership
from syncd.sandbox.asana.routes_people import load_user
from syncd.sandbox.wire import Response

LEVELS = ("admin", "editor", "commenter", "viewer")
_LISTS = {"project": "members", "portfolio": "members", "goal": "followers", "team": "members"}
_JOINABLE: dict[str, type[Entity]] = {"project": Project, "portfolio": Portfolio, "goal": Goal}


def _people(call: Call, holder: Entity) -> list[User]:
    if isinstance(holder, Workspace):
        return [it for it in call.store.every(User) if holder.gid in it.workspaces]
    return call.store.some(getattr(holder, _LISTS[holder.KIND]), User)


def _membership(call: Call, holder: Entity, user: User) -> Membership:
    """Return the membership of a person, which is given a gid when first asked for."""
    known = call.store.memberships.get((holder.gid, user.gid))
    found = call.store.get(known, Membership)
    if found is None:
        owner = getattr(holder, "owner", None) == user.gid
        level = "admin" if owner else "editor"
        found = call.store.add(
            Membership(call.store.new_gid(), holder.KIND, holder.gid, user.gid, level)
        )
        call.store.memberships[holder.gid, user.gid] = found.gid
    return found


def _of(call: Call, holder: Entity, user: User | None) -> list[Membership]:
    people = [it for it in _people(call, holder) if user is None or it.gid == user.gid]
    return [_membership(call, holder, it) for it in people]


def _load(call: Call, gid: str, kind: str = "") -> tuple[Membership, Entity, User]:
    """Return a membership that still holds, with its two ends; refuse one that does not."""
    found = call.load(Membership, gid, name=f"{kind}_membership" if kind else "membership")
    holder, user = call.store.objects.get(found.parent), call.store.get(found.member, User)
    holds = holder is not None and user is not None and user in _people(call, holder)
    if not holds or holder is None or user is None or kind not in {"", found.of}:
        raise unknown("membership", gid)
    return found, holder, user


# -- the newer form ---------------------------------------------------------------------------


def _parent(call: Call, gid: object) -> Entity:
    thing = call.store.objects.get(str(gid))
    kind = _JOINABLE.get(thing.KIND if thing else "")
    return call.named(kind or Project, gid, "parent")


def memberships(call: Call) -> Response:
    """GET /memberships by parent, and perhaps member."""
    parent, member = call.request.one("parent"), call.request.one("member")
    if not parent:
        raise missing("parent")
    user = None if member is None else load_user(call, member)
    return call.rows(_of(call, _parent(call, parent), user))


def join(call: Call) -> Response:
    """POST /memberships."""
    for name in ("parent", "member"):
        if not call.body.get(name):
            raise missing(name)
    holder, user = _parent(call, call.body["parent"]), call.person(call.body["member"], "member")
    level = call.choice("access_level", LEVELS, "editor")
    field = _LISTS[holder.KIND]
    people: tuple[str, ...] = getattr(holder, field)
    if user.gid not in people:
        setattr(holder, field, (*people, user.gid))
        call.actor.changed(holder, field, new=user, how="added")
    found = _membership(call, holder, user)
    found.access_level = level
    return call.made(found, "memberships")


def membership(call: Call, membership: str) -> Response:
    """GET /memberships/{gid}."""
    return call.one(_load(call, membership)[0])


def change(call: Call, membership: str) -> Response:
    """PUT /memberships/{gid}: its level of access."""
    found = _load(call, membership)[0]
    found.access_level = call.choice("access_level", LEVELS, found.access_level)
    return call.one(found)


def leave(call: Call, membership: str) -> Response:
    """DELETE /memberships/{gid}."""
    _found, holder, user = _load(call, membership)
    if holder.KIND not in _JOINABLE:
        raise bad(f"membership: A {holder.KIND} membership cannot be deleted here")
    field = _LISTS[holder.KIND]
    setattr(holder, field, tuple(gid for gid in getattr(holder, field) if gid != user.gid))
    call.actor.changed(holder, field, new=user, how="removed")
    return call.empty()


# -- the older forms, one for each kind -------------------------------------------------------


def _special(call: Call, kind: str, gid: str) -> Response:
    return call.one(SpecialMembership(f"{kind}_membership", _load(call, gid, kind)[0]))


def _listed(call: Call, rows: list[Membership]) -> Response:
    return call.rows([SpecialMembership(f"{it.of}_membership", it) for it in rows])


def _user(call: Call) -> User | None:
    named = call.request.one("user")
    return None if named is None else load_user(call, named)


def of_project(call: Call, project: str) -> Response:
    """GET /projects/{gid}/project_memberships."""
    return _listed(call, _of(call, call.load(Project, project), _user(call)))


def of_portfolio(call: Call, portfolio: str) -> Response:
    """GET /portfolios/{gid}/portfolio_memberships."""
    return _listed(call, _of(call, call.load(Portfolio, portfolio), _user(call)))


def of_portfolios(call: Call) -> Response:
    """GET /portfolio_memberships by portfolio, or by workspace and user."""
    portfolio = call.query_object(Portfolio, "portfolio")
    if portfolio is not None:
        return _listed(call, _of(call, portfolio, _user(call)))
    user = _user(call)
    if call.query_object(Workspace, "workspace") is None or user is None:
        raise missing("portfolio")
    return _listed(call, [m for it in call.store.every(Portfolio) for m in _of(call, it, user)])


def of_team(call: Call, team: str) -> Response:
    """GET /teams/{gid}/team_memberships."""
    return _listed(call, _of(call, call.load(Team, team), None))


def of_teams(call: Call) -> Response:
    """GET /team_memberships by team, or by user and workspace."""
    team = call.query_object(Team, "team")
    if team is not None:
        return of_team(call, team.gid)
    user = _user(call)
    if user is None or call.query_object(Workspace, "workspace") is None:
        raise missing("team")
    return _teams_of(call, user)


def _teams_of(call: Call, user: User) -> Response:
    return _listed(call, [m for it in call.store.every(Team) for m in _of(call, it, user)])


def teams_of_user(call: Call, user: str) -> Response:
    """GET /users/{gid}/team_memberships."""
    found = load_user(call, user)
    if call.query_object(Workspace, "workspace") is None:
        raise missing("workspace")
    return _teams_of(call, found)


def of_workspace(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/workspace_memberships."""
    return _listed(call, _of(call, call.load(Workspace, workspace), _user(call)))


def workspaces_of_user(call: Call, user: str) -> Response:
    """GET /users/{gid}/workspace_memberships."""
    found = load_user(call, user)
    homes = call.store.some(found.workspaces, Workspace)
    return _listed(call, [m for home in homes for m in _of(call, home, found)])


# -- people of a workspace --------------------------------------------------------------------


def add_to_workspace(call: Call, workspace: str) -> Response:
    """POST /workspaces/{gid}/addUser: by gid or e-mail of somebody known."""
    home, user = call.load(Workspace, workspace), _named(call)
    user.workspaces = tuple(dict.fromkeys((*user.workspaces, home.gid)))
    return call.reply(call.view.show(user, call.selection, full=True))


def remove_from_workspace(call: Call, workspace: str) -> Response:
    """POST /workspaces/{gid}/removeUser: the person's tasks there become nobody's."""
    home, user = call.load(Workspace, workspace), _named(call)
    user.workspaces = tuple(gid for gid in user.workspaces if gid != home.gid)
    for _, gid in list(user.tasks.keys):
        call.store.assign(call.store.need(gid, Task), None)
    return call.empty()


def _named(call: Call) -> User:
    if not call.body.get("user"):
        raise missing("user")
    return call.person(call.body["user"], "user")


ROUTES = (
    ("GET", "/memberships", memberships),
    ("POST", "/memberships", join),
    ("GET", "/memberships/{membership}", membership),
    ("PUT", "/memberships/{membership}", change),
    ("DELETE", "/memberships/{membership}", leave),
    ("GET", "/projects/{project}/project_memberships", of_project),
    ("GET", "/project_memberships/{gid}", lambda call, gid: _special(call, "project", gid)),
    ("GET", "/portfolios/{portfolio}/portfolio_memberships", of_portfolio),
    ("GET", "/portfolio_memberships", of_portfolios),
    ("GET", "/portfolio_memberships/{gid}", lambda call, gid: _special(call, "portfolio", gid)),
    ("GET", "/teams/{team}/team_memberships", of_team),
    ("GET", "/team_memberships", of_teams),
    ("GET", "/team_memberships/{gid}", lambda call, gid: _special(call, "team", gid)),
    ("GET", "/users/{user}/team_memberships", teams_of_user),
    ("GET", "/users/{user}/workspace_memberships", workspaces_of_user),
    ("GET", "/workspaces/{workspace}/workspace_memberships", of_workspace),
    ("GET", "/workspace_memberships/{gid}", lambda call, gid: _special(call, "workspace", gid)),
    ("POST", "/workspaces/{workspace}/addUser", add_to_workspace),
    ("POST", "/workspaces/{workspace}/removeUser", remove_from_workspace),
)
