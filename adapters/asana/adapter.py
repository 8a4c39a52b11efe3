"""The Asana connection: one scope is one project, a record is a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from adapters.asana.catalogue import Catalogue, listing, objects, one
from adapters.asana.changes import Cursor, Touched, parse_cursor, read_events
from adapters.asana.client import BATCH_SIZE, PAGE_SIZE, Client, Get
from adapters.asana.config import Config
from adapters.asana.stories import FIELDS as STORY_FIELDS
from adapters.asana.stories import entries
from adapters.asana.translate import (
    creator,
    in_scope,
    is_custom,
    is_task,
    normal_notes,
    record,
    task_data,
    task_fields,
)
from syncd.core.errors import SourceError
from syncd.core.ports import Clock
from syncd.core.records import (
    Answer,
    Draft,
    Edit,
    FieldKind,
    LogEntry,
    Page,
    Record,
    Schema,
    Scope,
    Value,
)

Json = dict[str, Any]
T = TypeVar("T")

_ALONE = ("section", "parent", "tags")
"""Fields that no update of a task carries: each has a request of its own, in this order."""


def connect(
    name: str,
    config: Config,
    *,
    secret: Callable[[], str],
    clock: Clock,
    transport: Any = None,  # noqa: ANN401 - anything with urllib3's PoolManager.request
) -> AsanaAdapter:
    """Return the adapter for a connection. Sends nothing yet; `secret` gives the token."""
    client = Client(name, config, secret=secret, clock=clock, transport=transport)
    return AsanaAdapter(client, config.workspace)


class AsanaAdapter:
    """An account in Asana; keeps the laws of `syncd.core.ports.Adapter`."""

    keeps_log = True

    def __init__(self, client: Client, workspace: str | None) -> None:
        self.connection = client.site.connection
        self._client = client
        self._catalogue = Catalogue(client, workspace)
        self._unmarked: dict[str, str] = {}  # marker -> name, where no field can carry a marker

    @property
    def calls(self) -> int:
        """Return how many requests went out so far."""
        return self._client.caller.calls

    def discover(self, containers: Sequence[str]) -> Schema:
        """Read the account, all its projects, and the fields of those named."""
        return self._catalogue.schema(containers)

    # reading --------------------------------------------------------------------------------------

    def recall(self, schema: Schema) -> None:
        """Take up what an earlier `discover` found: nothing of it is needed for reading here."""

    def pages(self, scope: Scope, cursor: str | None) -> Iterator[Page]:
        """Read all tasks, or those that events since the cursor name.

        An incremental read gives a cursor with every page, which also covers what that page has
        not read yet: Asana tells an event only once.
        """
        if cursor is None:
            return self._everything(scope)
        return self._changed(scope, parse_cursor(self._client, cursor))

    def read(self, scope: Scope, ids: Sequence[str]) -> tuple[Record, ...]:
        """Read tasks by id; one that is no longer in the project counts as trashed."""
        tasks = [task for chunk in _chunks(ids) for task in self._tasks(scope, chunk).values()]
        return tuple(record(task, scope) for task in tasks if task is not None and is_task(task))

    def find(self, scope: Scope, marker: str, since: str) -> tuple[Record, ...]:
        """Return the tasks with our marker created at or after `since`.

        Where the project has no field for the marker, these are the tasks this account created
        under the name that was sent with the marker.
        """
        fresh = (
            task
            for tasks in self._candidates(scope, since)
            for task in tasks
            if (task.get("created_at") or "") >= since and in_scope(task, scope)
        )
        if scope.marker is not None:
            found = [record(task, scope) for task in fresh]
            return tuple(each for each in found if each.marker == marker)
        name, me = self._unmarked.get(marker), self._catalogue.me()
        mine = [task for task in fresh if creator(task) == me]
        return tuple(record(task, scope) for task in mine if name and task.get("name") == name)

    def _everything(self, scope: Scope) -> Iterator[Page]:
        sync = self._client.sync_token(
            scope.id
        )  # before the listing, so that nothing falls between
        for tasks in self._listed(scope, task_fields(scope)):
            yield Page(tuple(record(task, scope) for task in tasks))
        yield Page((), cursor=str(Cursor(sync)))

    def _changed(self, scope: Scope, cursor: Cursor) -> Iterator[Page]:
        cursor = read_events(self._client, scope.id, cursor)
        touched = dict(cursor.pending)
        yield Page((), cursor=str(cursor))
        for gids in _chunks(list(touched)):
            tasks = self._tasks(scope, gids)
            cursor = cursor.without(gids)
            yield _page(scope, tasks, touched, str(cursor))

    def _listed(self, scope: Scope, fields: Sequence[str]) -> Iterator[list[Json]]:
        """Yield all tasks of the project, and their subtasks where the scope wants them, once."""
        seen: set[str] = set()
        query = {"opt_fields": ",".join(fields)}
        pages = listing(self._client, "/projects/{project}/tasks", query, project=scope.id)
        for page in pages:
            yield _unseen(page, seen)
            parents = _with_subtasks(page) if scope.subtasks else []
            while parents:
                below = [task for gids in _chunks(parents) for task in self._below(gids, fields)]
                fresh = _unseen(below, seen)
                yield fresh
                parents = _with_subtasks(fresh)

    def _below(self, gids: Sequence[str], fields: Sequence[str]) -> Iterator[Json]:
        """Yield the subtasks of up to ten tasks."""
        path = "/tasks/{task}/subtasks"
        gets = [Get(path.format(task=gid), tuple(fields), PAGE_SIZE) for gid in gids]
        for gid, answer in zip(gids, self._client.batch(gets), strict=True):
            if answer is None:
                continue  # deleted since it was listed
            if answer.get("next_page"):
                query = {"opt_fields": ",".join(fields)}
                for page in listing(self._client, path, query, task=gid):
                    yield from page
            else:
                yield from objects(self._client, answer)

    def _tasks(self, scope: Scope, gids: Sequence[str]) -> dict[str, Json | None]:
        """Read up to ten tasks; None for those that are not there or not visible."""
        fields = task_fields(scope)
        answers = self._client.batch([Get(f"/tasks/{gid}", fields) for gid in gids])
        return {
            gid: None if answer is None else one(self._client, answer)
            for gid, answer in zip(gids, answers, strict=True)
        }

    def _candidates(self, scope: Scope, since: str) -> Iterator[list[Json]]:
        """Yield at least the tasks created since; a subtask can only be found below its parent."""
        fields = (*task_fields(scope), "created_by")
        if scope.subtasks:
            return self._listed(scope, fields)
        query = {"project": scope.id, "opt_fields": ",".join(fields)}
        if since:
            query["modified_since"] = since
        return listing(self._client, "/tasks", query)

    # writing --------------------------------------------------------------------------------------

    def requests(self, fields: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return the groups: what one update of a task takes, then section, parent and tags."""
        together = tuple(field for field in fields if field not in _ALONE)
        alone = tuple((field,) for field in _ALONE if field in fields)
        return ((together,) if together else ()) + alone

    def create(self, draft: Draft) -> Answer:
        """Create a task. `start_on` without `due_on` is left for an update to be refused alone."""
        data = self._draft_data(draft)
        if draft.scope.marker is None:
            self._unmarked[draft.marker] = str(data.get("name") or "")
        return self._shown(
            draft.scope, self._client.write("POST", "/tasks", data, _shows(draft.scope))
        )

    def update(self, edit: Edit) -> Answer:
        """Change one group of fields. More than ten changes of tags take several requests."""
        (group,) = self.requests(tuple(edit.fields)) or ((),)
        match group:
            case ("section",):
                return self._move(edit, edit.fields["section"])
            case ("parent",):
                return self._put_below(edit, edit.fields["parent"])
            case ("tags",):
                return self._tag(edit, edit.fields["tags"])
            case _:
                return self._put(edit)

    def log(self, scope: Scope, seen: Mapping[str, str]) -> dict[str, tuple[LogEntry, ...]]:
        """Return what the stories of tasks tell; ten tasks with each request."""
        found: dict[str, tuple[LogEntry, ...]] = {}
        for gids in _chunks(list(seen)):
            for gid, told in self._stories(gids).items():
                try:
                    found[gid] = entries(told, scope, seen[gid])
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise self._client.site.odd(
                        f"sent a story that cannot be read: {error}"
                    ) from error
        return found

    def _stories(self, gids: Sequence[str]) -> dict[str, list[Json]]:
        """Return all stories of up to ten tasks; tasks out of sight are left out."""
        path, found = "/tasks/{task}/stories", {}
        gets = [Get(path.format(task=gid), STORY_FIELDS, PAGE_SIZE) for gid in gids]
        for gid, answer in zip(gids, self._client.batch(gets), strict=True):
            if answer is None:
                continue
            if answer.get("next_page"):
                query = {"opt_fields": ",".join(STORY_FIELDS)}
                pages = listing(self._client, path, query, task=gid)
                found[gid] = [story for page in pages for story in page]
            else:
                found[gid] = list(objects(self._client, answer))
        return found

    def normal(self, kind: str, value: str) -> str:
        """Return what Asana gives back for a text: descriptions lose what Asana cannot show."""
        return normal_notes(value) if kind == FieldKind.RICH_TEXT else value.strip("\r\n")

    def close(self) -> None:
        """Give back the sockets."""
        self._client.close()

    def _draft_data(self, draft: Draft) -> Json:
        scope, project = draft.scope, draft.container
        fields = {name: value for name, value in draft.fields.items() if value is not None}
        if "due_on" not in fields:
            fields.pop("start_on", None)
        data = task_data(fields, self._subtypes(project, fields))
        if scope.marker is not None:
            data.setdefault("custom_fields", {})[scope.marker] = draft.marker
        if draft.kind is not None:
            data["resource_subtype"] = draft.kind
        if "parent" in fields:
            data["parent"] = fields["parent"]
        if "section" in fields:
            data["memberships"] = [{"project": project, "section": fields["section"]}]
        if names := _names(fields.get("tags")):
            data["tags"] = list(self._catalogue.tags(project, names).values())
        # A subtask is found below its parent, but only a task of a project has its custom fields.
        loose = scope.subtasks and "parent" in fields
        if not loose or "custom_fields" in data or "section" in fields:
            data["projects"] = [project]
        return data

    def _subtypes(self, project: str, fields: Iterable[str]) -> Mapping[str, str]:
        custom = any(is_custom(field) for field in fields)
        return self._catalogue.subtypes(project) if custom else {}

    def _put(self, edit: Edit) -> Answer:
        data = task_data(edit.fields, self._subtypes(edit.container, edit.fields))
        if "start_on" in data and "due_on" not in data:
            data.update(self._due(edit.record))  # Asana takes a start only together with the end
        query = _shows(edit.scope)
        answer = self._client.write("PUT", "/tasks/{task}", data, query, task=edit.record)
        return self._shown(edit.scope, answer)

    def _due(self, task: str) -> Json:
        query = {"opt_fields": "due_on,due_at"}
        due = one(self._client, self._client.get("/tasks/{task}", query=query, task=task))
        return {"due_at": due["due_at"]} if due.get("due_at") else {"due_on": due.get("due_on")}

    def _move(self, edit: Edit, section: Value) -> Answer:
        if not isinstance(section, str):
            sentence = "cannot take a task out of all sections: map the empty value to a section"
            raise self._client.site.rejected(sentence, {"section": sentence})
        path, data = "/sections/{section}/addTask", {"task": edit.record}
        self._client.write("POST", path, data, {}, section=section)
        return Answer(edit.record)

    def _put_below(self, edit: Edit, parent: Value) -> Answer:
        path, query = "/tasks/{task}/setParent", _shows(edit.scope)
        answer = self._client.write("POST", path, {"parent": parent}, query, task=edit.record)
        return self._shown(edit.scope, answer)

    def _tag(self, edit: Edit, value: Value) -> Answer:
        query = {"opt_fields": "tags.name"}
        task = one(self._client, self._client.get("/tasks/{task}", query=query, task=edit.record))
        held = {tag["gid"]: tag.get("name") or "" for tag in task.get("tags") or ()}
        wanted = _names(value)
        missing = [name for name in wanted if name not in held.values()]
        added = self._catalogue.tags(edit.container, missing).values() if missing else ()
        removed = [gid for gid, name in held.items() if name not in wanted]
        actions = [_tag_action(edit.record, "addTag", gid) for gid in added]
        actions += [_tag_action(edit.record, "removeTag", gid) for gid in removed]
        for number, chunk in enumerate(_chunks(actions)):
            try:
                self._client.batch_write(chunk, f"task {edit.record}")
            except SourceError as error:
                # what went before has taken effect: "refused" must not be said of all of it
                error.maybe_applied = error.maybe_applied or number > 0
                raise
        return Answer(edit.record)

    def _shown(self, scope: Scope, answer: Json) -> Answer:
        task = one(self._client, answer)
        return Answer(task["gid"], record(task, scope))


