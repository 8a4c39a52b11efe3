"""One Notion connection as the engine sees it: data sources are containers, their pages records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from adapters.http import Caller, Site
from adapters.notion import Json
from adapters.notion.client import PAGE_SIZE, Client, Query, Written, path_of, walk
from adapters.notion.config import Config
from adapters.notion.discover import Discovery
from adapters.notion.failures import OverwhelmedError
from adapters.notion.publish import NotionPublisher
from adapters.notion.translate import (
    Property,
    UnwritableError,
    id_in,
    marker_property,
    properties_of,
    property_for,
    record_of,
    stored_text,
)
from syncd.core.errors import Gone, Rejected, SourceError, Stale, Unexpected
from syncd.core.ports import Adapter, Clock
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

if TYPE_CHECKING:
    import httpx

_MINUTE = 60.0  # Notion rounds its times down to the minute
_SMALLEST_PAGE = 10  # rows to ask for at least when a query overwhelms Notion
_CURSOR = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z")


def connect(
    name: str,
    config: Config,
    *,
    secret: Callable[[], str],
    clock: Clock,
    transport: httpx.BaseTransport | None = None,
) -> NotionAdapter:
    """Return the adapter of a connection; sends nothing yet."""
    caller = Caller(name, clock, rate=config.requests_per_second, burst=config.burst)
    return NotionAdapter(Client(Site(name, "Notion", config.url), secret, clock, caller, transport))


def publisher(adapter: Adapter) -> NotionPublisher:
    """Return what keeps pages over the same connection, pace and token as the adapter."""
    if not isinstance(adapter, NotionAdapter):
        raise TypeError(f"{adapter!r} is not a Notion adapter: pass what `connect` returned")
    return adapter.publisher()


class NotionAdapter:
    """See `syncd.core.ports.Adapter`. One scope is one data source."""

    keeps_log = False  # a page names who edited it last, and nothing else

    def __init__(self, client: Client) -> None:
        self.connection = client.site.connection
        self._client = client
        self._site = client.site
        self._properties: dict[str, Mapping[str, Property]] = {}
        self._kinds: dict[str, dict[str, FieldKind]] = {}  # as the mapping is bound to them

    @property
    def caller(self) -> Caller:
        """Return what counts the requests."""
        return self._client.caller

    def publisher(self) -> NotionPublisher:
        """Return what keeps pages over this connection."""
        return NotionPublisher(self._client)

    def close(self) -> None:
        """Give back the sockets."""
        self._client.close()

    # reading ------------------------------------------------------------------------------------

    def discover(self, containers: Sequence[str]) -> Schema:
        """Read the data sources shared with the connection, and the properties of `containers`."""
        discovery = Discovery(self._client)
        schema = discovery.schema(containers)
        self._properties.update({key: properties_of(s) for key, s in discovery.read.items()})
        return schema

    def recall(self, schema: Schema) -> None:
        """Take up what an earlier `discover` found: which property was of which kind."""
        self._kinds = {
            container.id: {field.id: field.kind for field in schema.fields_of(container.id)}
            for container in schema.containers
        }

    def pages(self, scope: Scope, cursor: str | None) -> Iterator[Page]:
        """Read all pages, or those edited since `cursor`, a minute in Notion's time."""
        if cursor is None:
            return self._with_cursor(self._everything(scope))
        if not _CURSOR.fullmatch(cursor):
            raise Stale(
                self.connection,
                f"{self.connection}: the place up to which {scope.name} was read is lost: "
                "it is read again in full",
            )
        return self._with_cursor(self._changed(scope, cursor), cursor)

    def read(self, scope: Scope, ids: Sequence[str]) -> tuple[Record, ...]:
        """Read pages one by one."""
        found = (self._one(scope, id_) for id_ in ids)
        return tuple(record for record in found if record is not None)

    def find(self, scope: Scope, marker: str, since: str) -> tuple[Record, ...]:
        """Ask for the pages whose marker property holds exactly this."""
        if scope.marker is None:
            return ()
        carries: Json = {"property": scope.marker, "rich_text": {"equals": marker}}
        body: Json = {"filter": carries}
        return tuple(
            record
            for page in self._query(scope, body)
            for record in page
            if record.created >= since
        )

    def _one(self, scope: Scope, id_: str) -> Record | None:
        if id_in(id_) is None:
            return None
        path, what = path_of("pages", id_), f"the page {id_}"
        try:
            try:
                page = self._client.get(path, what, _needed(scope))
            except Rejected:  # it was moved, and has none of these properties where it stands now
                page = self._client.get(path, what)
        except Gone:
            return None
        return self._record(page, scope)

    def _everything(self, scope: Scope) -> Iterator[tuple[Record, ...]]:
        """Read in windows by creation, for one query never gives more than 10,000 pages."""
        seen: set[str] = set()
        since: str | None = None
        while True:
            body: Json = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}
            if since is not None:
                body["filter"] = _since("created_time", since)
            latest = since or ""
            cut = False
            for answer in self._answers(scope, body):
                records = self._records(answer, scope)
                cut = _is_cut(answer)
                latest = max([latest, *(record.created for record in records)])
                yield tuple(record for record in records if record.id not in seen)
                seen.update(record.id for record in records)
            if not cut:
                return
            if latest == (since or ""):
                raise self._too_many_at_once(scope, latest)
            since = latest

    def _changed(self, scope: Scope, since: str) -> Iterator[tuple[Record, ...]]:
        body: Json = {
            "filter": _since("last_edited_time", since),
            "sorts": [{"timestamp": "last_edited_time", "direction": "descending"}],
        }
        for answer in self._answers(scope, body):
            yield self._records(answer, scope)
            if _is_cut(answer):
                raise Stale(
                    self.connection,
                    f"{self._site.where} cannot list more than 10,000 changes of {scope.name}: "
                    "it is read again in full",
                )

    def _with_cursor(
        self, batches: Iterator[tuple[Record, ...]], cursor: str | None = None
    ) -> Iterator[Page]:
        """Turn batches into pages; the last one says from which minute to go on.

        That is the minute before the server's time at the first answer. A server that does not say
        its time is taken at the time of its latest edit.
        """
        started: float | None = None
        newest = ""
        held: tuple[Record, ...] = ()
        for number, batch in enumerate(batches):
            if number:
                yield Page(held)
            else:
                started = self._client.served_at
            newest = max([newest, *(record.updated for record in batch)])
            held = batch
        if started is None and newest:
            started = datetime.fromisoformat(newest).timestamp()
        yield Page(held, cursor=cursor if started is None else _minute(started - _MINUTE))

    def _query(self, scope: Scope, body: Json) -> Iterator[tuple[Record, ...]]:
        for answer in self._answers(scope, body):
            yield self._records(answer, scope)

    def _answers(self, scope: Scope, body: Json) -> Iterator[Json]:
        path = path_of("data_sources", scope.id, "query")
        what = f'the data source "{scope.name}"'
        query = _needed(scope)

        def ask(cursor: str | None, size: int = PAGE_SIZE) -> Json:
            start = {} if cursor is None else {"start_cursor": cursor}
            try:
                return self._client.ask(path, what, {**body, "page_size": size, **start}, query)
            except OverwhelmedError:
                if size <= _SMALLEST_PAGE:
                    raise
                return ask(cursor, size // 4)

        return walk(self._site, ask)

    def _records(self, answer: Json, scope: Scope) -> tuple[Record, ...]:
        pages = (entry for entry in answer["results"] if entry.get("object") == "page")
        return tuple(self._record(page, scope) for page in pages)

    def _record(self, page: Json, scope: Scope) -> Record:
        try:
            return record_of(page, scope, self._kinds.get(scope.id))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise self._site.odd(f"sent a page that cannot be read ({error!r})") from error

    def _too_many_at_once(self, scope: Scope, minute: str) -> Unexpected:
        return Unexpected(
            self.connection,
            f"{self._site.where} cannot list {scope.name}, where more than 10,000 pages were "
            f"created in the minute {minute}: move some of them to another database",
        )

    # writing ------------------------------------------------------------------------------------

    def requests(self, fields: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return one group: Notion changes all properties of a page in one request."""
        return (tuple(fields),) if fields else ()

    def create(self, draft: Draft) -> Answer:
        """Create a page with the marker in it."""
        if draft.scope.marker is None:
            raise Rejected(
                self.connection,
                f"{self._site.where} has no property to recognise our pages by in "
                f'"{draft.scope.name}": add a text property called "Syncd ID" to it',
            )
        properties = self._body(draft.container, draft.fields)
        properties[draft.scope.marker] = marker_property(draft.marker)
        body: Json = {
            "parent": {"type": "data_source_id", "data_source_id": draft.container},
            "properties": properties,
        }
        what = f'the data source "{draft.scope.name}"'
        return self._answer(
            draft.scope, properties, lambda: self._client.write("POST", "pages", what, body)
        )

    def update(self, edit: Edit) -> Answer:
        """Change some properties of a page; the others stay as they are."""
        properties = self._body(edit.container, edit.fields)
        path, what = path_of("pages", edit.record), f"the page {edit.record}"
        answer = self._answer(
            edit.scope,
            properties,
            lambda: self._client.write("PATCH", path, what, {"properties": properties}),
        )
        return Answer(edit.record, answer.record)

    def log(self, scope: Scope, seen: Mapping[str, str]) -> dict[str, tuple[LogEntry, ...]]:
        """Notion keeps no log that an integration could read."""
        del scope, seen
        return {}

    def normal(self, kind: str, value: str) -> str:
        """Return how Notion spells a text."""
        return stored_text(kind, value)

    def _answer(self, scope: Scope, sent: Json, write: Callable[[], Written]) -> Answer:
        try:
            written = write()
        except Rejected as error:
            raise self._explained(error, sent, scope) from None
        if written.body is None:
            return Answer(written.id)
        try:
            return Answer(written.id, self._record(written.body, scope))
        except Unexpected as error:
            error.maybe_applied = True
            raise

    def _explained(self, error: Rejected, sent: Json, scope: Scope) -> SourceError:
        """Say which of the fields sent the refusal is about, where its sentence names any."""
        known = self._properties.get(scope.id, {})
        sentence = str(error)
        named = {
            key: sentence
            for key in sent
            if key in sentence or (key in known and known[key].name in sentence)
        }
        only = {key: sentence for key in sent if key != scope.marker}
        return Rejected(self.connection, sentence, named or (only if len(only) == 1 else {}))

    def _body(self, container: str, fields: Mapping[str, Value]) -> Json:
        """Return the properties to send. Raises Rejected with the sentence of each bad value."""
        known = self._known(container, fields)
        body: Json = {}
        wrong: dict[str, str] = {}
        for key, value in fields.items():
            try:
                body[key] = property_for(known[key].type if key in known else "missing", value)
            except UnwritableError as error:
                name = known[key].name if key in known else key
                wrong[key] = f'"{name}" {error}'
        if wrong:
            message = f"{self._site.where}: the property {'; '.join(wrong.values())}"
            raise Rejected(self.connection, message, wrong)
        return body

    def _known(self, container: str, fields: Mapping[str, Value]) -> Mapping[str, Property]:
        """Return the properties of a data source, read anew when one of `fields` is not known."""
        known = self._properties.get(container)
        if known is None or not known.keys() >= fields.keys():
            what = f"the data source {container}"
            known = properties_of(self._client.get(path_of("data_sources", container), what))
            self._properties[container] = known
        return known


def _needed(scope: Scope) -> Query:
    """Ask only for the properties we use; ids travel encoded once, as Notion spells them."""
    wanted = [*scope.fields, *([scope.marker] if scope.marker else [])] or ["title"]
    return [("filter_properties", unquote(id_)) for id_ in wanted]


def _since(timestamp: str, moment: str) -> Json:
    return {"timestamp": timestamp, timestamp: {"on_or_after": moment}}


def _is_cut(answer: Json) -> bool:
    return (answer.get("request_status") or {}).get("type") == "incomplete"


def _minute(moment: float) -> str:
    floored = max(0.0, moment) // _MINUTE * _MINUTE
    return datetime.fromtimestamp(floored, UTC).strftime("%Y-%m-%dT%H:%M:00.000Z")
