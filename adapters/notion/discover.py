"""What a Notion connection offers: data sources shared with it, their properties, people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from adapters.notion import Json
from adapters.notion.client import Client, path_of
from adapters.notion.translate import account_of, container_of, fields_of, id_in, title_of
from syncd.core.errors import Gone, NotAllowed, Rejected
from syncd.core.records import Account, Container, Schema

_MOST_DATABASES = 20  # read at most so many to find the one of a given title


class Discovery:
    """One look at what is there. `read` holds the data sources whose properties were read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sources: dict[str, Json] = {}
        self._called: dict[str, tuple[str, str | None]] = {}  # id -> name and key to show
        self.read: dict[str, Json] = {}

    def schema(self, wanted: Sequence[str]) -> Schema:
        """Return all data sources, and the fields of those wanted by name, id or URL."""
        me = account_of(self._client.get("users/me", "its own account"))
        self._sources = {str(source["id"]): source for source in self._search("")}
        chosen = {id_: None for text in wanted for id_ in self._ids_of(text)}
        for id_ in chosen:
            self.read[id_] = self._source(id_) or self._sources[id_]
        people = self._people()
        return Schema(
            connection=self._client.site.connection,
            me=me,
            containers=tuple(sorted(self._containers(), key=lambda c: (c.name, c.id))),
            fields=tuple(field for source in self.read.values() for field in fields_of(source)),
            people=people,
        )

    def _containers(self) -> Iterator[Container]:
        for id_, source in {**self._sources, **self.read}.items():
            name, key = self._called.get(id_, (title_of(source), None))
            yield container_of(source, name, key)

    # finding what people name ---------------------------------------------------------------------

    def _ids_of(self, text: str) -> tuple[str, ...]:
        """Return the data sources that a person calls so: usually one, none when there is none."""
        id_ = id_in(text)
        found = self._by_id(id_) if id_ else ()
        for source in found:
            self._called[source] = (title_of(self._sources[source]), text)
        return found or self._by_title(text) or self._by_database_title(text)

    def _by_id(self, id_: str) -> tuple[str, ...]:
        """Return a data source by its id or that of its database; search may not know it yet."""
        if id_ in self._sources:
            return (id_,)
        children = tuple(
            key for key, source in self._sources.items() if _database_id(source) == id_
        )
        return children or self._unlisted(id_)

    def _unlisted(self, id_: str) -> tuple[str, ...]:
        source = self._source(id_)
        if source is not None:
            self._sources[id_] = source
            return (id_,)
        database = self._database(id_)
        held = (database or {}).get("data_sources") or []
        found = {str(entry["id"]): self._source(str(entry["id"])) for entry in held}
        self._sources.update({key: source for key, source in found.items() if source})
        return tuple(key for key, source in found.items() if source)

    def _by_title(self, text: str) -> tuple[str, ...]:
        return tuple(
            key for key, source in self._sources.items() if title_of(source) == text.strip()
        )

    def _by_database_title(self, text: str) -> tuple[str, ...]:
        """Look at the databases of data sources with a similar name, for those have own names."""
        sources = {str(s["id"]): s for s in self._search(text)} or self._sources
        databases = {_database_id(source) for source in sources.values()} - {""}
        for database in islice(sorted(databases), _MOST_DATABASES):
            if title_of(self._database(database) or {}) == text.strip():
                found = self._by_id(database)
                if len(found) == 1:
                    self._called[found[0]] = (text.strip(), None)
                return found
        return ()

    # requests -------------------------------------------------------------------------------------

    def _search(self, text: str) -> Iterable[Json]:
        body: Json = {"filter": {"property": "object", "value": "data_source"}}
        if text:
            body["query"] = text
        for answer in self._client.listed("search", "what is shared with it", body):
            yield from (entry for entry in answer["results"] if _is_live_source(entry))

    def _source(self, id_: str) -> Json | None:
        try:
            source = self._client.get(path_of("data_sources", id_), f"the data source {id_}")
        except (Gone, Rejected):
            return None
        return source if _is_live_source(source) else None

    def _database(self, id_: str) -> Json | None:
        try:
            return self._client.get(path_of("databases", id_), f"the database {id_}")
        except (Gone, Rejected):
            return None

    def _people(self) -> tuple[Account, ...]:
        """Return people and bots; nobody when the token may not see them (a capability)."""
        try:
            answers = self._client.listed("users", "the people of the workspace")
            return tuple(account_of(user) for answer in answers for user in answer["results"])
        except NotAllowed:
            return ()


def _is_live_source(entry: Json) -> bool:
    return entry.get("object") == "data_source" and not entry.get("in_trash")


def _database_id(source: Json) -> str:
    return str((source.get("parent") or {}).get("database_id") or "")
