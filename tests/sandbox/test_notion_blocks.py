"""Blocks, comments and Markdown of the Notion stand-in, through notion-client."""

from __future__ import annotations

import httpx
import pytest
from notion_client import APIResponseError, Client

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.notion.transport import NotionTransport


class Pad:
    """A sandbox with one empty page."""

    def __init__(self, version: str = "2026-03-11") -> None:
        self.clock = SandboxClock(frozen=1_789_997_640.0)
        self.sandbox = NotionSandbox(self.clock)
        http = httpx.Client(transport=NotionTransport(self.sandbox))
        self.client = Client(
            auth=self.sandbox.token, client=http, notion_version=version, retry=False
        )
        self.page = self.client.pages.create(
            parent={"type": "workspace", "workspace": True}, properties={"title": text("Pad")}
        )["id"]

    def append(self, *children: dict, to: str | None = None, **where: object) -> list[dict]:
        return self.client.blocks.children.append(
            to or self.page, children=list(children), **where
        )["results"]

    def lines(self, of: str | None = None) -> list[str]:
        found = self.client.blocks.children.list(of or self.page)["results"]
        return [words(block) for block in found]

    def read(self) -> str:
        return self.client.pages.retrieve_markdown(self.page)["markdown"]

    def write(self, kind: str, **given: object) -> str:
        return self.client.pages.update_markdown(self.page, type=kind, **{kind: given})["markdown"]


def text(content: str) -> list[dict]:
    return [{"text": {"content": content}}]


def para(content: str, **more: object) -> dict:
    return {"paragraph": {"rich_text": text(content), **more}}


def words(block: dict) -> str:
    content = block[block["type"]]
    return "".join(item["plain_text"] for item in content.get("rich_text", []))


@pytest.fixture
def pad() -> Pad:
    return Pad()


def refused(sentence: str, call, *args, **kwargs) -> None:
    with pytest.raises(APIResponseError) as caught:
        call(*args, **kwargs)
    assert caught.value.code == "validation_error"
    assert sentence in str(caught.value)


def test_appending_at_each_place(pad):
    first, last = pad.append(para("a"), para("d"))
    pad.append(para("e"))
    pad.append(para("start"), position={"type": "start"})
    answer = pad.append(
        para("b"), para("c"), position={"type": "after_block", "after_block": {"id": first["id"]}}
    )
    assert pad.lines() == ["start", "a", "b", "c", "d", "e"]
    assert [words(block) for block in answer] == ["b", "c", "d", "e"]
    pad.append(para("f"), position={"type": "end"})
    assert pad.lines()[-1] == "f"
    refused(
        "is not a child",
        pad.append,
        para("x"),
        to=last["id"],
        position={"type": "after_block", "after_block": {"id": first["id"]}},
    )


def test_the_older_version_says_after_and_archived():
    pad = Pad("2025-09-03")
    first, _ = pad.append(para("a"), para("c"))
    pad.append(para("b"), after=first["id"])
    assert pad.lines() == ["a", "b", "c"]
    assert first["archived"] is False
    gone = pad.client.blocks.update(first["id"], archived=True)
    assert gone["archived"] is gone["in_trash"] is True
    new = Pad()
    refused("body.after should be not present", new.append, para("x"), after=new.page)
    refused("body.archived should be not present", new.client.pages.update, new.page, archived=True)


