"""People, workspaces and teams."""

from __future__ import annotations

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Project, Tag, Task, Team, User, UserTaskList, Workspace
from syncd.sandbox.asana.errors import bad, missing, unknown
from syncd.sandbox.asana.fieldvalues import find_user
from syncd.sandbox.asana.pages import LARGEST
from syncd.sandbox.wire import Response, whole


def load_user(call: Call, user: str) -> User:
    """Return the user of `me`, a gid or an e-mail in a path."""
    found = find_user(call.store, user, call.user)
    if found is None:
        if "@" in user or user.isdigit():
            raise unknown("user", user)
        raise bad(f"user: Not a recognized ID: {user}")
    return found


def get_user(call: Call, user: str) -> Response:
    """GET /users/{me, gid or e-mail}."""
    return call.one(load_user(call, user))


def list_users(call: Call) -> Response:
    """GET /users by workspace or team."""
    workspace, team = call.query_object(Workspace, "workspace"), call.query_object(Team, "team")
    if team is not None:
        return call.rows(call.store.some(team.members, User))
    return _in_workspace(call, workspace)


def workspace_users(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/users."""
    return _in_workspace(call, call.load(Workspace, workspace))


def workspace_user(call: Call, workspace: str, user: str) -> Response:
    """GET /workspaces/{gid}/users/{gid}."""
    home, found = call.load(Workspace, workspace), load_user(call, user)
    if home.gid not in found.workspaces:
        raise unknown("user", user)
    return call.one(found)


def _in_workspace(call: Call, workspace: Workspace | None) -> Response:
    everybody = call.store.every(User)
    return call.rows(
        user for user in everybody if workspace is None or workspace.gid in user.workspaces
    )


def team_users(call: Call, team: str) -> Response:
    """GET /teams/{gid}/users."""
    return call.rows(call.store.some(call.load(Team, team).members, User))


def user_task_list(call: Call, user: str) -> Response:
    """GET /users/{gid}/user_task_list."""
    found = load_user(call, user)
    home = call.query_object(Workspace, "workspace")
    if home is None:
        raise missing("workspace")
    if found.task_list is None:
        made = call.store.add(UserTaskList(call.store.new_gid(), found.gid, home.gid))
        found.task_list = made.gid
    return call.one(call.store.need(found.task_list, UserTaskList))


def get_task_list(call: Call, task_list: str) -> Response:
    """GET /user_task_lists/{gid}."""
    return call.one(call.load(UserTaskList, task_list))


def list_workspaces(call: Call) -> Response:
    """GET /workspaces."""
    return call.rows(call.store.some(call.store.need(call.user, User).workspaces, Workspace))


def get_workspace(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}."""
    return call.one(call.load(Workspace, workspace))


def update_workspace(call: Call, workspace: str) -> Response:
    """PUT /workspaces/{gid}: its name."""
    found = call.load(Workspace, workspace)
    if call.has("name"):
        found.name = call.required("name")
    return call.one(found)


KINDS: dict[str, type[User | Project | Tag | Task | Team]] = {
    "user": User, "project": Project, "tag": Tag, "task": Task, "team": Team,
}  # fmt: skip
OTHER_KINDS = ("custom_field", "goal", "portfolio", "project_template")


def typeahead(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/typeahead: by words in the name; one page, no offset."""
    home = call.load(Workspace, workspace)
    kind = call.request.one("resource_type") or call.request.one("type")
    if not kind:
        raise missing("resource_type")
    if kind not in KINDS and kind not in OTHER_KINDS:
        raise bad(f"resource_type: Not a valid value: {kind}")
    words = (call.request.one("query") or "").lower()
    found = []
    for gid in reversed(call.store.kinds.get(kind, {})):
        thing = call.store.objects[gid]
        spaces = getattr(thing, "workspaces", None) or (getattr(thing, "workspace", home.gid),)
        if home.gid in spaces and words in getattr(thing, "name", "").lower():
            found.append(thing)
        if len(found) == _count(call):
            break
    return call.reply([call.view.show(thing, call.selection, full=False) for thing in found])


def _count(call: Call) -> int:
    text = call.request.one("count") or "20"
    count = whole(text)
    if count is None or not 1 <= count <= LARGEST:
        raise bad("count: Must be between 1 and 100")
    return count


# -- teams ------------------------------------------------------------------------------------


def _organization(workspace: Workspace) -> Workspace:
    if not workspace.is_organization:
        raise bad(f"workspace: Not an organization: {workspace.gid}")
    return workspace


def list_teams(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/teams."""
    home = _organization(call.load(Workspace, workspace))
    return call.rows(team for team in call.store.every(Team) if team.workspace == home.gid)


def user_teams(call: Call, user: str) -> Response:
    """GET /users/{gid}/teams."""
    found = load_user(call, user)
    home = call.query_object(Workspace, "organization")
    if home is None:
        raise missing("organization")
    return call.rows(
        team
        for team in call.store.every(Team)
        if team.workspace == home.gid and found.gid in team.members
    )


def get_team(call: Call, team: str) -> Response:
    """GET /teams/{gid}."""
    return call.one(call.load(Team, team))


def create_team(call: Call) -> Response:
    """POST /teams."""
    home = _organization(call.body_object(Workspace, "organization"))
    made = Team(
        call.store.new_gid(),
        call.required("name"),
        home.gid,
        (call.user,),
        call.text("description"),
    )
    return call.made(call.store.add(made), "teams")


def update_team(call: Call, team: str) -> Response:
    """PUT /teams/{gid}: name and description."""
    found = call.load(Team, team)
    if call.has("name"):
        found.name = call.required("name")
    if call.has("description"):
        found.description = call.text("description")
    return call.one(found)


def add_to_team(call: Call, team: str) -> Response:
    """POST /teams/{gid}/addUser."""
    found = call.load(Team, team)
    user = call.person(call.body.get("user"), "user")
    found.members = tuple(dict.fromkeys((*found.members, user.gid)))
    return call.reply(
        {
            "gid": f"{found.gid}{user.gid[-4:]}",
            "resource_type": "team_membership",
            "user": call.view.compact(user),
            "team": call.view.compact(found),
            "is_guest": False,
            "is_limited_access": False,
            "is_admin": False,
        }
    )


def remove_from_team(call: Call, team: str) -> Response:
    """POST /teams/{gid}/removeUser."""
    found = call.load(Team, team)
    user = call.person(call.body.get("user"), "user")
    found.members = tuple(gid for gid in found.members if gid != user.gid)
    return call.empty()


ROUTES = (
    ("GET", "/users", list_users),
    ("GET", "/users/{user}", get_user),
    ("GET", "/users/{user}/teams", user_teams),
    ("GET", "/users/{user}/user_task_list", user_task_list),
    ("GET", "/user_task_lists/{task_list}", get_task_list),
    ("GET", "/workspaces", list_workspaces),
    ("GET", "/workspaces/{workspace}", get_workspace),
    ("PUT", "/workspaces/{workspace}", update_workspace),
    ("GET", "/workspaces/{workspace}/users", workspace_users),
    ("GET", "/workspaces/{workspace}/users/{user}", workspace_user),
    ("GET", "/workspaces/{workspace}/teams", list_teams),
    ("GET", "/workspaces/{workspace}/typeahead", typeahead),
    ("POST", "/teams", create_team),
    ("GET", "/teams/{team}", get_team),
    ("PUT", "/teams/{team}", update_team),
    ("GET", "/teams/{team}/users", team_users),
    ("POST", "/teams/{team}/addUser", add_to_team),
    ("POST", "/teams/{team}/removeUser", remove_from_team),
)
