"""Projects, their sections and their custom field settings."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.sandbox.asana import holders
from syncd.sandbox.asana.access import can_see
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import (
    Project,
    Section,
    Task,
    Team,
    User,
    Workspace,
)
from syncd.sandbox.asana.errors import bad, missing
from syncd.sandbox.wire import Response

READ_ONLY = ("gid", "created_at", "modified_at", "completed_at", "permalink_url", "members")
VIEWS = ("list", "board", "calendar", "timeline")
PRIVACY = ("public_to_workspace", "private_to_team", "private")
COUNTS = (
    "num_tasks", "num_incomplete_tasks", "num_completed_tasks",
    "num_milestones", "num_incomplete_milestones", "num_completed_milestones",
)  # fmt: skip


def list_projects(call: Call) -> Response:
    """GET /projects by workspace, team and archived."""
    workspace = call.query_object(Workspace, "workspace")
    team = call.query_object(Team, "team")
    return _listed(call, workspace, team)


def workspace_projects(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/projects."""
    return _listed(call, call.load(Workspace, workspace), None)


def team_projects(call: Call, team: str) -> Response:
    """GET /teams/{gid}/projects."""
    return _listed(call, None, call.load(Team, team))


def task_projects(call: Call, task: str) -> Response:
    """GET /tasks/{gid}/projects."""
    found = call.load(Task, task)
    return call.rows(call.store.some((place.project for place in found.places), Project))


def _listed(call: Call, workspace: Workspace | None, team: Team | None) -> Response:
    archived = call.query_flag("archived")
    return call.rows(
        project
        for project in call.store.every(Project)
        if (workspace is None or project.workspace == workspace.gid)
        and (team is None or project.team == team.gid)
        and (archived is None or project.archived == archived)
        and can_see(call.store, call.user, project)
    )


def get_project(call: Call, project: str) -> Response:
    """GET /projects/{gid}."""
    return call.one(call.load(Project, project))


def create_project(call: Call, workspace: str = "", team: str = "") -> Response:
    """POST /projects, /workspaces/{gid}/projects, /teams/{gid}/projects."""
    if workspace:
        call.body["workspace"] = workspace
    if team:
        call.body["team"] = team
    in_team = call.body_object(Team, "team") if call.body.get("team") else None
    home = (
        call.store.need(in_team.workspace, Workspace)
        if in_team is not None and not call.body.get("workspace")
        else call.body_object(Workspace, "workspace")
    )
    if home.is_organization and in_team is None:
        raise bad("Missing required team field")
    made = new_project(call, call.required("name"), home, in_team)
    call.actor.muted = True
    edit_project(call, made)
    call.actor.muted = False
    call.store.add(made)
    add_section(call, made, "Untitled section")
    return call.made(made, "projects")


def new_project(call: Call, name: str, home: Workspace, team: Team | None) -> Project:
    """Return a project not yet in the store; its creator owns it and is a member."""
    now = call.store.now()
    return Project(
        call.store.new_gid(),
        name=name,
        workspace=home.gid,
        team=team.gid if team else None,
        created_at=now,
        modified_at=now,
        owner=call.user,
        members=(call.user,),
        followers=(call.user,),
    )


def update_project(call: Call, project: str) -> Response:
    """PUT /projects/{gid}."""
    found = call.load(Project, project)
    for name in READ_ONLY:
        if call.has(name):
            raise bad(f"{name}: Cannot write this property")
    edit_project(call, found)
    return call.one(found)


def edit_project(call: Call, project: Project) -> None:
    """Apply the body to a project, each changed field with its event."""
    new = {
        **_texts(call),
        **holders.read_dates(call, "due_on", "due_date"),
        **_people(call, project),
    }
    if call.has("custom_fields"):
        new["custom_values"] = holders.read_values(call, project)
    if call.has("notes") or call.has("html_notes"):
        new["notes"] = holders.read_notes(call)
    if holders.apply(call, project, new):
        project.modified_at = call.store.now()


def _texts(call: Call) -> dict[str, object]:
    out: dict[str, object] = {}
    if call.has("name"):
        out["name"] = call.required("name")
    if call.has("archived"):
        out["archived"] = call.flag("archived")
    for name in ("color", "icon"):
        if call.has(name):
            out[name] = call.text(name) or None
    if call.has("default_view"):
        out["default_view"] = call.choice("default_view", VIEWS, "list")
    if call.has("privacy_setting"):
        out["privacy_setting"] = call.choice("privacy_setting", PRIVACY, PRIVACY[0])
    elif call.has("public"):
        out["privacy_setting"] = PRIVACY[0] if call.flag("public") else "private"
    return out


