"""What an Asana account can see besides tasks: workspaces, projects, their fields, people, tags."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from adapters.asana.client import PAGE_SIZE, Client
from adapters.asana.translate import (
    STANDARD,
    account,
    container,
    custom_fields,
    section_field,
    subtype,
)
from syncd.core.records import Account, Container, RemoteField, Schema

Json = dict[str, Any]

_SETTINGS = (
    "custom_field.name,custom_field.resource_subtype,custom_field.type,"
    "custom_field.enum_options.name,custom_field.enum_options.enabled,"
    "custom_field.is_formula_field,custom_field.is_value_read_only"
)


def listing(client: Client, path: str, query: Mapping[str, str | int], **ids: str) -> Iterator[Any]:
    """Yield the pages of a list, each a list of JSON objects. Raises SourceError."""
    offset: str | None = None
    while True:
        asked = {**query, "limit": PAGE_SIZE, **({"offset": offset} if offset else {})}
        answer = client.get(path, query=asked, **ids)
        yield objects(client, answer)
        following = (answer.get("next_page") or {}).get("offset")
        if following is None:
            return
        if following == offset:
            raise client.site.odd("repeated a page of a list")
        offset = following


def objects(client: Client, answer: Json) -> list[Json]:
    """Return the `data` of an answer that is a list of objects."""
    data = answer.get("data")
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise client.site.odd("answered a list that is none")
    return data


def one(client: Client, answer: Json) -> Json:
    """Return the `data` of an answer that is one object."""
    data = answer.get("data")
    if not isinstance(data, dict) or "gid" not in data:
        raise client.site.odd("answered an object without an id")
    return data


class Catalogue:
    """Reads and remembers what tasks refer to. Thread-safe."""

    def __init__(self, client: Client, workspace: str | None) -> None:
        self._client = client
        self._workspace = workspace
        self._lock = threading.Lock()
        self._subtypes: dict[str, dict[str, str]] = {}  # project -> custom field -> shape
        self._homes: dict[str, str] = {}  # project -> workspace
        self._tags: dict[str, dict[str, str]] = {}  # workspace -> tag name -> gid
        self._me: Account | None = None

    def schema(self, wanted: Collection[str]) -> Schema:
        """Read everything; fields only of the projects that `wanted` names, by name or id."""
        me = self._user()
        workspaces = self._workspaces(me)
        projects = [project for gid in workspaces for project in self._projects(gid)]
        chosen = _chosen(projects, wanted)
        people = {
            user["gid"]: account(user) for gid in workspaces for user in self._users(gid)
        }  # members of several workspaces come once
        self._me = account(me)
        return Schema(
            connection=self._client.site.connection,
            me=self._me,
            containers=tuple(projects),
            fields=self._fields([project.id for project in chosen]),
            people=tuple(people.values()),
        )

    def me(self) -> str:
        """Return the id of the account itself."""
        if self._me is None:
            self._me = account(self._user())
        return self._me.id

    def subtypes(self, project: str) -> Mapping[str, str]:
        """Return the shape of each custom field of a project; asked once."""
        with self._lock:
            known = self._subtypes.get(project)
        return known if known is not None else self._remember(project, self._settings(project))

    # tags -----------------------------------------------------------------------------------------

    def tags(self, project: str, names: Sequence[str]) -> dict[str, str]:
        """Return the gids of tags by name; those that do not exist yet are created."""
        workspace = self._home(project)
        known = self._tags.get(workspace, {})
        if not known.keys() >= set(names):
            known = self._read_tags(workspace)
        for name in names:
            if name not in known:
                data = {"name": name, "workspace": workspace}
                answer = self._client.write("POST", "/tags", data, {})
                known[name] = one(self._client, answer)["gid"]
        self._tags[workspace] = known
        return {name: known[name] for name in names}

    def _read_tags(self, workspace: str) -> dict[str, str]:
        pages = listing(
            self._client,
            "/workspaces/{workspace}/tags",
            {"opt_fields": "name"},
            workspace=workspace,
        )
        found: dict[str, str] = {}
        for page in pages:
            for tag in page:
                found.setdefault(tag.get("name") or "", tag["gid"])  # names are not unique
        return found

    def _home(self, project: str) -> str:
        if project not in self._homes:
            query = {"opt_fields": "workspace"}
            answer = self._client.get("/projects/{project}", query=query, project=project)
            self._homes[project] = one(self._client, answer)["workspace"]["gid"]
        return self._homes[project]

    # parts of the schema --------------------------------------------------------------------------

    def _user(self) -> Json:
        query = {"opt_fields": "name,email,workspaces.name"}
        return one(self._client, self._client.get("/users/me", query=query))

    def _workspaces(self, me: Json) -> list[str]:
        """Return the gids of the workspaces to look into. Raises Gone for an unknown one."""
        mine = {each["gid"]: each.get("name") or "" for each in me.get("workspaces") or ()}
        wanted = self._workspace
        if wanted is None:
            return list(mine)
        found = [gid for gid, name in mine.items() if wanted in (gid, name)]
        if not found:
            raise self._client.site.gone(
                f"workspace {wanted!r}", f"it sees {', '.join(sorted(mine.values())) or 'none'}"
            )
        return found

    def _projects(self, workspace: str) -> Iterator[Container]:
        query = {"workspace": workspace, "archived": "false", "opt_fields": "name,permalink_url"}
        for page in listing(self._client, "/projects", query):
            for project in page:
                self._homes[project["gid"]] = workspace
                yield container(project)

    def _users(self, workspace: str) -> Iterator[Json]:
        query = {"workspace": workspace, "opt_fields": "name,email"}
        for page in listing(self._client, "/users", query):
            yield from page

    def _fields(self, projects: Sequence[str]) -> tuple[RemoteField, ...]:
        if not projects:
            return ()
        settings = {project: self._settings(project) for project in projects}
        for project, entries in settings.items():
            self._remember(project, entries)
        sections = (section_field(project, self._sections(project)) for project in projects)
        return (*STANDARD, *sections, *custom_fields(settings))

    def _sections(self, project: str) -> Iterator[Json]:
        query = {"opt_fields": "name"}
        for page in listing(self._client, "/projects/{project}/sections", query, project=project):
            yield from page

    def _settings(self, project: str) -> list[Json]:
        path = "/projects/{project}/custom_field_settings"
        pages = listing(self._client, path, {"opt_fields": _SETTINGS}, project=project)
        return [entry for page in pages for entry in page if entry.get("custom_field")]

    def _remember(self, project: str, settings: Sequence[Json]) -> dict[str, str]:
        shapes = {
            entry["custom_field"]["gid"]: subtype(entry["custom_field"]) for entry in settings
        }
        with self._lock:
            self._subtypes[project] = shapes
        return shapes


def _chosen(projects: Sequence[Container], wanted: Collection[str]) -> list[Container]:
    """Return the projects that names or ids name; letter case decides only between equals."""
    exact = [p for p in projects if p.id in wanted or p.name in wanted]
    met = {p.name for p in exact} | {p.id for p in exact}
    loose = {name.casefold() for name in wanted if name not in met}
    return exact + [p for p in projects if p not in exact and p.name.casefold() in loose]
