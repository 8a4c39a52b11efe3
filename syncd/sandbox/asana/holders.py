"""What projects, portfolios and goals share: dates, notes, custom fields and their settings."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import CustomField, CustomFieldSetting, Project, Text
from syncd.sandbox.asana.errors import bad
from syncd.sandbox.asana.fieldvalues import number_task, read_value
from syncd.sandbox.asana.mentions import read_rich
from syncd.sandbox.asana.moments import read_date
from syncd.sandbox.asana.planning import Holder
from syncd.sandbox.asana.records_work import setting_fields
from syncd.sandbox.wire import Response


def read_dates(call: Call, *due_names: str) -> dict[str, Any]:
    """Return the dates of the body; a start needs a due date beside it."""
    out: dict[str, Any] = {}
    for name in due_names:
        if call.has(name):
            out["due_on"] = read_date(name, call.body[name])
    if call.has("start_on"):
        out["start_on"] = read_date("start_on", call.body["start_on"])
        if out["start_on"] and not out.get("due_on"):
            raise bad("start_on: due_on must be present in the request when setting start_on")
    return out


def read_notes(call: Call) -> Text:
    """Return the notes of the body, from either view."""
    if call.body.get("html_notes"):
        return Text(*read_rich(call, "html_notes", call.body["html_notes"]))
    return Text(call.text("notes"))


def read_values(call: Call, holder: Holder) -> dict[str, Any] | None:
    """Return all custom field values of a holder, with the body's put in."""
    given = call.body["custom_fields"]
    if not isinstance(given, dict):
        raise bad(f"custom_fields: Value is not a JSON object: {given}")
    fields = {field.gid: field for field in setting_fields(call.store, holder.settings)}
    values = dict(holder.custom_values or {})
    for gid, value in given.items():
        if gid not in fields:
            raise bad(f"Custom field with ID {gid} is not on given object")
        values[gid] = read_value(call.store, fields[gid], value)
    return values or None


def apply(call: Call, holder: Holder, new: dict[str, Any]) -> bool:
    """Set attributes that differ, each with its event; True when any did."""
    changed = [name for name, value in new.items() if getattr(holder, name) != value]
    for name in changed:
        setattr(holder, name, new[name])
        call.actor.changed(holder, "custom_fields" if name == "custom_values" else name)
    return bool(changed)


def list_settings(call: Call, holder: Holder) -> Response:
    """Answer the custom field settings of a holder."""
    return call.rows(call.store.some(holder.settings, CustomFieldSetting))


def add_setting(call: Call, holder: Holder) -> Response:
    """Put the custom field of the body on a holder."""
    call.need_paid("Custom Fields are not available for free users or guests.")
    if isinstance(call.body.get("custom_field"), dict):
        raise bad("custom_field: Not a valid GID type: object")
    field = call.body_object(CustomField, "custom_field")
    if any(field.gid == had.gid for had in setting_fields(call.store, holder.settings)):
        raise bad(
            f"custom_field: Custom field with ID {field.gid} is already on this {holder.KIND}"
        )
    made = CustomFieldSetting(
        call.store.new_gid(), field.gid, holder.gid, is_important=call.flag("is_important")
    )
    call.store.add(made)
    holder.settings = (*holder.settings, made.gid)
    if isinstance(holder, Project):
        for _, task in call.store.project_tasks(holder, None):
            number_task(task, [field])
    call.actor.changed(holder, "custom_field_settings", new=made, how="added")
    return call.one(made)


def remove_setting(call: Call, holder: Holder) -> Response:
    """Take a custom field off a holder; values stay and show again when it is put back."""
    field = call.body_object(CustomField, "custom_field")
    for setting in call.store.some(holder.settings, CustomFieldSetting):
        if setting.field == field.gid:
            holder.settings = tuple(gid for gid in holder.settings if gid != setting.gid)
            call.actor.changed(holder, "custom_field_settings", new=setting, how="removed")
            call.store.bin(setting)
            return call.empty()
    raise bad(f"Custom field with ID {field.gid} is not on given object")
