"""Custom fields and their enum options."""

from __future__ import annotations

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import (
    CustomField,
    CustomFieldSetting,
    EnumOption,
    Project,
    Workspace,
)
from syncd.sandbox.asana.errors import bad, missing
from syncd.sandbox.asana.planning import Goal, Portfolio
from syncd.sandbox.wire import Response

SUBTYPES = ("text", "enum", "multi_enum", "number", "date", "people")
FORMATS = ("currency", "identifier", "percentage", "custom", "duration", "none")
COLORS = (
    "none", "red", "orange", "yellow-orange", "yellow", "yellow-green", "green", "blue-green",
    "aqua", "blue", "indigo", "purple", "magenta", "hot-pink", "pink", "cool-gray",
)  # fmt: skip
HOLDERS = (Project, Goal, Portfolio)
RESERVED = frozenset({"name", "assignee", "due date", "start date", "notes", "projects", "tags"})
MOST_OPTIONS = 500
LABELS = ("currency_code", "custom_label", "custom_label_position")


def list_fields(call: Call, workspace: str) -> Response:
    """GET /workspaces/{gid}/custom_fields."""
    home = call.load(Workspace, workspace)
    return call.rows(it for it in call.store.every(CustomField) if it.workspace == home.gid)


def get_field(call: Call, field: str) -> Response:
    """GET /custom_fields/{gid}."""
    return call.one(call.load(CustomField, field))


def create_field(call: Call) -> Response:
    """POST /custom_fields."""
    call.need_paid("Custom Fields are not available for free users or guests.")
    home = call.body_object(Workspace, "workspace")
    name = call.required("name")
    _check_name(call, home, name, None)
    key = "resource_subtype" if call.has("resource_subtype") else "type"
    if not call.has(key):
        raise missing("resource_subtype")
    made = CustomField(
        call.store.new_gid(),
        name=name,
        workspace=home.gid,
        subtype=call.choice(key, SUBTYPES, ""),
        created_by=call.user,
    )
    options = _new_options(call, made)
    _edit(call, made)
    call.store.add(made)
    for option in options:
        call.store.add(option)
    return call.made(made, "custom_fields")


def _new_options(call: Call, field: CustomField) -> list[EnumOption]:
    rows = call.listed("enum_options")
    if rows and field.subtype not in {"enum", "multi_enum"}:
        raise bad("enum_options: Only enum custom fields have options")
    out = []
    for at, row in enumerate(rows):
        if not isinstance(row, dict) or not row.get("name"):
            raise bad(f"enum_options: [{at}]: name: Missing input")
        out.append(make_option(call, field, str(row["name"]), row.get("color")))
        out[-1].enabled = row.get("enabled", True) is not False
    return out


def make_option(call: Call, field: CustomField, name: str, color: object = None) -> EnumOption:
    """Return a new option at the end of a field's list, not yet in the store."""
    if len(field.options) >= MOST_OPTIONS:
        raise bad(f"A custom field can have at most {MOST_OPTIONS} enum options")
    if color is not None and color not in COLORS:
        raise bad(f"color: Not a valid value: {color}. Must be one of: {', '.join(COLORS)}")
    made = EnumOption(call.store.new_gid(), name=name, field=field.gid, color=str(color or "none"))
    field.options.append(made.gid)
    return made


def _check_name(call: Call, home: Workspace, name: str, but: CustomField | None) -> None:
    taken = call.store.first(
        CustomField, lambda it: it.workspace == home.gid and it.name == name and it is not but
    )
    if taken is not None or name.lower() in RESERVED:
        raise bad(f"name: A custom field with the name '{name}' already exists in this workspace")


