"""Values of custom fields: what may be written, how they are kept, how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from syncd.sandbox.asana.entities import CustomField, EnumOption, Task, User
from syncd.sandbox.asana.errors import bad, unknown
from syncd.sandbox.asana.moments import day_of, read_date, read_moment, spoken, stamp
from syncd.sandbox.asana.store import Store

LONGEST = 1024


@dataclass(slots=True, eq=False)
class FieldValue:
    """A custom field with the value one object has in it."""

    KIND: ClassVar[str] = "field_value"
    field: CustomField
    value: Any

    @property
    def gid(self) -> str:
        """The field's gid."""
        return self.field.gid


def number_task(task: Task, fields: list[CustomField]) -> None:
    """Give a task its number in the fields that number tasks, once and for all."""
    values = dict(task.values or {})
    for field in fields:
        if field.id_prefix and field.gid not in values:
            field.last_id += 1
            values[field.gid] = f"{field.id_prefix}-{field.last_id}"
    task.values = values or None


def read_value(store: Store, field: CustomField, value: object) -> Any:  # noqa: ANN401
    """Return a written value as it is kept; None for empty; refuse what the field cannot hold."""
    if value is None:
        return None
    return _READERS[field.subtype](store, field, value)


def _text(_store: Store, field: CustomField, value: object) -> str | None:
    if not isinstance(value, str):
        raise bad(f"custom_fields: {field.gid}: Value is not a string: {value}")
    if len(value) > LONGEST:
        raise bad(
            f"custom_fields: {field.gid}: Value is too long: "
            f"{len(value)} characters, at most {LONGEST} are allowed"
        )
    return value or None


def _number(_store: Store, field: CustomField, value: object) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise bad(f"custom_fields: {field.gid}: Value is not a number: {value}")
    kept = round(value, field.precision)
    return int(kept) if field.precision == 0 or kept == int(kept) else kept


def _option(store: Store, field: CustomField, value: object) -> str:
    gid = value if isinstance(value, str) else str(value)
    option = store.get(gid, EnumOption)
    if option is None or option.gid not in field.options:
        raise unknown("enum_value", gid, 400)
    if not option.enabled:
        raise bad(f"enum_value: Option is disabled: {gid}")
    return gid


def _enum(store: Store, field: CustomField, value: object) -> str | None:
    if isinstance(value, (dict, list, bool)):
        raise bad(f"enum_value: Not a valid GID type: {_json_type(value)}")
    return _option(store, field, value) if value != "" else None


def _multi(store: Store, field: CustomField, value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        raise bad(f"custom_fields: {field.gid}: Value is not an array: {value}")
    return tuple(dict.fromkeys(_option(store, field, item) for item in value)) or None


def _date(_store: Store, field: CustomField, value: object) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        raise bad(f"custom_fields: {field.gid}: Value is not a JSON object: {value}")
    moment = read_moment("date_time", value.get("date_time"))
    if moment is not None:
        return {"date": day_of(moment), "date_time": stamp(moment)}
    day = read_date("date", value.get("date"))
    return None if day is None else {"date": day, "date_time": None}


def find_user(store: Store, value: object, me: str | None = None) -> User | None:
    """Return the user of a gid, an e-mail address or `me`."""
    if value == "me" and me is not None:
        return store.get(me, User)
    text = str(value)
    return store.get(store.emails.get(text.lower(), text), User)


def _people(store: Store, field: CustomField, value: object) -> tuple[str, ...] | None:
    items = value.split(",") if isinstance(value, str) and value else value or []
    if not isinstance(items, list):
        raise bad(f"custom_fields: {field.gid}: Value is not an array: {value}")
    found = []
    for item in items:
        user = find_user(store, item.get("gid") if isinstance(item, dict) else item)
        if user is None:
            raise bad(f"people_value: Not a user in Organization: {item}")
        found.append(user.gid)
    return tuple(dict.fromkeys(found)) or None


_READERS = {
    "text": _text, "number": _number, "enum": _enum,
    "multi_enum": _multi, "date": _date, "people": _people,
}  # fmt: skip


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "object" if isinstance(value, dict) else "array"


def shown(store: Store, field: CustomField, value: Any) -> str | None:  # noqa: ANN401
    """Return `display_value`."""
    if value is None:
        return None
    if field.subtype == "number":
        return _number_text(field, value)
    if field.subtype == "enum":
        return store.need(value, EnumOption).name
    if field.subtype == "multi_enum":
        return ", ".join(option.name for option in store.some(value, EnumOption))
    if field.subtype == "people":
        return ", ".join(user.name for user in store.some(value, User))
    if field.subtype == "date":
        return value["date_time"] or f"{value['date']}T00:00:00.000Z"
    return str(value)


def _number_text(field: CustomField, value: float) -> str:
    if field.format == "percentage":
        return f"{value * 100:.{max(field.precision - 2, 0)}f}%"
    text = f"{value:.{field.precision}f}"
    if field.format == "currency":
        return f"{field.currency_code or 'USD'} {text}"
    if field.format == "custom" and field.custom_label:
        front = field.custom_label_position == "prefix"
        return f"{field.custom_label} {text}" if front else f"{text} {field.custom_label}"
    return text


def spoken_value(store: Store, field: CustomField, value: Any) -> str:  # noqa: ANN401
    """Return a value as history says it."""
    if field.subtype == "date" and value is not None:
        return spoken(value["date"])
    return shown(store, field, value) or ""
