"""Everything the stand-in holds, with the indices that keep pages cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from syncd.sandbox.asana.entities import Entity, Place, Project, Section, Tag, Task, User
from syncd.sandbox.clock import SandboxClock

E = TypeVar("E", bound=Entity)
Cursor = tuple[str, int, str]
TRASH_SECONDS = 30 * 86400


class Store:
    """All entities by gid; deleted ones stay in `trash` for 30 days."""

    def __init__(self, clock: SandboxClock, seed: int) -> None:
        self.clock = clock
        self.seed = seed
        self.objects: dict[str, Entity] = {}
        self.kinds: dict[str, dict[str, None]] = {}  # gids by kind, in order of creation
        self.trash: dict[str, tuple[float, Entity]] = {}
        self.stories: dict[str, list[str]] = {}
        self.emails: dict[str, str] = {}
        self.paid = True  # a paid plan; without it search, goals and portfolios answer 402
        self.longest_listing: int | None = None  # rows before a paged listing answers 400
        self.search_lag = 0.0  # seconds before search knows of a change
        self.unindexed: dict[str, tuple[float, Task]] = {}  # since when; as search knows it
        self.memberships: dict[tuple[str, str], str] = {}  # gids by parent and member
        self.external: dict[str, str] = {}
        self._last = 1_200_000_000_000_000 + (seed * 7_919_000_003) % 99_000_000_000_000

    def now(self) -> float:
        """Return the moment, whole milliseconds."""
        return round(self.clock.now(), 3)

    def new_gid(self) -> str:
        """Return a gid never given before, 16 digits, growing unevenly as real ones do."""
        self._last += 3 + (self._last * 31 + self.seed) % 11
        return str(self._last)

    def add(self, entity: E) -> E:
        """Keep a new entity."""
        self.objects[entity.gid] = entity
        self.kinds.setdefault(entity.KIND, {})[entity.gid] = None
        return entity

    def get(self, gid: str | None, kind: type[E]) -> E | None:
        """Return the entity of that kind, if it exists and is not in the trash."""
        found = self.objects.get(gid) if gid else None
        return found if isinstance(found, kind) else None

    def need(self, gid: str, kind: type[E]) -> E:
        """Return an entity known to exist."""
        found = self.objects[gid]
        if not isinstance(found, kind):
            raise KeyError(gid)
        return found

    def some(self, gids: Iterable[str], kind: type[E]) -> list[E]:
        """Return the entities of these gids that still exist."""
        return [found for gid in gids if (found := self.get(gid, kind)) is not None]

    def every(self, kind: type[E]) -> Iterator[E]:
        """Yield all of a kind, oldest first."""
        for gid in self.kinds.get(kind.KIND, ()):
            yield self.need(gid, kind)

    def first(self, kind: type[E], test: Callable[[E], bool]) -> E | None:
        """Return the oldest that passes."""
        return next((found for found in self.every(kind) if test(found)), None)

    def bin(self, entity: Entity) -> None:
        """Move an entity to the trash."""
        del self.objects[entity.gid]
        self.kinds[entity.KIND].pop(entity.gid, None)
        self.trash[entity.gid] = (self.now(), entity)

    def unbin(self, gid: str) -> Entity | None:
        """Take an entity back out of the trash; None when it is not there or too old."""
        when, entity = self.trash.get(gid, (0.0, None))
        if entity is None or self.now() - when > TRASH_SECONDS:
            return None
        del self.trash[gid]
        return self.add(entity)

    # -- where tasks stand ---------------------------------------------------------------------

    def rank(self, section: Section, anchor: str | None, *, before: bool) -> int:
        """Return a rank in a section: at an end (no anchor), or next to an anchor task."""
        if anchor is None:
            return section.tasks.top() if before else section.tasks.bottom()
        place = self.must_place(self.need(anchor, Task), section.project)
        found = section.tasks.neighbour(place.rank, anchor, before=before)
        if found is not None:
            return found
        for rank, gid in section.tasks.respread():
            self._rerank(self.need(gid, Task), section, rank)
        return self.rank(section, anchor, before=before)

    def _rerank(self, task: Task, section: Section, rank: int) -> None:
        task.places = tuple(
            place._replace(rank=rank) if place.section == section.gid else place
            for place in task.places
        )

    def place_in(self, task: Task, project: str) -> Place | None:
        """Return where a task stands in a project."""
        return next((place for place in task.places if place.project == project), None)

    def must_place(self, task: Task, project: str) -> Place:
        """Return where a task known to be in a project stands."""
        return next(place for place in task.places if place.project == project)

    def put(self, task: Task, section: Section, rank: int) -> None:
        """Put a task into a section, out of the project's other sections."""
        place = Place(section.project, section.gid, rank)
        old = self.place_in(task, section.project)
        if old is None:
            task.places = (*task.places, place)
            self.need(section.project, Project).changed.add(task.modified_at, task.gid)
        else:
            self.need(old.section, Section).tasks.discard(old.rank, task.gid)
            task.places = tuple(place if it is old else it for it in task.places)
        section.tasks.add(rank, task.gid)

    def take(self, task: Task, project: Project) -> None:
        """Take a task out of a project."""
        place = self.place_in(task, project.gid)
        if place is None:
            return
        self.need(place.section, Section).tasks.discard(place.rank, task.gid)
        project.changed.discard(task.modified_at, task.gid)
        task.places = tuple(it for it in task.places if it is not place)

    def before_change(self, task: Task) -> None:
        """Keep what search knew of a task that is about to change, if search is late."""
        if self.search_lag and self.indexed(task) is task:
            self.unindexed[task.gid] = (self.now(), replace(task))

    def indexed(self, task: Task) -> Task | None:
        """Return a task as search knows it: itself, as it was, or None while it is too new."""
        now = self.now()
        if now - task.created_at < self.search_lag:
            return None
        since, form = self.unindexed.get(task.gid, (now - self.search_lag, task))
        if now - since < self.search_lag:
            return form
        self.unindexed.pop(task.gid, None)
        return task

    def touch(self, task: Task) -> None:
        """Set `modified_at` to now and keep the projects' indices true."""
        now = self.now()
        for place in task.places:
            index = self.need(place.project, Project).changed
            index.discard(task.modified_at, task.gid)
            index.add(now, task.gid)
        task.modified_at = now

    def assign(self, task: Task, user: str | None) -> None:
        """Set the assignee and keep the people's lists true."""
        for gid, change in ((task.assignee, "discard"), (user, "add")):
            person = self.get(gid, User)
            if person is not None:
                getattr(person.tasks, change)("", task.gid)
        task.assignee = user

    def tag(self, task: Task, tag: Tag) -> None:
        """Put a tag on a task."""
        task.tags = (*task.tags, tag.gid)
        tag.tasks.add("", task.gid)

    def untag(self, task: Task, tag: Tag) -> None:
        """Take a tag off a task."""
        task.tags = tuple(gid for gid in task.tags if gid != tag.gid)
        tag.tasks.discard("", task.gid)

    # -- trash of tasks ------------------------------------------------------------------------

    def bin_task(self, task: Task) -> list[Task]:
        """Move a task and its subtasks to the trash; return them, the task first."""
        gone = [task]
        for child in self.some(task.subtasks, Task):
            gone += self.bin_task(child)
        self._unlist(task)
        self.bin(task)
        return gone

    def _unlist(self, task: Task) -> None:
        for place in task.places:
            self.need(place.section, Section).tasks.discard(place.rank, task.gid)
            self.need(place.project, Project).changed.discard(task.modified_at, task.gid)
        person = self.get(task.assignee, User)
        if person is not None:
            person.tasks.discard("", task.gid)
        for tag in self.some(task.tags, Tag):
            tag.tasks.discard("", task.gid)

    def unbin_task(self, gid: str) -> list[Task]:
        """Take a task and its subtasks out of the trash, back to where they stood."""
        task = self.unbin(gid)
        if not isinstance(task, Task):
            return []
        task.places = tuple(p for p in task.places if self.get(p.section, Section) is not None)
        for place in task.places:
            self.need(place.section, Section).tasks.add(place.rank, gid)
            self.need(place.project, Project).changed.add(task.modified_at, gid)
        person = self.get(task.assignee, User)
        if person is not None:
            person.tasks.add("", gid)
        for tag in self.some(task.tags, Tag):
            tag.tasks.add("", gid)
        return [task, *(back for child in task.subtasks for back in self.unbin_task(child))]

    # -- reading tasks in order ----------------------------------------------------------------

    def project_tasks(
        self, project: Project, after: Cursor | None
    ) -> Iterator[tuple[Cursor, Task]]:
        """Yield a project's tasks in their order, behind a cursor (section, rank, gid)."""
        start = 0
        if after is not None and after[0] in project.sections:
            start = project.sections.index(after[0])
        for gid in project.sections[start:]:
            key = after[1:] if after is not None and gid == after[0] else None
            for rank, task in self.need(gid, Section).tasks.after(key):
                yield (gid, rank, task), self.need(task, Task)

    def order_of(self, project: Project, task: Task) -> tuple[int, int, str]:
        """Return the sort key of a task within a project."""
        place = self.must_place(task, project.gid)
        return project.sections.index(place.section), place.rank, task.gid

    def ancestors(self, task: Task) -> list[Task]:
        """Return parent, grandparent and so on."""
        found: list[Task] = []
        here = self.get(task.parent, Task)
        while here is not None:
            found.append(here)
            here = self.get(here.parent, Task)
        return found

    def copy(self, entity: E, **changes: Any) -> E:  # noqa: ANN401 - any field
        """Return a new entity like another one, under a new gid."""
        return self.add(replace(entity, gid=self.new_gid(), **changes))
