"""Routes of attachments, logged time and project briefs."""

from __future__ import annotations

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Attachment, Project, ProjectBrief, Task, TimeEntry
from syncd.sandbox.asana.errors import bad, missing
from syncd.sandbox.asana.mentions import read_rich
from syncd.sandbox.asana.moments import day_of, read_date
from syncd.sandbox.wire import Response

HOSTS = ("asana", "external")
Holder = Task | Project | ProjectBrief


# -- attachments ------------------------------------------------------------------------------


def _holder(call: Call, gid: object) -> Holder:
    thing = call.store.objects.get(str(gid))
    kind = type(thing) if isinstance(thing, (Task, Project, ProjectBrief)) else Task
    return call.named(kind, gid, "parent")


def attachments(call: Call) -> Response:
    """GET /attachments?parent=, oldest first."""
    gid = call.request.one("parent")
    if not gid:
        raise missing("parent")
    holder = _holder(call, gid)
    return call.rows(it for it in call.store.every(Attachment) if it.parent == holder.gid)


def attach(call: Call) -> Response:
    """POST /attachments: a form with `file` and `parent`, or a link."""
    if not call.body.get("parent"):
        raise missing("parent")
    holder = _holder(call, call.body["parent"])
    host = call.choice("resource_subtype", HOSTS, "external" if call.has("url") else "asana")
    made = Attachment(
        call.store.new_gid(), name="", parent=holder.gid, created_at=call.store.now(), host=host
    )
    if host == "external":
        made.url, made.name = call.required("url"), call.required("name")
    elif call.file is None:
        raise missing("file")
    else:
        made.name, made.content = call.file
        made.name = call.text("name") or made.name
    call.store.add(made)
    call.actor.emit(made, "added", parent=holder)
    if isinstance(holder, Task):
        call.actor.story(holder, "attachment_added", f"attached {made.name}")
        call.store.touch(holder)
    return call.reply(call.view.show(made, call.selection, full=True))


def attachment(call: Call, attachment: str) -> Response:
    """GET /attachments/{gid}."""
    return call.one(call.load(Attachment, attachment))


def detach(call: Call, attachment: str) -> Response:
    """DELETE /attachments/{gid}."""
    found = call.load(Attachment, attachment)
    holder = call.store.objects.get(found.parent)
    call.actor.emit(found, "deleted", parent=holder)
    call.store.bin(found)
    if isinstance(holder, Task):
        call.store.touch(holder)
    return call.empty()


# -- logged time ------------------------------------------------------------------------------


def entries(call: Call, task: str = "") -> Response:
    """GET /tasks/{gid}/time_tracking_entries, /time_tracking_entries."""
    wanted = call.load(Task, task).gid if task else call.request.one("task")
    return call.rows(
        it for it in call.store.every(TimeEntry) if wanted is None or it.task == wanted
    )


def log_time(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/time_tracking_entries."""
    found = call.load(Task, task)
    made = TimeEntry(
        call.store.new_gid(), found.gid, _minutes(call), "", call.user, call.store.now()
    )
    made.entered_on = _day(call) or day_of(call.store.now())
    made.description = call.text("description")
    if call.body.get("attributable_to"):
        made.attributable_to = call.body_object(Project, "attributable_to").gid
    return call.made(call.store.add(made), "time_tracking_entries")


def _minutes(call: Call) -> int:
    value = call.body.get("duration_minutes")
    if value is None:
        raise missing("duration_minutes")
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise bad("duration_minutes: Must be a whole number of minutes above 0")
    return value


def _day(call: Call) -> str | None:
    return read_date("entered_on", call.body.get("entered_on"))


def entry(call: Call, entry: str) -> Response:
    """GET /time_tracking_entries/{gid}."""
    return call.one(call.load(TimeEntry, entry))


def change_entry(call: Call, entry: str) -> Response:
    """PUT /time_tracking_entries/{gid}."""
    found = call.load(TimeEntry, entry)
    if call.has("duration_minutes"):
        found.minutes = _minutes(call)
    found.entered_on = _day(call) or found.entered_on
    found.description = call.text("description", found.description)
    return call.one(found)


def drop_entry(call: Call, entry: str) -> Response:
    """DELETE /time_tracking_entries/{gid}."""
    call.store.bin(call.load(TimeEntry, entry))
    return call.empty()


# -- briefs -----------------------------------------------------------------------------------


def make_brief(call: Call, project: str) -> Response:
    """POST /projects/{gid}/project_briefs: a project has one at most."""
    found = call.load(Project, project)
    if any(it.project == found.gid for it in call.store.every(ProjectBrief)):
        raise bad("project: This project already has a project brief")
    made = ProjectBrief(call.store.new_gid(), found.gid, call.text("title"), "")
    _words(call, made)
    return call.made(call.store.add(made), "project_briefs")


def _words(call: Call, brief: ProjectBrief) -> None:
    if call.body.get("html_text"):
        brief.text, brief.html = read_rich(call, "html_text", call.body["html_text"])
    elif call.has("text"):
        brief.html, brief.text = None, call.text("text")


def brief(call: Call, brief: str) -> Response:
    """GET /project_briefs/{gid}."""
    return call.one(call.load(ProjectBrief, brief))


def change_brief(call: Call, brief: str) -> Response:
    """PUT /project_briefs/{gid}."""
    found = call.load(ProjectBrief, brief)
    found.title = call.text("title", found.title)
    _words(call, found)
    return call.one(found)


def drop_brief(call: Call, brief: str) -> Response:
    """DELETE /project_briefs/{gid}."""
    call.store.bin(call.load(ProjectBrief, brief))
    return call.empty()


ROUTES = (
    ("GET", "/attachments", attachments),
    ("POST", "/attachments", attach),
    ("GET", "/attachments/{attachment}", attachment),
    ("DELETE", "/attachments/{attachment}", detach),
    ("GET", "/tasks/{task}/time_tracking_entries", entries),
    ("POST", "/tasks/{task}/time_tracking_entries", log_time),
    ("GET", "/time_tracking_entries", entries),
    ("GET", "/time_tracking_entries/{entry}", entry),
    ("PUT", "/time_tracking_entries/{entry}", change_entry),
    ("DELETE", "/time_tracking_entries/{entry}", drop_entry),
    ("POST", "/projects/{project}/project_briefs", make_brief),
    ("GET", "/project_briefs/{brief}", brief),
    ("PUT", "/project_briefs/{brief}", change_brief),
    ("DELETE", "/project_briefs/{brief}", drop_brief),
)
