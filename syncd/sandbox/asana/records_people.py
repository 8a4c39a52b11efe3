"""The records of people, workspaces, teams and custom fields."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.asana.entities import CustomField, Ref, Workspace
from syncd.sandbox.asana.fieldvalues import FieldValue, shown
from syncd.sandbox.asana.records_work import APP, constant
from syncd.sandbox.asana.shapes import ABSENT, SHAPES, Getter, Shape, View, plain, ref, refs

SHAPES["user"] = Shape(
    {
        "email": plain("email"),
        "name": plain("name"),
        "photo": constant(None),
        "workspaces": refs("workspaces"),
    }
)

SHAPES["workspace"] = Shape(
    {
        "name": plain("name"),
        "email_domains": lambda _view, workspace: list(workspace.email_domains),
        "is_organization": plain("is_organization"),
    },
    compact=("gid", "resource_type", "name"),
)

_OPEN = constant("all_team_members")

SHAPES["team"] = Shape(
    {
        "name": plain("name"),
        "description": plain("description"),
        "html_description": lambda _view, team: f"<body>{team.description}</body>",
        "organization": ref("workspace"),
        "permalink_url": lambda _view, team: f"{APP}/0/{team.gid}/team",
        "visibility": plain("visibility"),
        "edit_team_name_or_description_access_level": _OPEN,
        "edit_team_visibility_or_trash_team_access_level": _OPEN,
        "member_invite_management_access_level": _OPEN,
        "guest_invite_management_access_level": _OPEN,
        "join_request_management_access_level": _OPEN,
        "team_member_removal_access_level": _OPEN,
        "team_content_management_access_level": constant("no_restriction"),
        "endorsed": constant(value=False),
        "custom_field_settings": constant([]),
    },
    opt_in=("description", "html_description", "custom_field_settings"),
)

SHAPES["user_task_list"] = Shape(
    {
        "name": lambda view, it: f"My Tasks in {view.store.need(it.workspace, Workspace).name}",
        "owner": ref("owner"),
        "workspace": ref("workspace"),
    }
)

SHAPES["enum_option"] = Shape(
    {"color": plain("color"), "enabled": plain("enabled"), "name": plain("name")},
    compact=("gid", "color", "enabled", "name", "resource_type"),
    whole=True,
)


def _only(kinds: str, getter: Getter) -> Getter:
    """Return a getter that answers for fields of some subtypes only."""
    allowed = frozenset(kinds.split())
    return lambda view, thing: getter(view, thing) if _field(thing).subtype in allowed else ABSENT


def _field(thing: Any) -> CustomField:  # noqa: ANN401
    found: CustomField = thing.field if isinstance(thing, FieldValue) else thing
    return found


def _of(name: str) -> Getter:
    return lambda _view, thing: getattr(_field(thing), name)


def _given(name: str) -> Getter:
    """Return a getter of an attribute that is left out when it is None."""

    def get(_view: View, thing: Any) -> Any:  # noqa: ANN401
        value = getattr(_field(thing), name)
        return ABSENT if value is None else value

    return get


def _value(_view: View, thing: FieldValue) -> Any:  # noqa: ANN401
    return thing.value


def _values(_view: View, thing: FieldValue) -> Any:  # noqa: ANN401
    return [Ref(gid) for gid in thing.value or ()]


def _enum_value(_view: View, thing: FieldValue) -> Any:  # noqa: ANN401
    return Ref(thing.value) if thing.value else None


def _options(view: View, thing: Any) -> Any:  # noqa: ANN401
    return view.find_all(_field(thing).options)


_DEFINITION: dict[str, Getter] = {
    "resource_type": constant("custom_field"),
    "asana_created_field": constant(None),
    "created_by": lambda view, thing: view.find(_field(thing).created_by),
    "currency_code": _only("number", _given("currency_code")),
    "custom_label": _only("number", _given("custom_label")),
    "custom_label_position": _only("number", _given("custom_label_position")),
    "default_access_level": constant("admin"),
    "description": _of("description"),
    "enum_options": _only("enum multi_enum", _options),
    "format": _only("number", _of("format")),
    "has_notifications_enabled": _of("has_notifications_enabled"),
    "id_prefix": _of("id_prefix"),
    "input_restrictions": constant([]),
    "is_formula_field": constant(value=False),
    "is_global_to_workspace": _of("is_global"),
    "is_value_read_only": lambda _view, thing: _field(thing).id_prefix is not None,
    "name": _of("name"),
    "people_value": _only("people", lambda _view, _thing: []),
    "precision": _only("number", _of("precision")),
    "privacy_setting": constant("public_with_guests"),
    "representation_type": lambda _view, thing: (
        "custom_id" if _field(thing).id_prefix else _field(thing).subtype
    ),
    "resource_subtype": _of("subtype"),
    "type": _of("subtype"),
}
_COMPACT = (
    "gid", "enum_options", "name", "precision", "format", "resource_subtype", "resource_type",
    "type", "privacy_setting", "default_access_level", "is_formula_field",
)  # fmt: skip

SHAPES["custom_field"] = Shape(
    _DEFINITION,
    compact=_COMPACT,
    opt_in=("people_value", "is_value_read_only", "id_prefix", "representation_type"),
    whole=True,
)

SHAPES["field_value"] = Shape(
    {
        **_DEFINITION,
        "enabled": constant(value=True),
        "text_value": _only("text", _value),
        "number_value": _only("number", _value),
        "enum_value": _only("enum", _enum_value),
        "multi_enum_values": _only("multi_enum", _values),
        "date_value": _only("date", _value),
        "people_value": _only("people", _values),
        "display_value": lambda view, it: shown(view.store, it.field, it.value),
    },
    compact=(
        "gid", "enabled", "enum_options", "enum_value", "multi_enum_values", "text_value",
        "number_value", "date_value", "people_value", "name", "description", "created_by",
        "display_value", "precision", "format", "currency_code", "custom_label",
        "custom_label_position", "resource_subtype", "resource_type", "is_formula_field",
        "is_value_read_only", "type",
    ),
    whole=True,
)  # fmt: skip

SHAPES["custom_field_setting"] = Shape(
    {
        "custom_field": ref("field"),
        "is_important": plain("is_important"),
        "parent": ref("parent"),
        "project": ref("parent"),
    },
    compact=("gid", "custom_field", "is_important", "parent", "project", "resource_type"),
    whole=True,
)
