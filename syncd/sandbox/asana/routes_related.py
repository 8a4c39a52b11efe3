"""What hangs on tasks: stories, tags, dependencies, followers."""

from __future__ import annotations

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Ref, Story, Tag, Task, Workspace
from syncd.sandbox.asana.errors import ApiError, bad, missing
from syncd.sandbox.asana.mentions import read_rich
from syncd.sandbox.asana.taskedits import add_followers
from syncd.sandbox.wire import Response

MOST_LINKS = 30


# -- stories ----------------------------------------------------------------------------------


def list_stories(call: Call, task: str) -> Response:
    """GET /tasks/{gid}/stories, oldest first."""
    found = call.load(Task, task)
    return call.rows(call.store.some(call.store.stories.get(found.gid, ()), Story))


def create_story(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/stories: a comment."""
    found = call.load(Task, task)
    text, html = _words(call)
    made = call.actor.comment(found, text, html)
    made.is_pinned = call.flag("is_pinned")
    made.sticker_name = call.text("sticker_name") or None
    call.store.touch(found)
    return call.made(made, "stories")


def _words(call: Call) -> tuple[str, str | None]:
    if call.body.get("html_text"):
        return read_rich(call, "html_text", call.body["html_text"])
    return (call.text("text") if call.body.get("sticker_name") else call.required("text")), None


def get_story(call: Call, story: str) -> Response:
    """GET /stories/{gid}."""
    return call.one(call.load(Story, story))


def update_story(call: Call, story: str) -> Response:
    """PUT /stories/{gid}: one's own comment's text, any pin."""
    found = call.load(Story, story)
    if call.has("text") or call.has("html_text"):
        _own_comment(call, found)
        found.text, found.html = _words(call)
        found.is_edited = True
        call.actor.changed(found, "text")
    if call.has("is_pinned"):
        if found.subtype != "comment_added":
            raise bad("is_pinned: Only comments can be pinned")
        found.is_pinned = call.flag("is_pinned")
    return call.one(found)


def _own_comment(call: Call, story: Story) -> None:
    if story.subtype != "comment_added" or story.created_by != call.user:
        raise ApiError(403, "You do not have access to edit this story.")


def delete_story(call: Call, story: str) -> Response:
    """DELETE /stories/{gid}: one's own comment."""
    found = call.load(Story, story)
    _own_comment(call, found)
    target = call.store.objects.get(found.target)
    call.actor.emit(found, "deleted")
    call.store.stories[found.target].remove(found.gid)
    call.store.bin(found)
    if isinstance(target, Task):
        call.store.touch(target)
    return call.empty()


# -- tags -------------------------------------------------------------------------------------


def list_tags(call: Call) -> Response:
    """GET /tags by workspace."""
    home = call.query_object(Workspace, "workspace")
    return call.rows(it for it in call.store.every(Tag) if not home or it.workspace == home.gid)


def workspace_tags(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/tags."""
    home = call.load(Workspace, workspace)
    return call.rows(it for it in call.store.every(Tag) if it.workspace == home.gid)


def create_tag(call: Call, workspace: str = "") -> Response:
    """POST /tags, /workspaces/{gid}/tags."""
    if workspace:
        call.body["workspace"] = workspace
    home = call.body_object(Workspace, "workspace")
    made = Tag(
        call.store.new_gid(),
        call.required("name"),
        home.gid,
        call.store.now(),
        color=call.text("color") or None,
        notes=call.text("notes"),
    )
    return call.made(call.store.add(made), "tags")


def get_tag(call: Call, tag: str) -> Response:
    """GET /tags/{gid}."""
    return call.one(call.load(Tag, tag))


def update_tag(call: Call, tag: str) -> Response:
    """PUT /tags/{gid}."""
    found = call.load(Tag, tag)
    if call.has("name"):
        found.name = call.required("name")
    if call.has("color"):
        found.color = call.text("color") or None
    if call.has("notes"):
        found.notes = call.text("notes")
    return call.one(found)


def delete_tag(call: Call, tag: str) -> Response:
    """DELETE /tags/{gid}: off all its tasks."""
    found = call.load(Tag, tag)
    for _, gid in list(found.tasks.keys):
        call.store.untag(call.store.need(gid, Task), found)
    call.store.bin(found)
    return call.empty()


def task_tags(call: Call, task: str) -> Response:
    """GET /tasks/{gid}/tags."""
    return call.rows(call.store.some(call.load(Task, task).tags, Tag))


def add_tag(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/addTag."""
    found, tag = call.load(Task, task), call.body_object(Tag, "tag")
    if tag.gid not in found.tags:
        call.store.tag(found, tag)
        call.actor.changed(found, "tags", new=tag, how="added")
        call.actor.story(found, "added_to_tag", f"added to {tag.name}", tag=Ref(tag.gid))
    return call.empty()


def remove_tag(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/removeTag."""
    found, tag = call.load(Task, task), call.body_object(Tag, "tag")
    if tag.gid in found.tags:
        call.store.untag(found, tag)
        call.actor.changed(found, "tags", new=tag, how="removed")
        call.actor.story(found, "removed_from_tag", f"removed from {tag.name}", tag=Ref(tag.gid))
    return call.empty()


# -- dependencies -----------------------------------------------------------------------------


def list_dependencies(call: Call, task: str) -> Response:
    """GET /tasks/{gid}/dependencies."""
    return call.rows(call.store.some(call.load(Task, task).dependencies, Task))


def list_dependents(call: Call, task: str) -> Response:
    """GET /tasks/{gid}/dependents."""
    return call.rows(call.store.some(call.load(Task, task).dependents, Task))


def add_dependencies(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/addDependencies."""
    found = call.load(Task, task)
    others = _others(call, "dependencies", found)
    _room(found, [it for it in others if it.gid not in found.dependencies])
    for other in others:
        _link(call, found, other)
    return call.empty()


def add_dependents(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/addDependents."""
    found = call.load(Task, task)
    others = _others(call, "dependents", found)
    _room(found, [it for it in others if it.gid not in found.dependents])
    for other in others:
        _link(call, other, found)
    return call.empty()


def _others(call: Call, name: str, task: Task) -> list[Task]:
    if not call.has(name):
        raise missing(name)
    others = call.body_objects(Task, name)
    if any(it.gid == task.gid for it in others):
        raise bad(f"{name}: A task cannot depend on itself")
    return others


def _room(task: Task, new: list[Task]) -> None:
    if len(task.dependencies) + len(task.dependents) + len(new) > MOST_LINKS:
        raise bad(f"A task can have at most {MOST_LINKS} dependents and dependencies combined")


def _link(call: Call, task: Task, needed: Task) -> None:
    if needed.gid in task.dependencies:
        return
    task.dependencies = (*task.dependencies, needed.gid)
    needed.dependents = (*needed.dependents, task.gid)
    call.actor.changed(task, "dependencies", new=needed, how="added")
    call.actor.changed(needed, "dependents", new=task, how="added")
    text = f"marked this task as dependent on {needed.name}"
    call.actor.story(task, "dependency_added", text, dependency=Ref(needed.gid))


def remove_dependencies(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/removeDependencies."""
    found = call.load(Task, task)
    for other in _others(call, "dependencies", found):
        _unlink(call, found, other)
    return call.empty()


def remove_dependents(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/removeDependents."""
    found = call.load(Task, task)
    for other in _others(call, "dependents", found):
        _unlink(call, other, found)
    return call.empty()


def _unlink(call: Call, task: Task, needed: Task) -> None:
    if needed.gid not in task.dependencies:
        return
    task.dependencies = tuple(gid for gid in task.dependencies if gid != needed.gid)
    needed.dependents = tuple(gid for gid in needed.dependents if gid != task.gid)
    call.actor.changed(task, "dependencies", new=needed, how="removed")
    call.actor.changed(needed, "dependents", new=task, how="removed")
    text = f"removed the dependency on {needed.name}"
    call.actor.story(task, "dependency_removed", text, dependency=Ref(needed.gid))


# -- followers --------------------------------------------------------------------------------


def follow(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/addFollowers."""
    found = call.load(Task, task)
    if not call.has("followers"):
        raise missing("followers")
    add_followers(call, found, call.people("followers"))
    return call.one(found)


def unfollow(call: Call, task: str) -> Response:
    """POST /tasks/{gid}/removeFollowers."""
    found = call.load(Task, task)
    if not call.has("followers"):
        raise missing("followers")
    for user in call.people("followers"):
        if user.gid in found.followers:
            found.followers = tuple(gid for gid in found.followers if gid != user.gid)
            call.actor.changed(found, "followers", new=user, how="removed")
    return call.one(found)


ROUTES = (
    ("GET", "/tasks/{task}/stories", list_stories),
    ("POST", "/tasks/{task}/stories", create_story),
    ("GET", "/stories/{story}", get_story),
    ("PUT", "/stories/{story}", update_story),
    ("DELETE", "/stories/{story}", delete_story),
    ("GET", "/tags", list_tags),
    ("POST", "/tags", create_tag),
    ("GET", "/tags/{tag}", get_tag),
    ("PUT", "/tags/{tag}", update_tag),
    ("DELETE", "/tags/{tag}", delete_tag),
    ("GET", "/workspaces/{workspace}/tags", workspace_tags),
    ("POST", "/workspaces/{workspace}/tags", create_tag),
    ("GET", "/tasks/{task}/tags", task_tags),
    ("POST", "/tasks/{task}/addTag", add_tag),
    ("POST", "/tasks/{task}/removeTag", remove_tag),
    ("GET", "/tasks/{task}/dependencies", list_dependencies),
    ("GET", "/tasks/{task}/dependents", list_dependents),
    ("POST", "/tasks/{task}/addDependencies", add_dependencies),
    ("POST", "/tasks/{task}/addDependents", add_dependents),
    ("POST", "/tasks/{task}/removeDependencies", remove_dependencies),
    ("POST", "/tasks/{task}/removeDependents", remove_dependents),
    ("POST", "/tasks/{task}/addFollowers", follow),
    ("POST", "/tasks/{task}/removeFollowers", unfollow),
)
