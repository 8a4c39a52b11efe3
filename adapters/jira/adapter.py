"""A Jira Cloud site as an adapter: what the engine asks, put into Jira's requests.

All mapped projects are one scope, read by one JQL. A read lists by time of creation, so that no
edit moves an issue to another page while the pages are read; what changes meanwhile is in the next
read. Jira's search index lags behind: a read goes back to `OVERLAP` before the last one began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson

from adapters.jira.changelog import entries, moment
from adapters.jira.client import Client, Reply
from adapters.jira.config import Config
from adapters.jira.discovery import Facts
from adapters.jira.transitions import Transition, transitions_to
from adapters.jira.translate import (
    ALWAYS,
    MARKER,
    IssueReader,
    milliseconds,
    normal,
    write_fields,
)
from syncd.core.errors import Rejected, Stale, Unavailable
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

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

OVERLAP = 5 * 60 * 1000
"""Milliseconds that an incremental read goes back: more than the search index ever lags."""

_PAGE = 100  # issues; Jira gives no more when fields are asked for
_LOGS = 1000  # issues whose changelogs one request can ask for


class JiraAdapter:
    """One connection to one Jira Cloud site; see `syncd.core.ports.Adapter` for the methods."""

    keeps_log = True

    def __init__(self, connection: str, config: Config, client: Client) -> None:
        self.connection = connection
        self.client = client
        self.facts = Facts(client, config.browse_url)
        self._browse_url = config.browse_url

    def discover(self, containers: Sequence[str]) -> Schema:
        """Read the site's projects, people and fields, and the choices in the named projects."""
        return self.facts.schema(containers)

    def recall(self, schema: Schema) -> None:
        """Take up what an earlier `discover` found."""
        self.facts.recall(schema)

    # reading ------------------------------------------------------------------------------------

    def pages(self, scope: Scope, cursor: str | None) -> Iterator[Page]:
        """Read all issues of the scope, or those changed since the read that gave the cursor."""
        if not scope.containers:
            yield Page((), cursor=cursor)
            return
        since = None if cursor is None else self._since(cursor)
        jql = _in_projects(scope)
        if since is not None:
            jql += f" AND updated >= {max(0, since - OVERLAP)}"
        newest, count, started = since or 0, 0, None
        for reply, records, is_last in self._search(scope, jql, changes=since is not None):
            started = started or reply.served_at
            newest = max([newest, *(milliseconds(record.updated) for record in records)])
            count += len(records)
            if is_last and since is None and not count:
                self.facts.myself()  # an ignored credential sees no issues, but is refused here
            here = newest if started is None else int(started * 1000)
            done = orjson.dumps({"since": here}).decode() if is_last else None
            yield Page(records, cursor=done)

    def _since(self, cursor: str) -> int:
        try:
            return int(orjson.loads(cursor)["since"])
        except (ValueError, KeyError, TypeError):
            raise Stale(
                self.connection,
                f"{self.connection}: the place to go on reading from cannot be understood: "
                "everything is read again",
            ) from None

    def _search(
        self, scope: Scope, jql: str, *, changes: bool = False
    ) -> Iterator[tuple[Reply, tuple[Record, ...], bool]]:
        """Yield answer, new records and "is the last page" of each page of a search.

        With `changes` the records tell who changed them last.
        """
        reader = self._reader(scope)
        body: dict[str, object] = {
            "jql": f"{jql} ORDER BY created ASC, key ASC",
            "fields": [*_asked(scope), "creator"] if changes else _asked(scope),
            "properties": [MARKER],
            "maxResults": _PAGE,
        }
        if changes:
            body["expand"] = "changelog"
        seen: set[str] = set()
        tokens: set[str] = set()
        while True:
            reply = self.client.read("POST", "search/jql", body=body)
            records = self._records(reader, reply.json)
            token = reply.json.get("nextPageToken")
            if token and (token in tokens or not records):
                what = "gave the same page twice" if token in tokens else "gave an empty page"
                raise self.client.site.odd(f"{what} in a search")
            yield reply, tuple(r for r in records if r.id not in seen), not token
            if not token:
                return
            seen.update(record.id for record in records)
            tokens.add(token)
            body["nextPageToken"] = token

    def _reader(self, scope: Scope) -> IssueReader:
        infos = self.facts.known(scope.fields)
        return IssueReader(self.connection, scope.id, self._browse_url, infos.values())

    def _records(self, reader: IssueReader, answer: Mapping[str, Any]) -> tuple[Record, ...]:
        try:
            return tuple(reader.record(issue) for issue in answer["issues"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"showed an issue without {error}"
            raise self.client.site.odd(what) from error

    def read(self, scope: Scope, ids: Sequence[str]) -> tuple[Record, ...]:
        """Read issues by id; Jira leaves out those that are gone or not visible."""
        reader = self._reader(scope)
        found: list[Record] = []
        for start in range(0, len(ids), _PAGE):
            body = {
                "issueIdsOrKeys": list(ids[start : start + _PAGE]),
                "fields": _asked(scope),
                "properties": [MARKER],
            }
            answer = self.client.read("POST", "issue/bulkfetch", body=body).json
            if answer.get("issueErrors"):
                raise Unavailable(
                    self.connection,
                    f"{self.client.site.where} could not show some issues just now: "
                    "they are asked for again in the next cycle",
                )
            found += self._records(reader, answer)
        return tuple(found)

    def find(self, scope: Scope, marker: str, since: str) -> tuple[Record, ...]:
        """Return the issues created at or after `since` that carry the marker."""
        if not scope.containers:
            return ()
        jql = _in_projects(scope)
        if since:
            jql += f" AND created >= {max(0, milliseconds(since) - OVERLAP)}"
        pages = self._search(scope, jql)
        return tuple(r for _, records, _ in pages for r in records if r.marker == marker)

    # writing ------------------------------------------------------------------------------------

    def requests(self, fields: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return all fields as one request; the status by itself, for it takes a transition."""
        plain = tuple(name for name in fields if name != "status")
        groups = (plain, ("status",) if "status" in fields else ())
        return tuple(group for group in groups if group)

    def create(self, draft: Draft) -> Answer:
        """Create an issue with its marker; the status is left as the workflow begins.

        Jira answers with its id and key only.
        """
        infos = self.facts.known(draft.fields)
        values = {
            name: value
            for name, value in draft.fields.items()
            if value is not None and infos[name].writable and name != "status"
        }
        body = self._body(values)
        body["fields"] |= {"project": {"id": draft.container}, "issuetype": {"id": draft.kind}}
        body["properties"] = [{"key": MARKER, "value": {"item": draft.marker}}]
        made = self.client.write("POST", "issue", body=body).json
        return Answer(str(made["id"]), key=str(made["key"]))

    def update(self, edit: Edit) -> Answer:
        """Change fields in one request, or the status by one transition."""
        if set(edit.fields) == {"status"}:
            return self._move(edit, str(edit.fields["status"]))
        body = self._body(edit.fields)
        body["historyMetadata"] = _history(edit)
        query = {"returnIssue": "true", "expand": "changelog"}
        reply = self.client.write("PUT", f"issue/{edit.record}", query=query, body=body)
        if reply.json is None:
            return Answer(edit.record)
        (record,) = self._records(self._reader(edit.scope), {"issues": [reply.json]})
        return Answer(edit.record, record, log=self._whole_log(edit, reply.json))

    def _whole_log(self, edit: Edit, issue: Mapping[str, Any]) -> tuple[LogEntry, ...] | None:
        """Return the changes an answer tells, unless it leaves some of them out: it shows the latest."""
        since = edit.seen
        told = issue.get("changelog") or {}
        histories = told.get("histories") or ()
        reaches_back = any(moment(history["created"]) <= since for history in histories)
        if not reaches_back and len(histories) < int(told.get("total", 1)):
            return None
        return entries(histories, self.facts.known(edit.scope.fields), since)

    def log(self, scope: Scope, seen: Mapping[str, str]) -> dict[str, tuple[LogEntry, ...]]:
        """Return the changelogs of issues, many with each request."""
        infos = self.facts.known(scope.fields)
        found: dict[str, list[Any]] = {issue: [] for issue in seen}
        for start in range(0, len(seen), _LOGS):
            body: dict[str, object] = {"issueIdsOrKeys": list(seen)[start : start + _LOGS]}
            while True:
                answer = self.client.read("POST", "changelog/bulkfetch", body=body).json
                try:
                    for each in answer["issueChangeLogs"]:
                        found.setdefault(each["issueId"], []).extend(each["changeHistories"])
                except (KeyError, TypeError) as error:
                    raise self.client.site.odd(f"sent a changelog without {error}") from error
                token = answer.get("nextPageToken")
                if not token or token == body.get("nextPageToken"):
                    break
                body["nextPageToken"] = token
        try:
            return {issue: entries(found[issue], infos, since) for issue, since in seen.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise self.client.site.odd(f"sent a changelog that cannot be read: {error}") from error

    def _body(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return the JSON of an edit; raises Rejected for what its field cannot take."""
        infos = self.facts.known(values)
        for name, info in infos.items():
            if name == "status" or not info.writable:
                raise self._refuse(name, f"{info.name} cannot be set in Jira")
        needs_zone = any(info.has_time for info in infos.values())
        try:
            return write_fields(infos, values, self.facts.zone() if needs_zone else UTC)
        except ValueError as error:
            raise self._refuse(next(iter(values)), str(error)) from error

    def _refuse(self, field: str, reason: str) -> Rejected:
        return self.client.site.rejected(
            f"was not asked: {reason}; correct the mapping of this field", {field: reason}
        )

    # status -------------------------------------------------------------------------------------

    def _move(self, edit: Edit, status: str) -> Answer:
        """Bring an issue into a status by the transition its workflow has for that."""
        query = {"expand": "transitions.fields"}
        path = f"issue/{edit.record}/transitions"
        ways = transitions_to(status, self.client.read("GET", path, query=query).json)
        if not ways:
            return self._no_way(edit, status)
        body = {"transition": {"id": ways[0].id}, "historyMetadata": _history(edit)}
        try:
            self.client.write("POST", path, body=body)
        except Rejected as error:
            raise self._not_moved(edit, ways[0], error) from error
        return Answer(edit.record)

    def _no_way(self, edit: Edit, status: str) -> Answer:
        """Return the issue if it is in the status already; else say what the workflow lacks."""
        now_id, now_name = self._status_of(edit.record)
        if now_id == status:
            return Answer(edit.record)
        target = self.facts.status_names.get(status, f"status {status}")
        reason = (
            f"the workflow has no transition from {now_name} to {target} that this account may use"
        )
        raise self.client.site.rejected(
            f"cannot move issue {edit.record}: {reason}; add one to the workflow, or move the "
            "issue by hand",
            {"status": reason},
        )

    def _not_moved(self, edit: Edit, way: Transition, error: Rejected) -> Rejected:
        now_name = self._status_of(edit.record)[1]
        needs = f", which requires {', '.join(way.required)}" if way.required else ""
        said = "; ".join(error.fields.values())
        reason = f"from {now_name} to {way.to_name} by {way.name!r}{needs}"
        return self.client.site.rejected(
            f"refused to move issue {edit.record} {reason}{f' ({said})' if said else ''}: "
            "fill in what is missing, or move the issue by hand",
            {"status": reason, **error.fields},
        )

    def _status_of(self, issue: str) -> tuple[str, str]:
        raw = self.client.read("GET", f"issue/{issue}", query={"fields": "status"}).json
        status = raw["fields"]["status"]
        return str(status["id"]), str(status["name"])

    # the rest -----------------------------------------------------------------------------------

    def normal(self, kind: str, value: str) -> str:
        """Return what Jira gives back after storing this text in a field of this kind."""
        return normal(FieldKind(kind), value)

    def close(self) -> None:
        """Close the connections to the site."""
        self.client.close()


def _in_projects(scope: Scope) -> str:
    return f"project in ({', '.join(scope.containers)})"


def _asked(scope: Scope) -> list[str]:
    return list(dict.fromkeys((*ALWAYS, *scope.fields)))


def _history(edit: Edit) -> dict[str, object]:
    """Return what marks a change as ours in the issue's history."""
    return {
        "type": "syncd:sync",
        "description": "Kept in step by syncd",
        "generator": {"id": "syncd", "type": "application"},
        "cause": {"id": edit.attempt, "type": "syncd:attempt"},
        "extraData": {"attempt": edit.attempt},
    }


def connect(
    name: str,
    config: Config,
    *,
    secret: Callable[[], str],
    clock: Clock,
    transport: BaseAdapter | None = None,
) -> JiraAdapter:
    """Return an adapter for the connection `name`. Sends nothing yet.

    `secret` gives the API token; `transport` is mounted on the session instead of the network.
    """
    client = Client(name, config, secret=secret, clock=clock, transport=transport)
    return JiraAdapter(name, config, client)
