# ruff: noqa: S101, D102 - laws are assertions, and their names say what they hold
"""The laws every adapter keeps, as tests to inherit.

A test module makes a `Lab` (an adapter joined to a service that the test controls) and inherits:

    class TestMyToolLaws(AdapterLaws):
        @pytest.fixture
        def lab(self) -> Lab: ...

`Line` stands between the adapter's HTTP library and the service: it counts what is sent and can
spoil answers. The lab's transport calls `line.exchange` and turns `NoConnection` and `NoAnswer`
into what its library raises in these cases. Needs pytest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pytest

from syncd.core.errors import NotAllowed, SourceError, Stale, Unavailable, Unexpected
from syncd.core.ports import Adapter
from syncd.core.records import (
    Answer,
    Draft,
    Edit,
    FieldKind,
    Page,
    Record,
    RemoteField,
    Scope,
    Value,
)
from syncd.testing.fakes import FakeClock

HTML = b"<html><head><title>Log in to continue</title></head><body>Welcome</body></html>"
PAUSE = 7.0  # seconds, as a service asks for
LONG = 3600.0  # seconds, longer than any overlap of an incremental read

AWKWARD = (
    "plain",
    "  blanks around  ",
    "Ünïcødé – “quoted” 🚀 日本語",
    "no\u00a0break space, <b>not markup</b> & {braces} [brackets] *stars* @you",
    'quote " backslash \\ percent %20 plus + hash # star * under_score_',
)
"""Texts that tools and libraries tend to change on the way."""


class NoConnection(Exception):
    """The service does not accept connections: nothing was sent."""


class NoAnswer(Exception):
    """The request reached the service and was worked on, but the answer got lost."""


class Response(Protocol):
    """An answer, as a stand-in for a service gives it. Header names are lower case."""

    status: int
    body: bytes
    headers: dict[str, str]


Request = Any
"""A request, as the lab's transport and the stand-in behind the line understand it."""

Fault = Callable[["Line", Request], Response]


@dataclass(slots=True)
class Spoilt:
    """An answer that is not the service's own."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(slots=True)
class Line:
    """The line to a service. `fault` answers in the service's place while it is set."""

    handle: Callable[[Request], Response]
    is_write: Callable[[Request], bool]
    sent: list[Request] = field(default_factory=list)
    fault: Fault | None = None

    def exchange(self, request: Request) -> Response:
        """Return the answer to a request. Raises NoConnection or NoAnswer."""
        self.sent.append(request)
        return self.handle(request) if self.fault is None else self.fault(self, request)

    @property
    def writes(self) -> list[Request]:
        """Return the requests so far that change something."""
        return [request for request in self.sent if self.is_write(request)]


def answers_html(line: Line, request: Request) -> Response:
    """Answer everything with a login page."""
    del line, request
    return Spoilt(200, HTML, {"content-type": "text/html"})


def fails(line: Line, request: Request) -> Response:
    """Answer everything as a gateway does whose service is down."""
    del line, request
    return Spoilt(502, HTML, {"content-type": "text/html"})


def refuses(line: Line, request: Request) -> Response:
    """Accept no connection."""
    del line, request
    raise NoConnection


def loses_answer_of_write(line: Line, request: Request) -> Response:
    """Do the next write but lose its answer; reads and later requests are served."""
    answer = line.handle(request)
    if line.is_write(request):
        line.fault = None
        raise NoAnswer
    return answer


def limits_once(line: Line, request: Request) -> Response:
    """Ask to wait `PAUSE` seconds, once."""
    del request
    line.fault = None
    return Spoilt(429, b"", {"retry-after": f"{PAUSE:.0f}"})