def _page(
    scope: Scope, tasks: dict[str, Json | None], touched: dict[str, Touched], cursor: str
) -> Page:
    """Sort what events named: changed, gone (an event says so), no longer in the project."""
    records, gone = [], []
    for gid, task in tasks.items():
        if task is None:
            if touched[gid].taken:
                gone.append(gid)
        elif not in_scope(task, scope):
            gone.append(gid)
        elif is_task(task):
            records.append(record(task, scope, author=touched[gid].author))
    return Page(tuple(records), tuple(gone), cursor)


def _shows(scope: Scope) -> dict[str, str]:
    return {"opt_fields": ",".join(task_fields(scope))}


def _unseen(tasks: Sequence[Json], seen: set[str]) -> list[Json]:
    """Return the tasks not met before, without separator lines; notes them as met."""
    fresh: dict[str, Json] = {}
    for task in tasks:
        if task["gid"] not in seen and is_task(task):
            fresh[task["gid"]] = task
    seen.update(fresh)
    return list(fresh.values())


def _with_subtasks(tasks: Sequence[Json]) -> list[str]:
    return [task["gid"] for task in tasks if task.get("num_subtasks")]


def _tag_action(task: str, verb: str, tag: str) -> Json:
    return {"method": "post", "relative_path": f"/tasks/{task}/{verb}", "data": {"tag": tag}}


def _names(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),) if value else ()


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), BATCH_SIZE):
        yield values[start : start + BATCH_SIZE]