def _people(call: Call, project: Project) -> dict[str, object]:
    out: dict[str, object] = {}
    if call.has("owner"):
        owner = call.body["owner"]
        out["owner"] = None if owner is None else call.person(owner, "owner").gid
    if call.has("followers"):
        more = (user.gid for user in call.people("followers"))
        out["followers"] = tuple(dict.fromkeys((*project.followers, *more)))
    if call.body.get("team"):
        out["team"] = call.body_object(Team, "team").gid
    return out


def delete_project(call: Call, project: str) -> Response:
    """DELETE /projects/{gid}: its tasks stay, without it."""
    found = call.load(Project, project)
    for gid in found.sections:
        section = call.store.need(gid, Section)
        for _, task in list(section.tasks.keys):
            call.store.take(call.store.need(task, Task), found)
        call.store.bin(section)
    call.actor.emit(found, "deleted")
    call.store.bin(found)
    return call.empty()


def task_counts(call: Call, project: str) -> Response:
    """GET /projects/{gid}/task_counts: nothing unless asked for."""
    found = call.load(Project, project)
    if call.selection is None:
        return call.empty()
    rows = [(t.subtype == "milestone", t.completed) for t in _tasks(call, found)]
    stones = [done for stone, done in rows if stone]
    done_all, done_stones = sum(done for _, done in rows), sum(stones)
    numbers = (
        len(rows), len(rows) - done_all, done_all,
        len(stones), len(stones) - done_stones, done_stones,
    )  # fmt: skip
    counts = dict(zip(COUNTS, numbers, strict=True))
    return call.reply({name: n for name, n in counts.items() if name in call.selection})


def _tasks(call: Call, project: Project) -> Iterable[Task]:
    return (task for _, task in call.store.project_tasks(project, None))


def change_people(call: Call, project: str, action: str) -> Response:
    """POST /projects/{gid}/addMembers, removeMembers, addFollowers, removeFollowers."""
    found = call.load(Project, project)
    field = "members" if action.endswith("Members") else "followers"
    if not call.has(field):
        raise missing(field)
    users = call.people(field)
    had: tuple[str, ...] = getattr(found, field)
    if action.startswith("add"):
        now = tuple(dict.fromkeys((*had, *(user.gid for user in users))))
    else:
        gone = {user.gid for user in users}
        now = tuple(gid for gid in had if gid not in gone)
    setattr(found, field, now)
    how = "added" if action.startswith("add") else "removed"
    for user in users:
        if (user.gid in had) != (user.gid in now):
            call.actor.changed(found, field, new=call.store.need(user.gid, User), how=how)
    return call.one(found)


# -- sections ---------------------------------------------------------------------------------


def add_section(call: Call, project: Project, name: str, at: int | None = None) -> Section:
    """Add a section to a project."""
    store = call.store
    made = store.add(
        Section(store.new_gid(), name=name, project=project.gid, created_at=store.now())
    )
    project.sections.insert(len(project.sections) if at is None else at, made.gid)
    call.actor.emit(made, "added", parent=project)
    return made


ROUTES = (
    ("GET", "/projects", list_projects),
    ("POST", "/projects", create_project),
    ("GET", "/projects/{project}", get_project),
    ("PUT", "/projects/{project}", update_project),
    ("DELETE", "/projects/{project}", delete_project),
    ("GET", "/projects/{project}/task_counts", task_counts),
    (
        "GET",
        "/projects/{project}/custom_field_settings",
        lambda call, project: holders.list_settings(call, call.load(Project, project)),
    ),
    (
        "POST",
        "/projects/{project}/addCustomFieldSetting",
        lambda call, project: holders.add_setting(call, call.load(Project, project)),
    ),
    (
        "POST",
        "/projects/{project}/removeCustomFieldSetting",
        lambda call, project: holders.remove_setting(call, call.load(Project, project)),
    ),
    (
        "POST",
        "/projects/{project}/addMembers",
        lambda c, project: change_people(c, project, "addMembers"),
    ),
    (
        "POST",
        "/projects/{project}/removeMembers",
        lambda c, project: change_people(c, project, "removeMembers"),
    ),
    (
        "POST",
        "/projects/{project}/addFollowers",
        lambda c, project: change_people(c, project, "addFollowers"),
    ),
    (
        "POST",
        "/projects/{project}/removeFollowers",
        lambda c, project: change_people(c, project, "removeFollowers"),
    ),
    ("GET", "/workspaces/{workspace}/projects", workspace_projects),
    ("POST", "/workspaces/{workspace}/projects", create_project),
    ("GET", "/teams/{team}/projects", team_projects),
    ("POST", "/teams/{team}/projects", create_project),
    ("GET", "/tasks/{task}/projects", task_projects),
)
