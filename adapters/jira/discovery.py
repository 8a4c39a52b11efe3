"""Finding out what a Jira site offers, with the requests an ordinary account may send.

Choices of fields come from the metadata of a new issue: the lists of field contexts and options
need administrator rights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from adapters.jira import schema as site_schema
from adapters.jira.client import Client
from adapters.jira.translate import FieldInfo
from syncd.core.errors import NotAllowed, Rejected
from syncd.core.records import Account, Container, Option, Schema

Json = Any

_PAGE = 100
_USERS = 1000  # the most that users/search gives at once
_NAMES = ("id", "key", "name")


class Facts:
    """What is known of one site. Asked for when needed, renewed by `schema`."""

    def __init__(self, client: Client, browse_url: str) -> None:
        self.status_names: dict[str, str] = {}
        self._client = client
        self._connection = client.site.connection
        self._browse_url = browse_url
        self._infos: dict[str, FieldInfo] = {}
        self._zone: tzinfo | None = None

    def schema(self, containers: Sequence[str]) -> Schema:
        """Read the site's projects, people and fields, and the choices in the named projects."""
        me = self.myself()
        infos = self._load_infos()
        wanted = {name.casefold() for name in containers}
        projects = list(self._values("project/search"))
        mapped = [p for p in projects if wanted & {str(p[k]).casefold() for k in _NAMES}]
        types, options = self._choices(mapped)
        ids = [str(project["id"]) for project in mapped]
        options.add_everywhere("priority", ids, self._client.read("GET", "priority").json)
        return Schema(
            connection=self._connection,
            me=me,
            containers=tuple(self._container(p, types) for p in projects),
            fields=tuple(f for info in infos.values() for f in options.remote_fields(info, ids)),
            people=self._people(me),
            one_scope=True,
        )

    def recall(self, schema: Schema) -> None:
        """Take up what an earlier `schema` found, as far as reading and writing need it."""
        self._infos = {
            f.id: FieldInfo(f.id, f.name, f.kind, f.writable, f.has_time) for f in schema.fields
        }
        self._client.names.update({f.id: f.name for f in schema.fields})
        self._client.names.update({c.id: f"the project {c.name}" for c in schema.containers})
        statuses = [option for f in schema.fields if f.id == "status" for option in f.options]
        self.status_names.update({option.id: option.name for option in statuses})

    def myself(self) -> Account:
        """Return the account we work as; raises NotAllowed when the credential is wrong."""
        raw = self._client.read("GET", "myself").json
        try:
            self._zone = ZoneInfo(str(raw.get("timeZone") or "UTC"))
        except (KeyError, ValueError):  # a zone this machine does not know
            self._zone = UTC
        return site_schema.account(raw)

    def _load_infos(self) -> dict[str, FieldInfo]:
        self._infos = site_schema.field_infos(self._client.read("GET", "field").json)
        self._client.names.update({info.id: info.name for info in self._infos.values()})
        return self._infos

    def _choices(
        self, projects: Iterable[Json]
    ) -> tuple[dict[str, tuple[Option, ...]], site_schema.Options]:
        """Return each project's issue types, and the choices of fields in each."""
        types: dict[str, tuple[Option, ...]] = {}
        options = site_schema.Options()
        for project in projects:
            project_id = str(project["id"])
            raw = self._client.read("GET", f"project/{project_id}/statuses").json
            types[project_id] = site_schema.kinds(raw)
            options.add_statuses(project_id, raw)
            for kind in types[project_id]:
                options.add_fields(project_id, self._create_fields(project_id, kind.id))
        for statuses in options.found["status"].values():
            self.status_names.update({option.id: option.name for option in statuses.values()})
        return types, options

    def _create_fields(self, project: str, kind: str) -> list[Json]:
        """Return the fields of a new issue; nothing where the account may not create one."""
        try:
            return list(self._values(f"issue/createmeta/{project}/issuetypes/{kind}", "fields"))
        except (NotAllowed, Rejected):
            return []

    def _people(self, me: Account) -> tuple[Account, ...]:
        """Return all users; only ourselves where the account may not browse users."""
        people = {me.id: me}
        start = 0
        while True:
            try:
                query = {"startAt": start, "maxResults": _USERS}
                users = self._client.read("GET", "users/search", query=query).json
            except NotAllowed:
                return tuple(people.values())
            people |= {
                str(user["accountId"]): site_schema.account(user)
                for user in users
                if user.get("accountType") != "customer"  # of the help desk: cannot own work
            }
            if not users:
                return tuple(people.values())
            start += len(users)

    def _container(self, project: Json, types: Mapping[str, tuple[Option, ...]]) -> Container:
        return site_schema.container(project, self._browse_url, types.get(str(project["id"]), ()))

    def _values(self, path: str, key: str = "values") -> Iterator[Json]:
        """Yield the entries of a list that is paged by position."""
        start = 0
        while True:
            page = self._client.read(
                "GET", path, query={"startAt": start, "maxResults": _PAGE}
            ).json
            values = page.get(key) or []
            yield from values
            start += len(values)
            if not values or page.get("isLast") or start >= page.get("total", start + 1):
                return

    def known(self, fields: Iterable[str]) -> dict[str, FieldInfo]:
        """Return what is known of fields; the site is asked when a daemon has just started."""
        names = list(fields)
        if any(name not in self._infos for name in names):
            self._load_infos()
        missing = [name for name in names if name not in self._infos]
        if missing:
            raise self._client.site.rejected(
                f"has no field {missing[0]!r} any more: take it out of the mapping",
                {missing[0]: "does not exist"},
            )
        return {name: self._infos[name] for name in names}

    def zone(self) -> tzinfo:
        """Return the time zone of the account, in which Jira shows date-times."""
        if self._zone is None:
            self.myself()
        return self._zone or UTC