@dataclass(frozen=True)
class Lab:
    """An adapter joined to a service under control, and what the laws need to know about it.

    `title` is the id of the field every record has; `examples` gives for other field ids two or
    more values to write (valid at once, in this order, in one record). `add` and `rename` act as
    another person does, not through the adapter. `pass_time` moves the service's clock and ours.
    `base` are fields needed to create a record besides the title.
    """

    adapter: Adapter
    scope: Scope
    container: str
    kind: str | None
    title: str
    line: Line
    clock: FakeClock
    unknown: str
    add: Callable[[str], str]
    rename: Callable[[str, str], None]
    pass_time: Callable[[float], None]
    with_token: Callable[[str], Adapter]
    examples: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    cannot_be_empty: frozenset[str] = frozenset()
    base: Mapping[str, Value] = field(default_factory=dict)

    def create(self, title: str, marker: str = "marker-1") -> Answer:
        """Create a record through the adapter."""
        fields = {self.title: title, **self.base}
        return self.adapter.create(Draft(self.scope, self.container, self.kind, fields, marker))

    def read(self, record: str) -> Record:
        """Read one record."""
        (found,) = self.adapter.read(self.scope, [record])
        return found

    def write(self, record: str, fields: Mapping[str, Value]) -> Answer:
        """Change one group of fields."""
        seen = self.read(record).updated
        edit = Edit(self.scope, self.container, record, fields, seen, attempt="attempt-1")
        return self.adapter.update(edit)

    def pages(self, cursor: str | None = None) -> list[Page]:
        """Read to the end."""
        return list(self.adapter.pages(self.scope, cursor))

    def fields(self) -> dict[str, RemoteField]:
        """Return the container's fields by id."""
        schema = self.adapter.discover([self.container])
        return {found.id: found for found in schema.fields_of(self.container)}


def seen(record: Record) -> Record:
    """Return the record without what services show only in some answers: marker and author."""
    return replace(record, marker=None, author=None)


def records_of(pages: list[Page]) -> dict[str, Record]:
    """Return the records of pages by id."""
    return {record.id: record for page in pages for record in page.records}


