"""A Notion workspace in which what recorded requests name is made when it is first named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent))

from replay import answer_of
from test_recorded_notion import HOST, UUID, Again, plain

PART = (
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
    "Content-Type: image/png\r\n\r\nx\r\n--b--\r\n"
)
APART = frozenset({"parent", "relation"})
PARTS_OF = {"column": "column_list", "table_row": "table"}
CREATABLE = frozenset(
    {"title", "rich_text", "number", "select", "multi_select", "date", "checkbox", "url", "email",
     "phone_number", "files", "people", "status", "created_time", "created_by", "place", "button",
     "verification", "last_edited_time", "last_edited_by", "unique_id"}
)  # fmt: skip
FORMULAS = {"date": "now()", "number": "1", "string": '"x"', "boolean": "true"}
VALUES: dict[str, Callable] = {
    "select": lambda v: {"name": v["name"]},
    "status": lambda v: {"name": v["name"]},
    "verification": lambda v: {"state": "verified", "date": v["date"]},
    "multi_select": lambda v: [{"name": item["name"]} for item in v],
    "files": lambda v: [{"name": "a", "external": {"url": "https://example.com/a"}} for _ in v],
    **{
        name: lambda v: v for name in ("number", "date", "checkbox", "url", "email", "phone_number")
    },
}
VERSION = "2025-09-03"


def text(content: str) -> list[dict]:
    return [{"text": {"content": content}}]


class Workspace(Again):
    """A workspace in which what a request names is made when it is first named."""

    def __init__(self, recorded: list[dict]) -> None:
        super().__init__()
        self.properties: dict[tuple[str, str], str] = {}
        self.columns: dict[str, str] = {}
        self.cursors: dict[str, str] = {}
        self.shown: dict[str, dict] = {}
        self.written: set[str] = set()
        self.queried: set[str] = set()
        self.schemas: dict[str, dict] = {}
        self.sources: dict[str, str] = {}  # by database
        self.templates: dict[str, dict[str, tuple[str, bool]]] = {}
        for row in sorted(recorded, key=lambda row: "/properties/" in row["request"]["url"]):
            self.note(row)
        self.home = self.page()
        self.person = self.notion.add_user("Someone", "someone@example.com")
        for identifier, shown in self.shown.items():
            if shown["parent"]["type"] == "block_id":
                self.known(identifier, partial(self.page_like, shown))

    def note(self, row: dict) -> None:
        """Note what an exchange shows of pages and templates."""
        asked, (_status, answer) = row["request"], answer_of(row)
        self.note_property(asked["url"], answer)
        body = asked["body"] if isinstance(asked["body"], dict) else {}
        if "page_size" in body:  # rows that are paged through
            self.queried |= {plain(item["id"]) for item in answer.get("results", ())}
        made = [] if asked["method"] == "POST" and answer.get("object") == "page" else [answer]
        for item in [*made, *answer.get("results", ())]:
            if item.get("object") == "page":
                held = self.shown.setdefault(plain(item["id"]), item)
                if len(item["properties"]) > len(held["properties"]):
                    self.shown[plain(item["id"])] = item
        if asked["url"].endswith("/markdown"):
            self.written.add(plain(UUID.search(asked["url"])[0]))
        if answer.get("object") == "data_source":
            self.schemas.setdefault(plain(answer["id"]), answer["properties"])
            self.sources[plain(answer["parent"]["database_id"])] = plain(answer["id"])
        source = UUID.search(urlsplit(asked["url"]).path)
        for found in answer.get("templates", ()):
            held = self.templates.setdefault(plain(source[0]), {})
            held[plain(found["id"])] = found["name"], found["is_default"]
        if "template_id" in body.get("template", {}):
            held = self.templates.setdefault(plain(body["parent"]["data_source_id"]), {})
            held[plain(body["template"]["template_id"])] = "Template", True

    def note_property(self, url: str, answer: dict) -> None:
        """Note a property of a page that is shown nowhere else."""
        if answer.get("object") != "property_item":
            return
        page, name = plain(UUID.search(url)[0]), url.rpartition("/")[2]
        kind = answer["type"]
        parent = {"type": "data_source_id", "data_source_id": "0" * 32}
        shown = self.shown.setdefault(page, {"id": page, "parent": parent, "properties": {}})
        if name not in {prop["id"] for prop in shown["properties"].values()}:
            shown["properties"][kind] = {"id": name, "type": kind, kind: answer[kind]}

    def follow(self, theirs: dict, ours: dict) -> None:
        """Note which of our cursors stands for theirs."""
        if theirs.get("next_cursor") and ours.get("next_cursor"):
            self.cursors[theirs["next_cursor"]] = ours["next_cursor"]

    def page(self) -> str:
        return self.ask("POST", "pages", {"properties": {"title": text("Home")}})["id"]

    def known(self, identifier: str, make: Callable[[], str]) -> None:
        """Make what an id names, unless it is there."""
        if plain(identifier) not in self.ids:
            self.ids[plain(identifier)] = make()

    def page_named(self, identifier: str) -> str:
        """Make a page as it was shown, if it was."""
        if plain(identifier) in self.written:
            return self.ask("POST", "pages", {"markdown": "- [ ] To Do"})["id"]
        shown = self.shown.get(plain(identifier))
        return self.page() if shown is None else self.page_like(shown)

    def block(self, page: str, kind: str = "paragraph", content: object = None) -> str:
        body = {kind: {"rich_text": text("b")} if content is None else content}
        return self.ask("PATCH", f"blocks/{page}/children", {"children": [body]})["results"][0][
            "id"
        ]

    def upload(self) -> str:
        asked = {"mode": "multi_part", "number_of_parts": 2, "filename": "a.mp4"}
        return self.ask("POST", "file_uploads", asked)["id"]

    def ours(self, given: str) -> str:
        """Return a text with recorded ids, and a path with a recorded property id, replaced."""
        for theirs, ours in self.cursors.items():
            given = given.replace(theirs, ours)
        for theirs, ours in self.columns.items():
            given = given.replace(f"filter_properties={theirs}", f"filter_properties={ours}")
        made = super().ours(given)
        head, found, name = made.rpartition("/properties/")
        return f"{head}{found}{self.properties.get((head[-36:], name), name)}"

    def database(self) -> dict:
        asked = {"parent": {"page_id": self.home}, "title": text("Road")}
        return self.ask("POST", "databases", asked)

    def source(self) -> str:
        return self.database()["data_sources"][0]["id"]

    def sent(self) -> str:
        """Make a file that can be attached."""
        made = self.ask("POST", "file_uploads", {"filename": "a.png", "content_type": "image/png"})
        asked = {"method": "POST", "url": f"https://{HOST}/v1/file_uploads/{made['id']}/send",
                 "headers": {"content-type": "multipart/form-data; boundary=b"}, "body": PART}  # fmt: skip
        assert self.send(asked)[0] == 200
        return made["id"]

    def imported(self) -> str:
        """Make an upload that the service fetched from elsewhere."""
        asked = {"mode": "external_url", "external_url": "https://example.com/a.png"}
        made = self.ask("POST", "file_uploads", {**asked, "filename": "a.png"})["id"]
        self.notion.clock.step(60)
        return made

    def whole_upload(self) -> str:
        """Make an upload whose two parts have been sent."""
        made = self.upload()
        for number in "12":
            field = 'Content-Disposition: form-data; name="part_number"'
            body = f"--b\r\n{field}\r\n\r\n{number}\r\n{PART}"
            asked = {"method": "POST", "url": f"https://{HOST}/v1/file_uploads/{made}/send",
                     "headers": {"content-type": "multipart/form-data; boundary=b"}, "body": body}  # fmt: skip
            assert self.send(asked)[0] == 200
        return made

    def named(self, value: object, key: str = "") -> None:
        """Make what a request's body names, by the words it is named with."""
        if isinstance(value, dict):
            for name, item in value.items():
                self.named(item, key if name == "id" else name)
        elif isinstance(value, list):
            for item in value:
                self.named(item, key)
        elif isinstance(value, str) and UUID.fullmatch(value) and key in self.makers:
            self.known(value, lambda: self.makers[key](value))

    def prepare(self, row: dict) -> None:
        """Make what an exchange that went well presupposes."""
        asked, (_status, answer) = row["request"], answer_of(row)
        parts = urlsplit(asked["url"]).path.strip("/").split("/")[1:]
        ids = [part for part in parts if UUID.fullmatch(part)]
        if parts[0] == "comments":
            self.comment(ids, answer)
        elif ids:
            self.known(ids[0], lambda: self.thing(parts, answer))
        body = asked["body"] if isinstance(asked["body"], dict) else {}
        after = body.get("after") or body.get("position", {}).get("after_block", {}).get("id")
        if after:
            within = ids[0] if ids else body["parent"]["page_id"]
            self.known(within, lambda: self.page_named(within))
            self.ids[plain(after)] = self.block(self.ids[plain(within)], "numbered_list_item")
        if parts[0] == "pages" and asked["method"] == "PATCH":
            self.related(self.ids[plain(ids[0])], body)
        self.named(body)
        for identifier in UUID.findall(urlsplit(asked["url"]).query):
            self.known(identifier, partial(self.page_named, identifier))

    def related(self, page: str, body: dict) -> None:
        """Make what a row is to hold: other rows of its table, options of a status."""
        for name, prop in body.get("properties", {}).items():
            for item in prop.get("relation", ()) if isinstance(prop, dict) else ():
                asked = {"parent": {"data_source_id": self.source_of(page)}}
                self.ids[plain(item["id"])] = self.ask("POST", "pages", asked)["id"]
            if isinstance(prop, dict) and prop.get("status"):
                self.option(self.source_of(page), name, prop["status"])

    def source_of(self, page: str) -> str:
        return self.ask("GET", f"pages/{page}")["parent"]["data_source_id"]

    def option(self, source: str, name: str, option: dict) -> None:
        """Give a status the option that a row is to have."""
        held = self.ask("GET", f"data_sources/{source}")["properties"][name]["status"]["options"]
        options = [{"id": one["id"]} for one in held if one["name"] != option["name"]]
        asked = {name: {"status": {"options": [*options, {"name": option["name"]}]}}}
        self.ask("PATCH", f"data_sources/{source}", {"properties": asked})

    def listed(self, identifier: str, answer: dict | None = None) -> str:
        """Make a data source with the rows and templates it was shown with."""
        key = plain(identifier)
        held = [shown for _key, shown in sorted(self.shown.items())
                if self.source_in(shown) == key and _key not in self.templates.get(key, {})]  # fmt: skip
        held = [shown for shown in held if plain(shown["id"]) in self.queried] or held
        schema = dict(self.schemas.get(key) or (answer or {}).get("properties", {}))
        for name, prop in ((n, p) for shown in held for n, p in shown["properties"].items()):
            if name not in schema or prop.get("rollup", {}).get("array"):
                schema[name] = prop  # which shows what kind of column is rolled up
        source = self.table(schema)
        asked = {"parent": {"data_source_id": source}}
        made = sorted(self.ask("POST", "pages", asked)["id"] for _ in held or range(3))
        for shown, page in zip(held, made, strict=False):
            self.ids[plain(shown["id"])] = page
            self.fill(page, source, shown)
        columns = self.ask("GET", f"data_sources/{source}")["properties"]
        for name, prop in schema.items():
            if name in columns:
                self.columns[prop["id"]] = columns[name]["id"]
        for theirs, (name, default) in self.templates.get(key, {}).items():
            asked["properties"] = {"title": text(name)}
            self.ids[theirs] = self.ask("POST", "pages", asked)["id"]
            self.notion.add_template(source, self.ids[theirs], default=default)
        return source

    def source_in(self, shown: dict) -> str | None:
        """Return the recorded id of the data source that a page shown lies in."""
        parent = shown["parent"]
        if parent["type"] == "data_source_id":
            return plain(parent["data_source_id"])
        return self.sources.get(plain(parent.get("database_id", "")))

    def segment(self, shown: dict) -> dict:
        """Return a piece of rich text that was shown as it may be sent."""
        made = {"text": {"content": shown["plain_text"]}}
        kind = shown.get("mention", {}).get("type")
        if kind in {"page", "user"}:
            target = self.person if kind == "user" else self.home
            made = {"mention": {"user" if kind == "user" else "page": {"id": target}}}
        if kind == "database":
            made = {"mention": {"database": {"id": self.database()["id"]}}}
        if kind == "date":
            made = {"mention": {"date": shown["mention"]["date"]}}
        if shown["type"] == "equation":
            made = {"equation": shown["equation"]}
        return {**made, "annotations": shown["annotations"]}

    def fill(self, page: str, source: str, shown: dict) -> None:
        """Give a row the values, icon and cover it was shown with."""
        values = {}
        for name, prop in shown["properties"].items():
            kind = prop["type"]
            if kind in VALUES and prop[kind]:
                values[name] = {kind: VALUES[kind](prop[kind])}
            if kind in {"title", "rich_text"}:
                values[name] = {kind: [self.segment(item) for item in prop[kind]]}
            if kind == "people" and prop[kind]:
                values[name] = {kind: [{"id": self.person}]}
            if kind == "place":
                values.pop(name, None)
            if kind == "relation" and prop[kind]:
                values[name] = {kind: [{"id": page}]}
            if kind == "status" and prop[kind]:
                self.option(source, name, prop[kind])
        look = {key: shown[key] for key in ("icon", "cover")
                if (shown.get(key) or {}).get("type") in {"emoji", "external"}}  # fmt: skip
        made = self.ask("PATCH", f"pages/{page}", {"properties": values, **look})
        for name, prop in made["properties"].items():
            if name in shown["properties"]:
                self.properties[page, shown["properties"][name]["id"]] = prop["id"]

    def thing(self, parts: list[str], answer: dict) -> str:
        """Make what a path names."""
        if parts[0] == "blocks" and parts[-1] != "children":
            return self.like(answer)
        if (
            parts[0] == "blocks"
            and answer["results"]
            and "block_id" in answer["results"][0]["parent"]
        ):
            return self.block(self.home, "toggle")
        if parts[0] == "file_uploads":
            return self.whole_upload() if parts[-1] == "complete" else self.imported()
        if parts[0] == "databases":
            return self.database()["id"]
        if parts[0] == "data_sources":
            return self.listed(parts[1], answer)
        if parts[0] == "users":
            return self.notion.add_user("Someone", "someone@example.com")
        return self.page_named(parts[1])

    def page_like(self, shown: dict) -> str:
        """Make a page like one that was shown: a row of a table, or a page below another."""
        look = {key: shown[key] for key in ("icon", "cover")
                if (shown.get(key) or {}).get("type") in {"emoji", "external"}}  # fmt: skip
        above = shown["parent"]
        if above["type"] in {"page_id", "block_id", "workspace"}:
            asked = {"parent": {"page_id": self.home}, "properties": {"title": text("Like")}}
            made = self.ask("POST", "pages", {**asked, **look})["id"]
            if above["type"] == "block_id":
                self.notion.hands.into(made, self.block(self.home, "toggle"))
            return made
        key = self.source_in(shown)
        if key is not None:
            self.known(key, lambda: self.listed(key))
        if plain(shown["id"]) in self.ids:
            return self.ids[plain(shown["id"])]
        source = self.table(shown["properties"])
        made = self.ask("POST", "pages", {"parent": {"data_source_id": source}})["id"]
        self.fill(made, source, shown)
        return made

    @staticmethod
    def options(prop: dict) -> dict:
        """Return the options of a property that was shown, as they may be sent."""
        config = prop[prop["type"]]
        if prop["type"] == "status" or not isinstance(config, dict) or "options" not in config:
            return {}
        return {"options": [{"name": option["name"]} for option in config["options"]]}

    def table(self, shown: dict) -> str:
        """Make a data source with the properties shown, as far as clients can make them."""
        schema = {
            name: {prop["type"]: self.options(prop)}
            for name, prop in shown.items()
            if prop["type"] in CREATABLE
        }
        asked = {"parent": {"page_id": self.home}, "title": text("Road"),
                 "initial_data_source": {"properties": schema or {"Name": {"title": {}}}}}  # fmt: skip
        source = self.ask("POST", "databases", asked)["data_sources"][0]["id"]
        more = {name: {"relation": {"data_source_id": source, "single_property": {}}}
                for name, prop in shown.items() if prop["type"] == "relation"}  # fmt: skip
        more |= {name: {"formula": {"expression": FORMULAS[prop["formula"].get("type", "date")]}}
                 for name, prop in shown.items() if prop["type"] == "formula"}  # fmt: skip
        more |= self.rollups(shown)
        if more:
            self.ask("PATCH", f"data_sources/{source}", {"properties": more})
        return source

    @staticmethod
    def rollups(shown: dict) -> dict:
        """Return the rollups among the properties shown, of columns of the type they show."""
        found = {}
        link = next((name for name, prop in shown.items() if prop["type"] == "relation"), None)
        for name, prop in shown.items() if link else ():
            if prop["type"] == "rollup":
                kind = next(iter(prop["rollup"].get("array", [])), {"type": "title"})["type"]
                rolled = next((name for name, one in shown.items() if one["type"] == kind), "title")
                found[name] = {"rollup": {"relation_property_name": link,
                                          "rollup_property_name": rolled,
                                          "function": prop["rollup"]["function"]}}  # fmt: skip
        return found

    @property
    def makers(self) -> dict[str, Callable[[str], str]]:
        return {
            "page_id": self.page_named, "page": self.page_named,
            "database_id": lambda _id: self.database()["id"],
            "data_source_id": lambda _id: self.source(), "file_upload": lambda _id: self.sent(),
            "people": lambda _id: self.person,
            "block_id": lambda _id: self.block(self.home, "synced_block", {
                "synced_from": None, "children": [{"divider": {}}]}),
        }  # fmt: skip

    def comment(self, named: list[str], answer: dict) -> None:
        """Make the comment or the discussion that an exchange is about."""
        shown = answer["results"][0] if answer["object"] == "list" else answer
        made = self.ask("POST", "comments",
                        {"parent": {"page_id": self.home}, "rich_text": text("c")})  # fmt: skip
        self.ids.setdefault(plain(shown["discussion_id"]), made["discussion_id"])
        if named:
            self.ids.setdefault(plain(named[0]), made["id"])

    def learn(self, theirs: object, ours: object) -> None:
        """Note which of our ids stand where theirs stand; what they are in is made when named."""
        if isinstance(theirs, dict):
            theirs = {key: value for key, value in theirs.items() if key not in APART}
        super().learn(theirs, ours)

    def like(self, shown: dict) -> str:
        """Make a block like one that was shown."""
        kind = shown["type"]
        within = self.block(self.home, "toggle") if "block_id" in shown["parent"] else self.home
        if kind == "child_page":
            return self.ask("POST", "pages", {"parent": {"page_id": self.home}, "properties": {
                "title": text("Child")}})["id"]  # fmt: skip
        if kind == "child_database":
            return self.ask("POST", "databases", {"parent": {"page_id": self.home}})["id"]
        if kind == "link_preview" or "link_mention" in str(shown[kind]):
            return self.notion.hands.block(within, kind, shown[kind])
        if kind in PARTS_OF:
            whole = {"table": {"table_width": shown.get(kind, {}).get("cells") and len(
                shown[kind]["cells"])}, "column_list": {}}[PARTS_OF[kind]]  # fmt: skip
            made = self.block(self.home, PARTS_OF[kind], self.writable(PARTS_OF[kind], whole))
            return self.ask("GET", f"blocks/{made}/children")["results"][0]["id"]
        self.named(shown[kind])
        return self.block(within, kind, self.writable(kind, shown[kind]))

    def writable(self, kind: str, content: dict) -> dict:
        """Return a block's content as it may be sent."""
        made = {key: value for key, value in content.items() if key not in {"icon", "children"}}
        if (content.get("icon") or {}).get("type") in {"emoji", "external"}:
            made["icon"] = content["icon"]
        if made.get("type") in {"file", "file_upload"}:
            made = {"type": "external", "external": {"url": "https://example.com/a.png"}}
        half, left = {"width_ratio": 0.5}, {"rich_text": text("left")}
        children = {
            "table": [{"table_row": {"cells": [text("c")] * made.get("table_width", 1)}}],
            "column_list": [{"column": {**half, "children": [{"paragraph": left}]}}] * 2,
            "synced_block": [{"divider": {}}] if not made.get("synced_from") else None,
        }.get(kind)
        made = {
            key: value for key, value in made.items() if value is not None or key == "synced_from"
        }
        return {**made, "children": children} if children else made
