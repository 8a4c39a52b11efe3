"""Everything one Jira site holds, with the indices that keep reads fast."""

from __future__ import annotations

import random
import uuid
from bisect import bisect_left, insort
from collections.abc import Iterable

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.jira.hooks import Hooks
from syncd.sandbox.jira.indexlag import IndexLag
from syncd.sandbox.jira.model import (
    Attachment,
    Component,
    Field,
    Filter,
    Group,
    Issue,
    IssueType,
    Json,
    Link,
    LinkType,
    Named,
    Project,
    Status,
    User,
    Version,
    Worklog,
)
from syncd.sandbox.jira.postings import Postings
from syncd.sandbox.wire import whole


class Store:
    """The data of one site. Ids are counters, so the same calls give the same ids."""

    def __init__(self, clock: SandboxClock, seed: int) -> None:
        self.clock = clock
        self.random = random.Random(seed)  # noqa: S311 - ids of a stand-in, not secrets
        self.counters: dict[str, int] = {}
        self.revision = 0  # grows with every change of an issue
        self.setup = 0  # grows with every change of anything else that shapes show
        self.users: dict[str, User] = {}
        self.statuses: dict[str, Status] = {}
        self.types: dict[str, IssueType] = {}
        self.priorities: dict[str, Named] = {}
        self.resolutions: dict[str, Named] = {}
        self.fields: dict[str, Field] = {}
        self.projects: dict[int, Project] = {}
        self.versions: dict[str, Version] = {}
        self.components: dict[str, Component] = {}
        self.link_types: dict[str, LinkType] = {}
        self.links: dict[str, Link] = {}
        self.links_of: dict[int, list[str]] = {}
        self.issues: dict[int, Issue] = {}
        self.keys: dict[str, int] = {}  # present and former keys
        self.children: dict[int, dict[int, None]] = {}  # parent id -> child ids, in order
        self.by_updated: list[tuple[int, int]] = []  # (updated, id), sorted
        self.by_created: list[tuple[int, int]] = []
        self.by_id: list[int] = []
        self.project_keys: dict[str, int] = {}  # present and former project keys
        self.worklogs: dict[int, list[Worklog]] = {}  # by issue id, as the next three
        self.attachments: dict[int, list[Attachment]] = {}
        self.voters: dict[int, set[str]] = {}
        self.ranks: dict[int, str] = {}  # of issues that were ranked by hand
        self.archived: set[int] = set()  # ids of archived issues
        self.groups: dict[str, Group] = {}
        self.filters: dict[str, Filter] = {}
        self.postings = Postings()
        self.lagging: IndexLag | None = None  # None: search sees every change at once
        self.hooks = Hooks()
        self.extras: dict[str, Json] = {}  # what whole resources keep: boards, sprints, tasks

    # ids

    def number(self, name: str, start: int = 10000) -> int:
        """Return the next number of a counter that begins at `start`."""
        value = self.counters.get(name, start)
        self.counters[name] = value + 1
        return value

    def reserve(self, name: str, used: int) -> None:
        """Keep a counter above a number that came from outside."""
        self.counters[name] = max(self.counters.get(name, 10000), used + 1)

    def uuid(self) -> str:
        """Return a uuid drawn from the seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def now(self) -> int:
        """Return the time in milliseconds."""
        return int(self.clock.now() * 1000)

    # users

    def user_by_email(self, email: str) -> User | None:
        """Return a user by e-mail, whatever its case."""
        wanted = email.casefold()
        return next((u for u in self.users.values() if u.email.casefold() == wanted), None)

    def members(self, group: Group, *, inactive: bool = False) -> list[User]:
        """Return the people of a group."""
        people = (u for u in self.users.values() if u.active or inactive)
        return [u for u in people if group.members is None or u.account_id in group.members]

    def groups_of(self, user: User) -> list[Group]:
        """Return the groups that a person is in."""
        return [g for g in self.groups.values() if user in self.members(g, inactive=True)]

    # projects

    def add_project(self, project: Project) -> None:
        """Add or re-key a project."""
        self.projects[project.id] = project
        self.project_keys[project.key.upper()] = project.id
        self.setup += 1

    def find_project(self, id_or_key: Json) -> Project | None:
        """Return a project by id or by present or former key."""
        text = str(id_or_key)
        found = self.project_keys.get(text.upper())
        if found is None:
            found = whole(text)
        return self.projects.get(found) if found is not None else None

    def rekey(self, project: Project, key: str) -> None:
        """Give a project another key and its issues new ones; the old ones still lead to them."""
        project.old_keys.append(project.key)
        project.key = key
        self.add_project(project)
        for issue in self.issues.values():
            if issue.project_id == project.id:
                issue.key = f"{key}-{issue.key.rpartition('-')[2]}"
                self.keys[issue.key.upper()] = issue.id
        self.revision += 1

    def versions_of(self, project: Project) -> list[Version]:
        """Return the versions of a project in order."""
        return [v for v in self.versions.values() if v.project_id == project.id]

    def components_of(self, project: Project) -> list[Component]:
        """Return the components of a project in order."""
        return [c for c in self.components.values() if c.project_id == project.id]

    # issues

    def find_issue(self, id_or_key: Json) -> Issue | None:
        """Return an issue by id or by present or former key, hidden ones included."""
        text = str(id_or_key)
        found = self.keys.get(text.upper())
        if found is None:
            found = whole(text)
        return self.issues.get(found) if found is not None else None

    def add_issue(self, issue: Issue) -> None:
        """Take in a new issue and index it."""
        self.issues[issue.id] = issue
        self.keys[issue.key.upper()] = issue.id
        insort(self.by_id, issue.id)
        self._set_parent(issue.id, None, issue.values.get("parent"))
        self.reindex(issue)

    def add_issues(self, issues: Iterable[Issue]) -> None:
        """Take in many new issues, sorting each index once."""
        for issue in issues:
            self.issues[issue.id] = issue
            self.keys[issue.key.upper()] = issue.id
            self._set_parent(issue.id, None, issue.values.get("parent"))
            issue.indexed = (issue.updated, issue.created)
            self._changed(issue)
        self.postings.clear()
        self.by_id = sorted(self.issues)
        self.by_updated = sorted((i.updated, i.id) for i in self.issues.values())
        self.by_created = sorted((i.created, i.id) for i in self.issues.values())
        self.revision += 1

    def reindex(self, issue: Issue) -> None:
        """Put an issue where its times say; call after every change of an issue."""
        self.revision += 1
        self.postings.put(issue)
        self._changed(issue)
        times = (issue.updated, issue.created)
        if issue.indexed == times:
            return
        if issue.indexed is not None:
            _discard(self.by_updated, (issue.indexed[0], issue.id))
            _discard(self.by_created, (issue.indexed[1], issue.id))
        issue.indexed = times
        insort(self.by_updated, (issue.updated, issue.id))
        insort(self.by_created, (issue.created, issue.id))

    def _changed(self, issue: Issue) -> None:
        if self.lagging is not None:
            self.lagging.changed(issue, self.now())

    def set_parent(self, issue: Issue, parent: int | None) -> None:
        """Move an issue under another one, or to the top."""
        self._set_parent(issue.id, issue.values.get("parent"), parent)
        if parent is None:
            issue.values.pop("parent", None)
        else:
            issue.values["parent"] = parent

    def _set_parent(self, child: int, old: int | None, new: int | None) -> None:
        if old is not None:
            self.children.get(old, {}).pop(child, None)
        if new is not None:
            self.children.setdefault(new, {})[child] = None

    def remove_issue(self, issue: Issue) -> None:
        """Forget an issue, its keys and its links."""
        del self.issues[issue.id]
        for key in [key for key, owner in self.keys.items() if owner == issue.id]:
            del self.keys[key]
        _discard(self.by_id, issue.id)
        self.postings.drop(issue.id)
        self.archived.discard(issue.id)
        for kept in (self.worklogs, self.attachments, self.voters, self.ranks):
            kept.pop(issue.id, None)
        if issue.indexed is not None:
            _discard(self.by_updated, (issue.indexed[0], issue.id))
            _discard(self.by_created, (issue.indexed[1], issue.id))
        self._set_parent(issue.id, issue.values.get("parent"), None)
        for link_id in list(self.links_of.get(issue.id, ())):
            self.remove_link(link_id)
        self.revision += 1

    def subtasks(self, issue_id: int) -> list[Issue]:
        """Return the visible sub-tasks (level -1) of an issue."""
        found = (self.issues[child] for child in self.children.get(issue_id, ()))
        return [i for i in found if not i.hidden and self.type_of(i).level < 0]

    def type_of(self, issue: Issue) -> IssueType:
        """Return the type of an issue."""
        return self.types[issue.values["issuetype"]]

    # links

    def add_link(self, link: Link) -> None:
        """Add a link between two issues."""
        self.links[link.id] = link
        self.links_of.setdefault(link.inward, []).append(link.id)
        self.links_of.setdefault(link.outward, []).append(link.id)
        self.revision += 1

    def remove_link(self, link_id: str) -> None:
        """Remove a link."""
        link = self.links.pop(link_id)
        for end in (link.inward, link.outward):
            if link_id in self.links_of.get(end, ()):
                self.links_of[end].remove(link_id)
        self.revision += 1

    def by_name(self, table: dict[str, Named] | dict[str, Status], name: str) -> str | None:
        """Return the id of a named thing, whatever its case."""
        wanted = name.casefold()
        return next((k for k, v in table.items() if v.name.casefold() == wanted), None)


def _discard(items: list[Json], value: Json) -> None:
    place = bisect_left(items, value)
    if place < len(items) and items[place] == value:
        del items[place]
