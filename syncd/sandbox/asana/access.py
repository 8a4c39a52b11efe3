"""Who may see what."""

from __future__ import annotations

from syncd.sandbox.asana.entities import Attachment, Entity, Project, Section, Story, Task
from syncd.sandbox.asana.store import Store


def can_see(store: Store, user: str, thing: Entity) -> bool:
    """Return whether a user may see an object. Only projects and what is in them can be private."""
    if isinstance(thing, Project):
        return thing.privacy_setting != "private" or user in thing.members or user == thing.owner
    if isinstance(thing, Section):
        return can_see(store, user, store.need(thing.project, Project))
    if isinstance(thing, Task):
        return _sees_task(store, user, thing)
    if isinstance(thing, Attachment):
        holder = store.objects.get(thing.parent)
        return holder is not None and can_see(store, user, holder)
    if isinstance(thing, Story):
        target = store.objects.get(thing.target)
        return target is not None and can_see(store, user, target)
    return True


def _sees_task(store: Store, user: str, task: Task) -> bool:
    if user in {task.assignee, task.created_by} or user in task.followers:
        return True
    if any(can_see(store, user, store.need(place.project, Project)) for place in task.places):
        return True
    parent = store.get(task.parent, Task)
    return parent is not None and can_see(store, user, parent)
