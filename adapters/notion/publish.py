"""Generated blocks on Notion pages, beside what people write there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from adapters.notion import Json
from adapters.notion.blocks import (
    TYPES,
    TooLongError,
    plain_runs,
    signature_held,
    signature_of,
    to_block,
)
from adapters.notion.client import Client, path_of
from adapters.notion.translate import id_in, page_title
from syncd.core.errors import Gone, Rejected
from syncd.core.views import PageBlock

_MOST_BLOCKS = 100  # in one request
_MOST_BYTES = 400_000  # in one request; Notion takes 500 KB


class NotionPublisher:
    """See `syncd.core.ports.Publisher`. `under` is the title, id or URL of a page."""

    def __init__(self, client: Client) -> None:
        self.connection = client.site.connection
        self._client = client
        self._site = client.site

    # pages --------------------------------------------------------------------------------------

    def find_page(self, title: str, under: str | None) -> str | None:
        """Look among the pages directly below `under`; without it search, which may lag behind."""
        if under is None:
            return self._only(title, [str(page["id"]) for page in self._search(title)])
        parent = self._page(under)
        if parent is None:
            return None
        return self._only(title, list(self._children(parent, title)))

    def create_page(self, title: str, under: str | None) -> str:
        """Create an empty page below `under`, or at the top of the workspace."""
        parent: Json = {"type": "workspace", "workspace": True}
        if under is not None:
            parent = {"type": "page_id", "page_id": self._parent(under)}
        body: Json = {"parent": parent, "properties": {"title": {"title": plain_runs(title)}}}
        try:
            written = self._client.write("POST", "pages", f'the page "{title}"', body)
        except Rejected as error:
            raise error if under is not None else self._no_place(title) from error
        if not written.id:
            raise self._site.silent(write=True)
        return written.id

    def _parent(self, under: str) -> str:
        parent = self._page(under)
        if parent is None:
            raise Gone(
                self.connection,
                f'{self._site.where} does not show the page "{under}": write the title, id or URL '
                "of a page under `under`, open it in Notion, choose ••• > Connections and add this "
                "connection",
            )
        return parent

    def _no_place(self, title: str) -> Rejected:
        return self._site.rejected(
            f'does not let this connection create the page "{title}" at the top of the workspace: '
            "write under `under` a page that is shared with the connection",
        )

    def _page(self, named: str) -> str | None:
        """Return the id of the page with this id, URL or title."""
        id_ = id_in(named)
        if id_ is None:
            return self._only(named, [str(page["id"]) for page in self._search(named)])
        try:
            page = self._client.get(path_of("pages", id_), f'the page "{named}"')
        except Gone:
            return None
        return None if page.get("in_trash") else id_

    def _only(self, title: str, ids: list[str]) -> str | None:
        if len(set(ids)) > 1:
            raise self._site.rejected(
                f'has several pages called "{title}": name the right one by its URL, or rename the '
                "others",
            )
        return ids[0] if ids else None

    def _search(self, title: str) -> Iterator[Json]:
        body: Json = {"query": title, "filter": {"property": "object", "value": "page"}}
        for answer in self._client.listed("search", f'the page "{title}"', body):
            for page in answer["results"]:
                if page_title(page).strip() == title.strip() and not page.get("in_trash"):
                    yield page

    def _children(self, parent: str, title: str) -> Iterator[str]:
        for block in self._listed(parent):
            held = (block.get("child_page") or {}).get("title")
            if block.get("type") == "child_page" and str(held).strip() == title.strip():
                yield str(block["id"])

    # blocks -------------------------------------------------------------------------------------

    def blocks(self, page: str) -> tuple[tuple[str, str], ...]:
        """List the page's own blocks; those inside other blocks belong to people."""
        return tuple((str(block["id"]), signature_held(block)) for block in self._listed(page))

    def made(self, page: str) -> frozenset[str]:
        """Tell which of the page's own blocks the connection's bot has made."""
        me = self._client.get("users/me", "its own account")["id"]
        blocks = self._listed(page)
        return frozenset(
            str(b["id"]) for b in blocks if (b.get("created_by") or {}).get("id") == me
        )

    def append(self, page: str, blocks: Sequence[PageBlock], after: str | None) -> tuple[str, ...]:
        """Add blocks, up to 100 in a request."""
        ids: list[str] = []
        for part in _parts([self._block(block) for block in blocks]):
            added = self._append(page, part, ids[-1] if ids else after)
            ids.extend(added)
        return tuple(ids)

    def replace(self, block_id: str, block: PageBlock) -> None:
        """Change the text and icon of a block; its colour and what people put inside it stay."""
        type_ = TYPES[block.kind]
        if content := self._block(block)[type_]:
            path, what = path_of("blocks", block_id), f"the block {block_id}"
            self._client.write("PATCH", path, what, {"type": type_, type_: content})

    def remove(self, block_id: str) -> None:
        """Put a block into the trash; one that is not there any more is no error.

        A block below which people have written stays: what they wrote would go with it.
        """
        path, what = path_of("blocks", block_id), f"the block {block_id}"
        try:
            if not self._client.get(path, what).get("has_children"):
                self._client.write("DELETE", path, what)
        except Gone:
            return

    def signature(self, block: PageBlock) -> str:
        """Return what `blocks` says of the block once it is written."""
        return signature_of(block)

    def _listed(self, page: str) -> Iterator[Json]:
        path = path_of("blocks", page, "children")
        for answer in self._client.listed(path, f"the page {page}"):
            yield from answer["results"]

    def _append(self, page: str, part: list[Json], after: str | None) -> tuple[str, ...]:
        position: Json = {"type": "end"}
        if after is not None:
            position = {"type": "after_block", "after_block": {"id": after}}
        written = self._client.write(
            "PATCH",
            path_of("blocks", page, "children"),
            f"the page {page}",
            {"children": part, "position": position},
        )
        ids = written.children
        if written.body is not None:
            ids = tuple(str(block["id"]) for block in written.body.get("results") or [])
        if len(ids) < len(
            part
        ):  # added, but under ids we do not know: the page has to be looked at
            raise self._site.silent(write=True)
        return ids[: len(part)]  # the answer goes on with the blocks that follow the new ones

    def _block(self, block: PageBlock) -> Json:
        try:
            return to_block(block)
        except TooLongError as error:
            raise self._site.rejected(
                f"cannot show the block {block.key}, which {error}: shorten it"
            ) from None


def _parts(blocks: Sequence[Json]) -> Iterator[list[Json]]:
    """Cut blocks into requests."""
    part: list[Json] = []
    size = 0
    for block in blocks:
        own = len(json.dumps(block))
        if part and (len(part) == _MOST_BLOCKS or size + own > _MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(block)
        size += own
    if part:
        yield part