def test_every_common_type_comes_back_whole(pad):
    rich = text("x")
    given = [
        *({f"heading_{n}": {"rich_text": rich}} for n in (1, 2, 3, 4)),
        {"bulleted_list_item": {"rich_text": rich}},
        {"numbered_list_item": {"rich_text": rich}},
        {"to_do": {"rich_text": rich, "checked": True}},
        {"toggle": {"rich_text": rich, "children": [para("in")]}},
        {"quote": {"rich_text": rich, "color": "blue"}},
        {"callout": {"rich_text": rich, "icon": {"emoji": "✅"}}},
        {"divider": {}},
        {"code": {"rich_text": rich, "language": "python"}},
        {
            "table": {
                "table_width": 2,
                "has_column_header": True,
                "children": [{"table_row": {"cells": [rich, []]}}],
            }
        },
        {"bookmark": {"url": "https://x.test"}},
        {"embed": {"url": "https://x.test"}},
        {"image": {"external": {"url": "https://x.test/i.png"}}},
        {"equation": {"expression": "x^2"}},
        {"table_of_contents": {}},
        {"link_to_page": {"page_id": pad.page}},
        {
            "column_list": {
                "children": [
                    {"column": {"children": [para("l")]}},
                    {"column": {"children": [para("r")]}},
                ]
            }
        },
        {"synced_block": {"synced_from": None, "children": [para("s")]}},
    ]
    made = pad.append(*given)
    assert [block["type"] for block in made] == [next(iter(one)) for one in given]
    held = {block["type"]: block for block in made}
    assert held["to_do"]["to_do"]["checked"] is True
    assert held["heading_4"]["heading_4"]["is_toggleable"] is False
    assert held["callout"]["callout"]["icon"] == {"type": "emoji", "emoji": "✅"}
    assert held["code"]["code"]["caption"] == []
    assert held["table"]["table"] == {
        "table_width": 2,
        "has_column_header": True,
        "has_row_header": False,
    }
    assert held["table"]["has_children"] is held["toggle"]["has_children"] is True
    columns = pad.client.blocks.children.list(held["column_list"]["id"])["results"]
    assert [pad.lines(column["id"]) for column in columns] == [["l"], ["r"]]
    copy = pad.append({"synced_block": {"synced_from": {"block_id": held["synced_block"]["id"]}}})[
        0
    ]
    assert pad.lines(copy["id"]) == ["s"]


def test_child_pages_and_databases_are_blocks(pad):
    page = pad.client.pages.create(parent={"page_id": pad.page}, properties={"title": text("Sub")})
    base = pad.client.databases.create(parent={"page_id": pad.page}, title=text("Base"))
    found = pad.client.blocks.children.list(pad.page)["results"]
    assert [(one["id"], one[one["type"]]) for one in found] == [
        (page["id"], {"title": "Sub"}),
        (base["id"], {"title": "Base"}),
    ]
    pad.client.blocks.delete(base["id"])
    assert pad.client.databases.retrieve(base["id"])["in_trash"] is True
    source = base["data_sources"][0]["id"]
    assert pad.client.data_sources.retrieve(source)["in_trash"] is True


def test_updating_and_deleting(pad):
    block = pad.append({"to_do": {"rich_text": text("x"), "color": "red"}})[0]
    changed = pad.client.blocks.update(block["id"], to_do={"checked": True})
    assert changed["to_do"]["checked"] is True
    assert changed["to_do"]["color"] == "red"
    assert words(changed) == "x"
    refused(
        "body.paragraph should be not present",
        pad.client.blocks.update,
        block["id"],
        paragraph={"rich_text": []},
    )
    assert pad.client.blocks.delete(block["id"])["in_trash"] is True
    assert pad.lines() == []
    assert pad.client.blocks.retrieve(block["id"])["in_trash"] is True
    archived = "Can't edit block that is archived. You must unarchive the block before editing."
    refused(archived, pad.client.blocks.update, block["id"], to_do={"checked": False})
    refused(archived, pad.client.blocks.delete, block["id"])
    pad.client.blocks.update(block["id"], in_trash=False)
    assert pad.lines() == ["x"]


def test_blocks_of_a_trashed_page_are_in_the_trash(pad):
    block = pad.append(para("x"))[0]
    pad.client.pages.update(pad.page, in_trash=True)
    assert pad.client.blocks.retrieve(block["id"])["in_trash"] is True
    refused("Can't edit block that is archived", pad.append, para("y"))