def _edit(call: Call, field: CustomField) -> None:
    if call.has("description"):
        field.description = call.text("description")
    if call.has("has_notifications_enabled"):
        field.has_notifications_enabled = call.flag("has_notifications_enabled")
    if call.has("id_prefix") and field.subtype == "text":
        field.id_prefix = call.text("id_prefix") or None
    if call.has("precision"):
        field.precision = call.digits("precision")
    if call.has("format"):
        field.format = call.choice("format", FORMATS, "none")
    for name in LABELS:
        if call.has(name):
            setattr(field, name, call.text(name) or None)


def update_field(call: Call, field: str) -> Response:
    """PUT /custom_fields/{gid}."""
    found = call.load(CustomField, field)
    if call.has("enum_options"):
        raise bad("enum_options: Cannot write this property")
    for key in ("type", "resource_subtype"):
        if call.has(key) and call.body[key] != found.subtype:
            raise bad(f"{key}: Cannot write this property")
    if call.has("name"):
        name = call.required("name")
        _check_name(call, call.store.need(found.workspace, Workspace), name, found)
        found.name = name
    _edit(call, found)
    return call.one(found)


def delete_field(call: Call, field: str) -> Response:
    """DELETE /custom_fields/{gid}."""
    found = call.load(CustomField, field)
    for setting in list(call.store.every(CustomFieldSetting)):
        if setting.field == found.gid:
            holder = call.store.objects.get(setting.parent)
            if isinstance(holder, HOLDERS):
                holder.settings = tuple(gid for gid in holder.settings if gid != setting.gid)
            call.store.bin(setting)
    call.store.bin(found)
    return call.empty()


def _enum(call: Call, field: str) -> CustomField:
    found = call.load(CustomField, field)
    if found.subtype not in {"enum", "multi_enum"}:
        raise bad("custom_field: Only enum custom fields have options")
    return found


def create_option(call: Call, field: str) -> Response:
    """POST /custom_fields/{gid}/enum_options."""
    found = _enum(call, field)
    made = make_option(call, found, call.required("name"), call.body.get("color"))
    call.store.add(made)
    made.enabled = call.flag("enabled", default=True)
    if call.body.get("insert_before") or call.body.get("insert_after"):
        _move(call, found, made, "insert_before", "insert_after")
    return call.made(made, "enum_options")


def _move(call: Call, field: CustomField, option: EnumOption, before: str, after: str) -> None:
    name = before if call.body.get(before) else after
    anchor = call.body_object(EnumOption, name)
    if anchor.gid not in field.options:
        raise bad(f"{name}: Unknown object: {anchor.gid}")
    field.options.remove(option.gid)
    shift = 0 if name == before else 1
    field.options.insert(field.options.index(anchor.gid) + shift, option.gid)


def insert_option(call: Call, field: str) -> Response:
    """POST /custom_fields/{gid}/enum_options/insert: move an option."""
    found = _enum(call, field)
    option = call.body_object(EnumOption, "enum_option")
    if option.gid not in found.options:
        raise bad(f"enum_option: Unknown object: {option.gid}")
    if not call.body.get("before_enum_option") and not call.body.get("after_enum_option"):
        raise missing("before_enum_option")
    _move(call, found, option, "before_enum_option", "after_enum_option")
    return call.one(option)


def update_option(call: Call, option: str) -> Response:
    """PUT /enum_options/{gid}: name, color, enabled."""
    found = call.load(EnumOption, option)
    if call.has("name"):
        found.name = call.required("name")
    if call.has("color"):
        found.color = call.choice("color", COLORS, "none")
    if call.has("enabled"):
        found.enabled = call.flag("enabled")
    return call.one(found)


ROUTES = (
    ("GET", "/workspaces/{workspace}/custom_fields", list_fields),
    ("POST", "/custom_fields", create_field),
    ("GET", "/custom_fields/{field}", get_field),
    ("PUT", "/custom_fields/{field}", update_field),
    ("DELETE", "/custom_fields/{field}", delete_field),
    ("POST", "/custom_fields/{field}/enum_options", create_option),
    ("POST", "/custom_fields/{field}/enum_options/insert", insert_option),
    ("PUT", "/enum_options/{option}", update_option),
)
