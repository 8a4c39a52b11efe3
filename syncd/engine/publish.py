"""Step 9: keep generated pages as they should be, by the smallest edit, beside what people write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import SequenceMatcher

from syncd.core.errors import Gone, SourceError
from syncd.core.model import Notice
from syncd.core.ports import Publisher
from syncd.core.rules import PageRule
from syncd.core.views import PageBlock, roadmap_page, yesterday
from syncd.engine.context import PENDING, Context

LOST = 500
"""Blocks remembered that were not shown: more than a list of a page has left out."""

SEARCH_LAG = 600.0
"""Seconds in which a search that finds nothing does not prove that a page was not made.

Notion says only that its search index is not immediate; up to five minutes are usual, this is twice that,
by a clock that nobody sets.
"""

SEARCH_LAG_ONCE = 2 * 86_400.0
"""The same by the time of day, for processes that run one cycle each: more than a clock is ever off."""


@dataclass(slots=True)
class Published:
    """What is known of one page: its id, our blocks in order, and whether an edit was interrupted."""

    page: str | None = None
    blocks: list[list[str]] = field(default_factory=list)  # [key, kind, block id, signature]
    busy: bool = False
    day: str = ""
    as_of: float = 0.0
    lost: list[str] = field(default_factory=list)  # blocks of ours that a look did not show


def publish(context: Context) -> int:
    """Bring every page of the mapping up to date; returns the number of blocks written.

    A page that is due stays due until it has been written, through any failure or crash.
    """
    written, complete = 0, True
    for rule in context.roadmap.pages:
        publisher = context.publishers.get(rule.connection)
        if publisher is None or rule.connection not in context.healthy():
            complete = False
            continue
        try:
            written += _publish(context, publisher, rule)
        except Gone:
            # somebody deleted the page; the next cycle looks for it by its title, or makes it anew
            _save(context, _name(rule), Published())
            complete = False
        except SourceError as error:
            context.failed(rule.connection, error)
            complete = False
    if complete and context.store.document(PENDING) is True:
        context.store.save_document(PENDING, value=False)
    return written


def distrust(context: Context) -> None:
    """Look at every page before the next edit of it: it may hold blocks of ours that nobody knows."""
    for rule in context.roadmap.pages:
        state = _load(context, _name(rule))
        state.busy = True
        _save(context, _name(rule), state)


def _publish(context: Context, publisher: Publisher, rule: PageRule) -> int:
    name = _name(rule)
    state = _load(context, name)
    today = datetime.fromtimestamp(context.clock.now(), UTC).date().isoformat()
    pending = context.store.document(PENDING) is True
    settled = state.page is not None and not state.busy and not context.full
    if settled and state.day == today and not pending:
        return 0
    if state.page is None:
        state.page = publisher.find_page(rule.title, rule.under)
        if state.page is None:
            if _perhaps_made(context, rule):
                return 0
            state.page = _create(context, publisher, rule)
        state.busy = True  # it may hold blocks of ours that a lost state knew
        with context.store.transaction():
            _save(context, name, state)
            _answered(context, name)
    if state.busy or context.full:
        _inspect(publisher, state)
    blocks = _render(context, rule, state.as_of)
    _recognise(publisher, state, blocks)
    as_it_stands = _in_place(blocks, state)  # a new title moves a line, not its block
    if _signatures(publisher, as_it_stands) != [block[3] for block in state.blocks]:
        state.as_of = context.clock.now()
        blocks = _render(context, rule, state.as_of)
    _recognise(publisher, state, blocks)
    blocks = _in_place(blocks, state)
    written = _edit(context, publisher, name, state, blocks)
    state.day, state.busy = today, False
    _save(context, name, state)
    return written


def _perhaps_made(context: Context, rule: PageRule) -> bool:
    """Tell whether a page that is not found may be one whose creation had no answer.

    What stands below a page is listed as it is: only a page at the top is left to the search.
    """
    name = _name(rule)
    asked = [notice for notice in context.store.notices() if notice.subject == name]
    if not asked or rule.under is not None:
        return False
    known = context.clock.monotonic() - context.open_since(name)
    return known < SEARCH_LAG and context.clock.now() - asked[0].since < SEARCH_LAG_ONCE


def _create(context: Context, publisher: Publisher, rule: PageRule) -> str:
    """Create a page; a notice says so before it is sent, until an answer says what became of it."""
    name = _name(rule)
    _answered(context, name)  # an earlier attempt, which is known by now to have made nothing
    sentence = (
        f'the creation of the page "{rule.title}" had no answer from {rule.connection}, whose search '
        "may be minutes behind: the page is looked for, and created again only when ten minutes "
        "have not shown it; nothing to do"
    )
    told = Notice("unanswered", name, "", sentence, context.clock.now())
    context.store.replace_notices(name, [told])
    context.open_since(name)
    try:
        return publisher.create_page(rule.title, rule.under)
    except SourceError as error:
        if not error.maybe_applied:
            _answered(context, name)
        raise


def _answered(context: Context, name: str) -> None:
    context.store.replace_notices(name, [])
    context.opened.pop(name, None)


def _recognise(publisher: Publisher, state: Published, wanted: Sequence[PageBlock]) -> None:
    """Give the blocks that were taken up the keys of the wanted ones they look like."""
    known = {block[0] for block in state.blocks}
    free = {publisher.signature(block): block for block in wanted if block.key not in known}
    for held in state.blocks:
        if not held[0] and (block := free.pop(held[3], None)) is not None:
            held[0], held[1] = block.key, block.kind


def _in_place(wanted: Sequence[PageBlock], state: Published) -> tuple[PageBlock, ...]:
    """Return the wanted blocks so that those on the page stay where they are within their section.

    A page cannot move a block, only delete it and write it anew, with everything people wrote below
    it gone: a new title alone must not do that. New blocks follow the one they are wanted after.
    """
    place = {block[0]: rank for rank, block in enumerate(state.blocks)}
    sections: list[list[PageBlock]] = [[]]
    for block in wanted:
        if block.kind.startswith("heading"):
            sections.append([])
        sections[-1].append(block)
    return tuple(block for section in sections for block in _section_in_place(section, place))


def _section_in_place(section: Sequence[PageBlock], place: Mapping[str, int]) -> list[PageBlock]:
    result = sorted((b for b in section if b.key in place), key=lambda block: place[block.key])
    before: PageBlock | None = None
    for block in section:
        if block.key not in place:
            result.insert(result.index(before) + 1 if before is not None else 0, block)
        before = block
    return result


def _name(rule: PageRule) -> str:
    """Return the name under which a page is remembered."""
    return f"page:{rule.connection}:{rule.title}"


def _edit(
    context: Context,
    publisher: Publisher,
    name: str,
    state: Published,
    blocks: Sequence[PageBlock],
) -> int:
    """Turn what is on the page into the wanted blocks; look at it first when it is not as we left it."""
    edit = _Edit(context, publisher, name, state)
    try:
        return edit.run(blocks)
    except Gone:  # somebody deleted a block of ours, or one that others were to follow
        _inspect(publisher, state)
        again = _Edit(context, publisher, name, state)
        return edit.written + again.run(blocks)


def _render(context: Context, rule: PageRule, as_of: float) -> tuple[PageBlock, ...]:
    now = datetime.fromtimestamp(context.clock.now(), UTC)
    known = context.store.items_at(rule.levels)
    gone = context.store.gone_items([item.id for item in known])
    items = [item for item in known if item.id not in gone]
    changes = context.store.history(limit=2_000, since=yesterday(now).timestamp())
    stamp = datetime.fromtimestamp(as_of, UTC)
    name = context.directory.name
    return roadmap_page(context.roadmap, items, changes, name, now.date(), stamp)


def _signatures(publisher: Publisher, blocks: Sequence[PageBlock]) -> list[str]:
    return [publisher.signature(block) for block in blocks]


def _inspect(publisher: Publisher, state: Published) -> None:
    """Look at the page itself: forget blocks that are gone, take up those of ours we do not know.

    An interrupted edit or a lost state leaves such blocks; they are told by who made them. And one that
    was not shown may only have been left out of a list: it is ours still when it shows again.
    """
    present = dict(publisher.blocks(str(state.page)))
    order = {block: rank for rank, block in enumerate(present)}
    kept = [block for block in state.blocks if block[2] in present]
    for block in kept:
        block[3] = present[block[2]]
    known = {block[2] for block in kept}
    lost = {*state.lost, *(block[2] for block in state.blocks if block[2] not in present)}
    state.lost = sorted(lost - present.keys())[:LOST]
    ours = (publisher.made(str(state.page)) if state.busy else frozenset()) | lost
    strays = [
        ["", "", block, signature]
        for block, signature in present.items()
        if block in ours and block not in known
    ]
    state.blocks = sorted([*kept, *strays], key=lambda block: order[block[2]])


@dataclass(slots=True)
class _Edit:
    """The edits that turn the blocks on a page into the wanted ones; the state is stored after each."""

    context: Context
    publisher: Publisher
    name: str
    state: Published
    written: int = 0

    def run(self, wanted: Sequence[PageBlock]) -> int:
        signatures = dict(zip(wanted, _signatures(self.publisher, wanted), strict=True))
        steps = self._steps(wanted)
        if any(step[0] != "equal" for step in steps) or self._differs(wanted, signatures):
            self.state.busy = True
            _save(self.context, self.name, self.state)
        result: list[list[str]] = []
        rest = [list(block) for block in self.state.blocks]
        for kind, i1, i2, j1, j2 in steps:
            removed = rest[i1:i2]
            if kind == "equal":
                result += self._renew(removed, wanted[j1:j2], signatures)
                continue
            for block in removed:
                self._remove(block[2])
            if j2 > j1:
                result += self._append(wanted[j1:j2], signatures, result)
            self._keep([*result, *rest[i2:]])
        self._keep(result)
        return self.written

    def _steps(self, wanted: Sequence[PageBlock]) -> list[tuple[str, int, int, int, int]]:
        """Return the edits as `SequenceMatcher` words them.

        A page takes blocks only after others or at its end. When the first of ours is missing, the
        others cannot follow it where they stand: all are written anew, at the end.
        """
        old = [(block[0], block[1]) for block in self.state.blocks]
        new = [(block.key, block.kind) for block in wanted]
        if old and new and old[0] != new[0]:
            return [("replace", 0, len(old), 0, len(new))]
        return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())

    def _differs(self, wanted: Sequence[PageBlock], signatures: Mapping[PageBlock, str]) -> bool:
        return [block[3] for block in self.state.blocks] != [signatures[block] for block in wanted]

    def _renew(
        self,
        old: Sequence[list[str]],
        wanted: Sequence[PageBlock],
        signatures: Mapping[PageBlock, str],
    ) -> list[list[str]]:
        result: list[list[str]] = []
        for block, want in zip(old, wanted, strict=True):
            current = list(block)
            if block[3] != signatures[want]:
                self.publisher.replace(block[2], want)
                self.written += 1
                current[3] = signatures[want]
            result.append(current)
        return result

    def _append(
        self,
        wanted: Sequence[PageBlock],
        signatures: Mapping[PageBlock, str],
        before: Sequence[Sequence[str]],
    ) -> list[list[str]]:
        anchor = before[-1][2] if before else None
        ids = self.publisher.append(str(self.state.page), wanted, anchor)
        self.written += len(ids)
        return [
            [block.key, block.kind, block_id, signatures[block]]
            for block, block_id in zip(wanted, ids, strict=True)
        ]

    def _remove(self, block_id: str) -> None:
        try:
            self.publisher.remove(block_id)
            self.written += 1
        except Gone:
            return

    def _keep(self, blocks: Sequence[Sequence[str]]) -> None:
        self.state.blocks = [list(block) for block in blocks]
        _save(self.context, self.name, self.state)


def _load(context: Context, name: str) -> Published:
    data = context.store.document(name)
    return Published(**data) if isinstance(data, dict) else Published()


def _save(context: Context, name: str, state: Published) -> None:
    context.store.save_document(
        name,
        {
            "page": state.page,
            "blocks": state.blocks,
            "busy": state.busy,
            "day": state.day,
            "as_of": state.as_of,
            "lost": state.lost,
        },
    )