def test_block_limits(pad):
    refused(
        "body.children.length should be ≤ `100`, instead was `101`.", pad.append, *[para("x")] * 101
    )
    deep = para("0", children=[para("1", children=[para("2", children=[para("3")])])])
    refused("children should be not present", pad.append, deep)
    many = [para("x", children=[para("y", children=[para("z")] * 10)]) for _ in range(90)]
    refused("at most 1000 blocks", pad.append, *many)
    refused(
        "body.children[0].embed should be defined, instead was `undefined`.",
        pad.append,
        {"nothing": {}},
    )
    refused(
        "body.children[0].archived should be not present, instead was `false`.",
        pad.append,
        {**para("x"), "archived": False},
    )
    refused(
        "does not support children", pad.append, para("x"), to=pad.append({"divider": {}})[0]["id"]
    )
    refused(
        "Number of cells",
        pad.append,
        {"table": {"table_width": 2, "children": [{"table_row": {"cells": [[]]}}]}},
    )
    refused("language should be", pad.append, {"code": {"rich_text": [], "language": "klingon"}})
    assert pad.lines() == [""]


def test_children_are_paged_by_the_next_blocks_id(pad):
    made = pad.append(*[para(str(number)) for number in range(5)])
    page = pad.client.blocks.children.list(pad.page, page_size=2)
    assert page["next_cursor"] == made[2]["id"]
    rest = pad.client.blocks.children.list(pad.page, start_cursor=made[2]["id"])
    assert [words(block) for block in rest["results"]] == ["2", "3", "4"]
    assert rest["has_more"] is False


def test_rich_text_is_normalised(pad):
    person = pad.sandbox.add_user("Ada", "ada@example.com")
    bold = {"bold": True}
    items = [
        {"text": {"content": "a"}},
        {"text": {"content": "b"}},
        {"text": {"content": ""}},
        {"text": {"content": "c"}, "annotations": bold},
        {"text": {"content": "d", "link": {"url": "https://x.test/ü"}}},
        {"mention": {"user": {"id": person}}},
        {"mention": {"date": {"start": "2026-01-02"}}},
        {"mention": {"page": {"id": pad.page}}},
        {"equation": {"expression": "e"}},
    ]
    got = pad.append({"paragraph": {"rich_text": items}})[0]["paragraph"]["rich_text"]
    assert [item["plain_text"] for item in got] == [
        "ab",
        "c",
        "d",
        "@Ada",
        "2026-01-02",
        "Pad",
        "e",
    ]
    assert got[1]["annotations"]["bold"] is True
    assert got[2]["href"] == "https://x.test/%C3%BC"
    assert got[3]["mention"]["user"]["person"]["email"] == "ada@example.com"
    assert got[5]["href"] == f"https://app.notion.com/p/{pad.page.replace('-', '')}"


def test_comments(pad):
    first = pad.client.comments.create(parent={"page_id": pad.page}, rich_text=text("one"))
    second = pad.client.comments.create(discussion_id=first["discussion_id"], rich_text=text("two"))
    assert first["discussion_id"] == second["discussion_id"]
    assert first["display_name"] == {"type": "integration", "resolved_name": "syncd sandbox"}
    found = pad.client.comments.list(block_id=pad.page)["results"]
    assert [one["id"] for one in found] == [first["id"], second["id"]]
    request = pad.client.request
    changed = request(path=f"comments/{first['id']}", method="PATCH", body={"markdown": "**uno**"})
    assert changed["rich_text"][0]["annotations"]["bold"] is True
    request(path=f"comments/{first['id']}", method="DELETE")
    assert len(pad.client.comments.list(block_id=pad.page)["results"]) == 1


MARKDOWN = """# Title
Some **bold**, *italic*, ~~gone~~, `code` and [link](https://x.test).
- one
\t- inner
- two
1. first
2. second
- [ ] open
- [x] closed
> said
---
```python
print("x * y")
```
<table header-row="true" header-column="false">
\t<tr>
\t\t<td>a</td>
\t\t<td>b</td>
\t</tr>
</table>
<details>
<summary>more</summary>
\thidden
</details>
<callout icon="💡" color="blue_bg">
\tnote
</callout>
<empty-block/>
#### Small {color="red"}
2 \\* 3 \\< 7"""


