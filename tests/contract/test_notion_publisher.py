"""The Notion publisher against the stand-in for Notion, in process."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import httpx
import pytest

from adapters import registry
from adapters.notion.config import Config
from syncd.core.errors import Gone, NotAllowed, Rejected, SourceError
from syncd.core.views import PageBlock
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.wire import Request, Response, query_pairs
from syncd.testing.builders import MOMENT
from syncd.testing.fakes import FakeClock

URL = "http://localhost:8080/notion"
JSON = {"content-type": "application/json"}

EVERY_KIND = (
    PageBlock("title", "heading_1", "Roadmap"),
    PageBlock("verdict", "callout", "**On track**: 3 of 5", "🟢"),
    PageBlock("goals", "heading_2", "Goals"),
    PageBlock("now", "heading_3", "Now"),
    PageBlock("lead", "paragraph", "See [WEB-1](https://x.example/WEB-1) and `code` _now_"),
    PageBlock("one", "bullet", "Checkout – 5/11 items, 14/32 pts 日本語"),
    PageBlock("line", "divider"),
    PageBlock("bare", "callout", "no icon given"),
    PageBlock("home", "paragraph", "[home](https://x.example/)"),
)


class Transport(httpx.BaseTransport):
    """Hands requests to the service in process; `spoil` may change its answer."""

    def __init__(self, service: NotionSandbox) -> None:
        self.service = service
        self.sent: list[Request] = []
        self.spoil = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = Request(
            request.method,
            request.url.path.removeprefix("/notion"),
            query_pairs(urlsplit(str(request.url)).query),
            {key.lower(): value for key, value in request.headers.items()},
            request.read(),
            URL,
        )
        self.sent.append(asked)
        answer = self.service.handle(asked)
        if self.spoil is not None:
            answer = self.spoil(asked, answer)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


class World:
    """A workspace with a shared page, and the publisher that works on it."""

    def __init__(self) -> None:
        self.service = NotionSandbox(SandboxClock(frozen=MOMENT))
        self.ann = self.service.add_user("Ann Lee", "ann@acme.example")
        self.service.add_token(self.ann, "anns-token")
        self.transport = Transport(self.service)
        adapter = registry.connect(
            "notion",
            "notion",
            Config(url=URL),
            secret=lambda: self.service.token,
            clock=FakeClock(),
            transport=self.transport,
        )
        self.publisher = registry.publisher(adapter)
        self.home = self.add_page("Leadership")

    def ask(self, method: str, path: str, body: object = None):
        """Act as a person does."""
        headers = {"authorization": "Bearer anns-token", "notion-version": "2026-03-11", **JSON}
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.service.handle(Request(method, f"/v1/{path}", (), headers, raw))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def add_page(self, title: str, parent: str | None = None) -> str:
        place = {"workspace": True} if parent is None else {"page_id": parent}
        title_ = {"title": {"title": [{"text": {"content": title}}]}}
        return self.ask("POST", "pages", {"parent": place, "properties": title_})["id"]

    def children(self, page: str):
        return self.ask("GET", f"blocks/{page}/children")["results"]

    def texts(self, page: str) -> list[str]:
        return [
            "".join(run["plain_text"] for run in block[block["type"]].get("rich_text", []))
            for block in self.children(page)
        ]


@pytest.fixture
def world() -> World:
    return World()


def lines(*texts: str) -> list[PageBlock]:
    return [PageBlock(f"k{number}", "paragraph", text) for number, text in enumerate(texts)]


# pages ----------------------------------------------------------------------------------------


def test_a_page_is_made_and_found_again(world):
    publisher = world.publisher
    assert publisher.find_page("Roadmap", "Leadership") is None
    page = publisher.create_page("Roadmap", "Leadership")
    for under in (
        "Leadership",
        world.home,
        f"https://www.notion.so/L-{world.home.replace('-', '')}",
    ):
        assert publisher.find_page("Roadmap", under) == page
    assert publisher.find_page("Roadmap", None) == page
    assert publisher.find_page("Road", None) is None
    assert world.ask("GET", f"pages/{page}")["parent"]["page_id"] == world.home
    assert publisher.blocks(page) == ()


def test_a_page_of_the_same_title_elsewhere_is_another_page(world):
    other = world.add_page("Roadmap")
    assert world.publisher.find_page("Roadmap", "Leadership") is None
    assert world.publisher.find_page("Roadmap", None) == other


def test_several_pages_of_one_title_are_not_guessed_among(world):
    world.add_page("Roadmap")
    world.add_page("Roadmap")
    with pytest.raises(Rejected, match='several pages called "Roadmap": name the right one'):
        world.publisher.find_page("Roadmap", None)


def test_a_page_in_the_trash_is_not_found(world):
    page = world.publisher.create_page("Roadmap", "Leadership")
    world.ask("PATCH", f"pages/{page}", {"in_trash": True})
    assert world.publisher.find_page("Roadmap", "Leadership") is None
    assert world.publisher.find_page("Roadmap", None) is None


def test_a_place_that_does_not_exist_is_gone(world):
    missing = "00000000-0000-4000-8000-000000000000"
    for under in ("Nowhere", missing):
        assert world.publisher.find_page("Roadmap", under) is None
        with pytest.raises(Gone, match="title, id or URL"):
            world.publisher.create_page("Roadmap", under)


def test_a_connection_that_may_not_write_at_the_top_is_told_where_to_write(world):
    def refuse(request: Request, answer: Response) -> Response:
        if request.method != "POST" or request.path != "/v1/pages":
            return answer
        body = {"object": "error", "status": 400, "code": "validation_error", "message": "no"}
        return Response(400, json.dumps(body).encode(), JSON)

    world.transport.spoil = refuse
    with pytest.raises(Rejected, match="write under `under` a page that is shared"):
        world.publisher.create_page("Roadmap", None)


# blocks ---------------------------------------------------------------------------------------


def test_what_is_read_back_has_the_signature_of_what_was_written(world):
    page = world.publisher.create_page("Roadmap", world.home)
    ids = world.publisher.append(page, EVERY_KIND, None)
    assert world.publisher.blocks(page) == tuple(
        (id_, world.publisher.signature(block)) for id_, block in zip(ids, EVERY_KIND, strict=True)
    )
    types = [block["type"] for block in world.children(page)]
    assert types == ["heading_1", "callout", "heading_2", "heading_3", "paragraph",
                     "bulleted_list_item", "divider", "callout", "paragraph"]  # fmt: skip


def test_blocks_go_after_the_one_named(world):
    page = world.publisher.create_page("Roadmap", world.home)
    first, last = world.publisher.append(page, lines("first", "last"), None)
    middle = world.publisher.append(page, lines("a", "b"), first)
    assert world.texts(page) == ["first", "a", "b", "last"]
    assert [id_ for id_, _ in world.publisher.blocks(page)] == [first, *middle, last]


def test_many_blocks_go_in_order_a_hundred_at_a_time(world):
    page = world.publisher.create_page("Roadmap", world.home)
    first, last = world.publisher.append(page, lines("first", "last"), None)
    world.transport.sent.clear()
    texts = [f"line {number}" for number in range(230)]
    ids = world.publisher.append(page, lines(*texts), first)
    assert len(ids) == len(set(ids)) == 230
    assert len(world.transport.sent) == 3
    read = world.publisher.blocks(page)
    assert [id_ for id_, _ in read] == [first, *ids, last]
    assert read[1][1] == world.publisher.signature(PageBlock("x", "paragraph", "line 0"))
    assert read[230][1] == world.publisher.signature(PageBlock("x", "paragraph", "line 229"))


def test_long_blocks_are_split_by_size(world):
    page = world.publisher.create_page("Roadmap", world.home)
    world.transport.sent.clear()
    ids = world.publisher.append(page, lines(*("x" * 90_000 for _ in range(9))), None)
    assert len(ids) == 9
    assert max(len(request.body) for request in world.transport.sent) < 500_000


@pytest.mark.parametrize("block", EVERY_KIND, ids=lambda block: block.key)
def test_a_block_is_replaced_in_place(world, block):
    page = world.publisher.create_page("Roadmap", world.home)
    ids = world.publisher.append(
        page, [PageBlock("x", block.kind, "old", "🔴"), PageBlock("y", "paragraph", "after")], None
    )
    world.publisher.replace(ids[0], block)
    read = world.publisher.blocks(page)
    assert [id_ for id_, _ in read] == list(ids)
    assert read[0][1] == world.publisher.signature(block)


def test_blocks_of_people_are_listed_and_stay_untouched(world):
    page = world.publisher.create_page("Roadmap", world.home)
    ours = world.publisher.append(page, lines("a", "b"), None)
    quote = {"type": "quote", "quote": {"rich_text": [{"text": {"content": "mine"}}]}}
    note = {"type": "paragraph", "paragraph": {"rich_text": [
        {"mention": {"user": {"id": world.ann}}}, {"text": {"content": "!"},
         "annotations": {"color": "red"}}]}}  # fmt: skip
    where = {"type": "after_block", "after_block": {"id": ours[0]}}
    body = {"children": [quote, note], "position": where}
    theirs = [b["id"] for b in world.ask("PATCH", f"blocks/{page}/children", body)["results"][:2]]
    before = [block for block in world.children(page) if block["id"] in theirs]

    world.publisher.replace(ours[0], PageBlock("k0", "paragraph", "changed"))
    added = world.publisher.append(page, lines("new"), ours[0])
    world.publisher.remove(ours[1])

    assert [id_ for id_, _ in world.publisher.blocks(page)] == [ours[0], *added, *theirs]
    assert [block for block in world.children(page) if block["id"] in theirs] == before
    signatures = dict(world.publisher.blocks(page))
    assert signatures[theirs[0]] == "other quote"
    plain = PageBlock("x", "paragraph", "@Ann Lee!")
    assert signatures[theirs[1]] != world.publisher.signature(plain)


def test_a_removed_block_is_gone_and_removing_it_again_is_no_error(world):
    page = world.publisher.create_page("Roadmap", world.home)
    (block,) = world.publisher.append(page, lines("a"), None)
    world.publisher.remove(block)
    world.publisher.remove(block)
    world.publisher.remove("00000000-0000-4000-8000-000000000000")
    assert world.publisher.blocks(page) == ()


def test_a_divider_has_nothing_to_replace(world):
    page = world.publisher.create_page("Roadmap", world.home)
    (block,) = world.publisher.append(page, [PageBlock("d", "divider")], None)
    world.transport.sent.clear()
    world.publisher.replace(block, PageBlock("d", "divider"))
    assert world.transport.sent == []


def test_nothing_to_append_sends_nothing(world):
    world.transport.sent.clear()
    assert world.publisher.append(world.home, [], None) == ()
    assert world.transport.sent == []


def test_a_long_page_is_listed_to_its_end(world):
    page = world.publisher.create_page("Roadmap", world.home)
    for start in range(0, 250, 50):
        world.publisher.append(page, lines(*(f"{start + n}" for n in range(50))), None)
    assert len(world.publisher.blocks(page)) == 250


def test_a_page_that_is_gone_says_so(world):
    page = world.publisher.create_page("Roadmap", world.home)
    world.service.share(page, shared=False)
    with pytest.raises(Gone, match="Connections"):
        world.publisher.blocks(page)
    with pytest.raises(Gone):
        world.publisher.append(page, lines("a"), None)


def test_a_text_too_long_for_a_block_is_refused_before_sending(world):
    world.transport.sent.clear()
    with pytest.raises(Rejected, match=r"cannot show the block k0, which .*: shorten it"):
        world.publisher.append(world.home, lines("x" * 200_001), None)
    assert world.transport.sent == []


def test_blocks_saved_without_an_answer_are_known_by_what_was_saved(world):
    def lose(request: Request, answer: Response) -> Response:
        if request.method != "PATCH":
            return answer
        children = [block["id"] for block in json.loads(answer.body)["results"]]
        data = {"committed_resource_id": world.home, "committed_child_ids": children}
        body = {"object": "error", "status": 503, "code": "service_unavailable", "message": "slow",
                "additional_data": data}  # fmt: skip
        return Response(503, json.dumps(body).encode(), JSON)

    world.transport.spoil = lose
    ids = world.publisher.append(world.home, lines("a", "b"), None)
    assert [block["id"] for block in world.children(world.home)] == list(ids)


def test_blocks_added_under_unknown_ids_are_in_doubt(world):
    def lose(request: Request, answer: Response) -> Response:
        body = {"object": "error", "status": 503, "code": "service_unavailable", "message": "slow",
                "additional_data": {"committed_resource_id": world.home}}  # fmt: skip
        return Response(503, json.dumps(body).encode(), JSON)

    world.transport.spoil = lose
    with pytest.raises(SourceError) as caught:
        world.publisher.append(world.home, lines("a", "b"), None)
    assert caught.value.maybe_applied


def test_a_lost_answer_is_in_doubt_and_not_sent_again(world):
    def lose(request: Request, answer: Response) -> Response:
        raise httpx.ReadTimeout("slow")

    world.transport.spoil = lose
    world.transport.sent.clear()
    with pytest.raises(SourceError) as caught:
        world.publisher.append(world.home, lines("a"), None)
    assert caught.value.maybe_applied
    assert len(world.transport.sent) == 1


def test_a_missing_capability_says_where_to_give_it(world):
    def refuse(request: Request, answer: Response) -> Response:
        body = {"object": "error", "status": 403, "code": "restricted_resource",
                "message": "Insufficient permissions for this endpoint."}  # fmt: skip
        return Response(403, json.dumps(body).encode(), JSON)

    world.transport.spoil = refuse
    with pytest.raises(NotAllowed, match=r"notion\.so/profile/integrations"):
        world.publisher.append(world.home, lines("a"), None)