class AdapterLaws:
    """Inherit, give the fixture `lab`, and every law is a test."""

    # reading ------------------------------------------------------------------------------------

    def test_full_read_lists_everything_exactly_once(self, lab: Lab) -> None:
        added = {lab.add(f"Thing {number}") for number in range(205)}
        pages = lab.pages()
        listed = [record.id for page in pages for record in page.records]
        assert len(listed) == len(set(listed))
        assert added <= set(listed)
        assert [page.cursor for page in pages[:-1]] == [None] * (len(pages) - 1)
        assert pages[-1].cursor is not None

    def test_record_read_by_id_equals_the_listed_one(self, lab: Lab) -> None:
        record = lab.add("Thing")
        assert seen(records_of(lab.pages())[record]) == seen(lab.read(record))

    def test_unknown_id_is_left_out(self, lab: Lab) -> None:
        record = lab.add("Thing")
        found = lab.adapter.read(lab.scope, [lab.unknown, record])
        assert [one.id for one in found] == [record]

    def test_edit_by_somebody_else_is_in_the_next_incremental_read(self, lab: Lab) -> None:
        record = lab.add("Old")
        cursor = lab.pages()[-1].cursor
        lab.pass_time(LONG)
        cursor = lab.pages(cursor)[-1].cursor
        lab.pass_time(60)
        lab.rename(record, "New")
        found = records_of(lab.pages(cursor))
        assert found[record].fields[lab.title] == "New"

    def test_record_added_by_somebody_else_is_in_the_next_incremental_read(self, lab: Lab) -> None:
        cursor = lab.pages()[-1].cursor
        lab.pass_time(LONG)
        record = lab.add("Fresh")
        assert record in records_of(lab.pages(cursor))

    def test_change_between_two_reads_is_never_lost(self, lab: Lab) -> None:
        record = lab.add("Old")
        lab.pass_time(LONG)
        cursor = lab.pages()[-1].cursor
        lab.rename(record, "New")  # at the very moment of the read
        assert records_of(lab.pages(cursor))[record].fields[lab.title] == "New"

    def test_idle_incremental_read_costs_exactly_one_request(self, lab: Lab) -> None:
        lab.add("Thing")
        cursor = lab.pages()[-1].cursor
        lab.pass_time(LONG)
        cursor = lab.pages(cursor)[-1].cursor
        for _ in range(3):
            lab.pass_time(LONG)
            before = len(lab.line.sent)
            cursor = lab.pages(cursor)[-1].cursor
            assert cursor is not None
            assert len(lab.line.sent) - before == 1

    def test_cursor_that_is_not_understood_is_stale(self, lab: Lab) -> None:
        with pytest.raises(Stale):
            lab.pages("not a cursor")

    # writing ------------------------------------------------------------------------------------

    def test_created_record_is_found_by_its_marker_and_by_a_full_read(self, lab: Lab) -> None:
        start = lab.read(lab.add("Seen before")).updated
        answer = lab.create("Made here", marker="marker-7")
        lab.create("Another", marker="marker-8")
        found = lab.adapter.find(lab.scope, "marker-7", start)
        assert [(one.id, one.marker) for one in found] == [(answer.id, "marker-7")]
        assert lab.adapter.find(lab.scope, "marker-9", start) == ()
        (again,) = lab.adapter.find(lab.scope, "marker-7", "")
        assert again.id == answer.id
        listed = records_of(lab.pages())[answer.id]
        assert (listed.marker, listed.fields[lab.title]) == ("marker-7", "Made here")

    def test_answer_of_create_shows_what_is_there(self, lab: Lab) -> None:
        answer = lab.create("Made here")
        assert answer.record is None or seen(answer.record) == seen(lab.read(answer.id))

    def test_create_and_update_send_one_writing_request(self, lab: Lab) -> None:
        answer = lab.create("Made here")
        assert len(lab.line.writes) == 1
        lab.write(answer.id, {lab.title: "Renamed"})
        assert len(lab.line.writes) == 2  # noqa: PLR2004 - the one before, and one more

    def test_requests_split_the_fields_without_loss(self, lab: Lab) -> None:
        names = [lab.title, *lab.examples]
        groups = lab.adapter.requests(names)
        assert sorted(name for group in groups for name in group) == sorted(names)
        assert all(groups)

    def test_update_changes_only_what_was_asked(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        for name, values in lab.examples.items():
            before = lab.read(record)
            lab.write(record, {name: values[0]})
            after = lab.read(record)
            changed = {key for key in before.fields if before.fields[key] != after.fields[key]}
            assert changed <= {name}, name

    def test_answer_of_update_equals_reading_again(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        for name, values in {lab.title: ("Renamed",), **lab.examples}.items():
            answer = lab.write(record, {name: values[-1]})
            assert answer.id == record
            if answer.record is not None:
                assert seen(answer.record) == seen(lab.read(record)), name

    def test_what_is_written_is_read(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        for name, values in lab.examples.items():
            for value in values:
                lab.write(record, {name: value})
                assert lab.read(record).fields[name] == value, name

    def test_writing_what_was_read_changes_no_value(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        for name, values in lab.examples.items():
            lab.write(record, {name: values[0]})
            before = lab.read(record)
            lab.write(record, {name: before.fields[name]})
            assert lab.read(record).fields == before.fields, name

    def test_field_can_be_emptied(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        for name, values in lab.examples.items():
            if name not in lab.cannot_be_empty:
                lab.write(record, {name: values[0]})
                lab.write(record, {name: None})
                assert lab.read(record).fields[name] is None, name

    def test_text_comes_back_in_normal_form(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        for name, kind in self._text_fields(lab):
            for text in AWKWARD:
                lab.write(record, {name: text})
                assert lab.read(record).fields[name] == lab.adapter.normal(kind, text), name

    def test_normal_form_is_stable(self, lab: Lab) -> None:
        for _name, kind in self._text_fields(lab):
            for text in AWKWARD:
                once = lab.adapter.normal(kind, text)
                assert lab.adapter.normal(kind, once) == once

    def _text_fields(self, lab: Lab) -> Iterator[tuple[str, FieldKind]]:
        fields = lab.fields()
        for name in (lab.title, *lab.examples):
            if fields[name].kind in {FieldKind.TITLE, FieldKind.TEXT, FieldKind.RICH_TEXT}:
                yield name, fields[name].kind

    # the log ------------------------------------------------------------------------------------

    def test_log_tells_what_we_changed(self, lab: Lab) -> None:
        if not lab.adapter.keeps_log:
            return
        record, me = lab.create("Thing").id, lab.adapter.discover([lab.container]).me.id
        kinds = {name: field.kind for name, field in lab.fields().items()}
        for name, values in {lab.title: ("First", "Second"), **lab.examples}.items():
            lab.pass_time(60)
            lab.write(record, {name: values[0]})
            between = lab.read(record)
            lab.pass_time(60)
            lab.write(record, {name: values[-1]})
            found = lab.adapter.log(lab.scope, {record: between.updated})[record]
            now = lab.read(record).fields[name]
            mine = [entry for entry in found if entry.field == name]
            if now != between.fields[name]:
                assert mine[-1].author == me, name
                if mine[-1].told and kinds[name] is not FieldKind.RICH_TEXT:  # told as plain text
                    assert (mine[-1].before, mine[-1].after) == (between.fields[name], now), name

    def test_log_names_who_edited_after_us(self, lab: Lab) -> None:
        if not lab.adapter.keeps_log:
            return
        record, me = lab.create("Thing").id, lab.adapter.discover([lab.container]).me.id
        before = lab.read(record)
        lab.pass_time(60)
        lab.write(record, {lab.title: "Ours"})
        lab.pass_time(60)
        lab.rename(record, "Theirs")
        ours, theirs = lab.adapter.log(lab.scope, {record: before.updated})[record]
        assert (ours.author, ours.before, ours.after) == (me, "Thing", "Ours")
        assert (theirs.before, theirs.after) == ("Ours", "Theirs")
        assert theirs.author != me
        assert ours.attempt in (None, "attempt-1")

    def test_log_of_a_record_out_of_sight_is_left_out_or_empty(self, lab: Lab) -> None:
        if lab.adapter.keeps_log:
            assert not any(lab.adapter.log(lab.scope, {lab.unknown: ""}).values())

    # discovering --------------------------------------------------------------------------------

    def test_discover_knows_the_container_the_fields_and_ourselves(self, lab: Lab) -> None:
        schema = lab.adapter.discover([lab.container])
        assert lab.container in {container.id for container in schema.containers}
        known = {found.id for found in schema.fields_of(lab.container)}
        assert {lab.title, *lab.examples} <= known
        assert schema.me.id

    def test_discover_does_not_mind_names_that_do_not_exist(self, lab: Lab) -> None:
        schema = lab.adapter.discover(["No such place"])
        assert "No such place" not in {container.name for container in schema.containers}

    # failing ------------------------------------------------------------------------------------

    def test_wrong_token_is_not_allowed_and_not_shown(self, lab: Lab) -> None:
        adapter = lab.with_token("wrong-token-4711")
        for ask in (lambda: adapter.discover([]), lambda: list(adapter.pages(lab.scope, None))):
            with pytest.raises(NotAllowed) as caught:
                ask()
            assert "4711" not in str(caught.value)

    def test_page_of_html_is_shown_as_a_short_piece_of_text(self, lab: Lab) -> None:
        for fault in (answers_html, fails):
            lab.line.fault = fault
            with pytest.raises((Unexpected, Unavailable)) as caught:
                lab.pages()
            assert "Log in to continue" in str(caught.value)
            assert "<" not in str(caught.value)

    def test_service_that_is_down_is_unavailable_and_nothing_was_applied(self, lab: Lab) -> None:
        record = lab.add("Thing")
        edit = Edit(lab.scope, lab.container, record, {lab.title: "Changed"})
        lab.pages()
        lab.line.fault = refuses
        with pytest.raises(Unavailable) as caught:
            lab.adapter.update(edit)
        assert not caught.value.maybe_applied
        with pytest.raises(Unavailable):
            lab.pages()

    def test_lost_answer_of_a_create_is_maybe_applied_and_found(self, lab: Lab) -> None:
        start = lab.read(lab.create("Before", marker="marker-0").id).updated
        lab.line.fault = loses_answer_of_write
        before = len(lab.line.writes)
        with pytest.raises(SourceError) as caught:
            lab.create("Lost", marker="marker-1")
        assert caught.value.maybe_applied
        assert len(lab.line.writes) - before == 1
        (found,) = lab.adapter.find(lab.scope, "marker-1", start)
        assert found.fields[lab.title] == "Lost"

    def test_failing_gateway_of_a_write_is_maybe_applied_and_not_repeated(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        edit = Edit(lab.scope, lab.container, record, {lab.title: "Changed"})
        before = len(lab.line.writes)
        lab.line.fault = fails
        with pytest.raises(SourceError) as caught:
            lab.adapter.update(edit)
        assert caught.value.maybe_applied
        assert len(lab.line.writes) - before == 1

    def test_pause_that_is_asked_for_is_kept(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        lab.line.fault = limits_once
        start = lab.clock.monotonic()
        assert record in records_of(lab.pages())
        assert lab.clock.monotonic() - start >= PAUSE

    def test_limited_write_is_sent_again_after_the_pause(self, lab: Lab) -> None:
        record = lab.create("Thing").id
        edit = Edit(lab.scope, lab.container, record, {lab.title: "Changed"})
        lab.line.fault = limits_once
        start = lab.clock.monotonic()
        lab.adapter.update(edit)
        assert lab.clock.monotonic() - start >= PAUSE
        assert lab.read(record).fields[lab.title] == "Changed"