def test_markdown_round_trip(pad):
    assert pad.write("replace_content", new_str=MARKDOWN) == MARKDOWN
    types = [block["type"] for block in pad.client.blocks.children.list(pad.page)["results"]]
    assert types[:4] == ["heading_1", "paragraph", "bulleted_list_item", "bulleted_list_item"]
    assert "toggle" in types
    assert "callout" in types
    assert pad.lines()[-1] == "2 * 3 < 7"


def test_markdown_keeps_the_blocks_it_does_not_touch(pad):
    pad.write("replace_content", new_str="a\nb\nc")
    before = [block["id"] for block in pad.client.blocks.children.list(pad.page)["results"]]
    pad.write("update_content", content_updates=[{"old_str": "b", "new_str": "B\nB2"}])
    after = [block["id"] for block in pad.client.blocks.children.list(pad.page)["results"]]
    assert pad.lines() == ["a", "B", "B2", "c"]
    assert (after[0], after[3]) == (before[0], before[2])
    assert before[1] not in after


def test_markdown_updates_of_each_kind(pad):
    pad.write("insert_content", content="## Paragraph 2\n\n- [ ] To Do\n- [x] Checked To Do")
    pad.write("insert_content", content="- Added new item in page bottom\n")
    pad.write(
        "insert_content", content="1. Added numbered item after To Do item\n", after="- [ ] To Do\n"
    )
    pad.write("replace_content_range", content="- [x] To Do", content_range="- [ ] To Do")
    got = pad.write(
        "replace_content_range",
        content="1. Replace numbered item",
        content_range="- [x] To Do",
        allow_deleting_content=True,
    )
    assert got == (
        "## Paragraph 2\n1. Replace numbered item\n2. Added numbered item after To Do item\n"
        "- [x] Checked To Do\n- Added new item in page bottom"
    )
    assert pad.write("insert_content", content="top", position={"type": "start"}).startswith(
        "top\n##"
    )
    assert pad.write("replace_content_range", content="x", content_range="## Par...Do item") == (
        "top\nx\n- [x] Checked To Do\n- Added new item in page bottom"
    )
    refused(
        "Could not find",
        pad.write,
        "update_content",
        content_updates=[{"old_str": "zzz", "new_str": ""}],
    )
    pad.write("replace_content", new_str="a a")
    refused(
        "2 matches", pad.write, "update_content", content_updates=[{"old_str": "a", "new_str": "b"}]
    )
    twice = {"old_str": "a", "new_str": "b", "replace_all_matches": True}
    assert pad.write("update_content", content_updates=[twice]) == "b b"


def test_markdown_guards_pages_and_databases(pad):
    base = pad.client.databases.create(parent={"page_id": pad.page}, title=text("Base"))["id"]
    pad.append(para("x"), {"bookmark": {"url": "https://x.test"}})
    whole = pad.client.pages.retrieve_markdown(pad.page)
    assert len(whole["unknown_block_ids"]) == 1
    assert "<unknown url=" in whole["markdown"]
    refused("would delete child pages or databases", pad.write, "replace_content", new_str="y")
    assert pad.lines() == ["", "x", ""]
    line = whole["markdown"].split("\n")[0]
    assert pad.write("replace_content", new_str=f"y\n{line}") == f"y\n{line}"
    assert pad.client.databases.retrieve(base)["in_trash"] is False
    assert pad.write("replace_content", new_str="y", allow_deleting_content=True) == "y"
    assert pad.client.databases.retrieve(base)["in_trash"] is True


def test_a_page_made_of_markdown(pad):
    page = pad.client.pages.create(
        parent={"page_id": pad.page},
        properties={"title": text("M")},
        markdown="# Hello\n\nWorld\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    )
    blocks = pad.client.blocks.children.list(page["id"])["results"]
    assert [block["type"] for block in blocks] == ["heading_1", "paragraph", "table"]
    rows = pad.client.blocks.children.list(blocks[2]["id"])["results"]
    assert rows[1]["table_row"]["cells"][1][0]["plain_text"] == "2"
