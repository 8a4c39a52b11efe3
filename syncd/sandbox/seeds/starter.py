"""Places to fill: an Asana project and a Notion database for a roadmap, both empty.

They fit the mapping `mappings/rules/titanium.yaml` and serve as targets for issues loaded from a file.
"""

from __future__ import annotations

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.notion import NotionSandbox
from syncd.sandbox.seeds.caller import Caller, Json, asana_caller, notion_caller

SECTIONS = ("To do", "Doing", "Done")
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")


def seed_starter(asana: AsanaSandbox, notion: NotionSandbox) -> None:
    """Make the Asana project "Roadmap" and the Notion database "Roadmap" on a page "Product"."""
    call = asana_caller(asana, asana.token)
    make_project(call, asana, "Roadmap", SECTIONS, progress=True)
    pages = notion_caller(notion, notion.token)
    page = make_page(pages, "Product")
    number: Json = {"number": {"format": "number"}}
    make_database(
        pages,
        page,
        "Roadmap",
        ("Feature", "Work item"),
        {
            "Status": status(("Planned", "In progress", "Done")),
            "Owner": {"people": {}},
            "Points": number,
            "Progress": {"number": {"format": "percent"}},
            "Items done": number,
            "Items total": number,
            "Points done": number,
            "Points total": number,
            "Jira link": {"url": {}},
            "Jira key": {"rich_text": {}},
        },
    )


def make_project(
    call: Caller, asana: AsanaSandbox, name: str, sections: tuple[str, ...], *, progress: bool
) -> tuple[str, dict[str, str]]:
    """Make an Asana project with sections and our fields; returns its gid and section gids by name."""
    data = {"name": name, "team": asana.team, "workspace": asana.workspace}
    project = call("POST", "/api/1.0/projects", {"data": data})["data"]["gid"]
    listed = call("GET", f"/api/1.0/projects/{project}/sections")["data"]
    gids: dict[str, str] = {}
    for place, section in enumerate(sections):
        if place == 0 and listed:
            path = f"/api/1.0/sections/{listed[0]['gid']}"
            gids[section] = call("PUT", path, {"data": {"name": section}})["data"]["gid"]
            continue
        path = f"/api/1.0/projects/{project}/sections"
        gids[section] = call("POST", path, {"data": {"name": section}})["data"]["gid"]
    fields: list[Json] = [{"name": "Syncd ID", "resource_subtype": "text"}]
    if progress:
        fields.append(
            {
                "name": "Progress",
                "resource_subtype": "number",
                "format": "percentage",
                "precision": 2,
            }
        )
    options = [{"name": name} for name in PRIORITIES]
    fields.append({"name": "Priority", "resource_subtype": "enum", "enum_options": options})
    for field in fields:
        _add_field(call, asana, project, field)
    return project, gids


def _add_field(call: Caller, asana: AsanaSandbox, project: str, field: Json) -> None:
    known = call("GET", f"/api/1.0/workspaces/{asana.workspace}/custom_fields")["data"]
    gid = next((each["gid"] for each in known if each["name"] == field["name"]), None)
    if gid is None:
        body = {"data": {**field, "type": field["resource_subtype"], "workspace": asana.workspace}}
        gid = call("POST", "/api/1.0/custom_fields", body)["data"]["gid"]
    path = f"/api/1.0/projects/{project}/addCustomFieldSetting"
    call("POST", path, {"data": {"custom_field": gid}})


def make_page(call: Caller, title: str, under: str | None = None) -> str:
    """Make a Notion page; returns its id."""
    parent: Json = {"type": "workspace", "workspace": True}
    if under is not None:
        parent = {"type": "page_id", "page_id": under}
    body = {"parent": parent, "properties": {"title": {"title": text(title)}}}
    page: str = call("POST", "/v1/pages", body)["id"]
    return page


def text(content: str) -> list[Json]:
    """Return Notion rich text of one plain segment."""
    return [{"type": "text", "text": {"content": content}}]


def status(names: tuple[str, ...]) -> Json:
    """Return the schema of a Notion status property with these options."""
    return {"status": {"options": [{"name": name} for name in names]}}


def select(names: tuple[str, ...]) -> Json:
    """Return the schema of a Notion select property."""
    return {"select": {"options": [{"name": name} for name in names]}}


def make_database(
    call: Caller, page: str, title: str, types: tuple[str, ...], properties: Json
) -> str:
    """Make a Notion database with Type, Parent, Syncd ID and more; returns its data source's id."""
    schema: Json = {
        "Name": {"title": {}},
        "Type": select(types),
        **properties,
        "Syncd ID": {"rich_text": {}},
    }
    body = {
        "parent": {"type": "page_id", "page_id": page},
        "title": text(title),
        "initial_data_source": {"properties": schema},
    }
    source: str = call("POST", "/v1/databases", body)["data_sources"][0]["id"]
    relation = {"data_source_id": source, "type": "single_property", "single_property": {}}
    call("PATCH", f"/v1/data_sources/{source}", {"properties": {"Parent": {"relation": relation}}})
    return source
