"""Holding a part of a document against a pydantic model, with every problem in our own words."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mappings.positions import Data, Document, Path_
from mappings.problems import Problems, did_you_mean, quoted

Model = TypeVar("Model", bound=BaseModel)

_WANTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping (lines `key: value`)",
    "model_type": "a mapping (lines `key: value`)",
    "int_type": "a whole number",
    "float_type": "a number",
}


def validate(
    model: type[Model],
    data: Data,
    document: Document,
    path: Path_,
    problems: Problems,
    *,
    also: tuple[str, ...] = (),
) -> Model | None:
    """Return the part at `path` as a model, or None with every problem of it noted.

    `also` are keys that somebody else reads there, to be named in advice about unknown keys.
    """
    try:
        return model.model_validate(data)
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False):
            _explain(error, [*_keys(model, error["loc"][:-1]), *also], document, path, problems)
        return None


def is_mapping(document: Document, path: Path_, data: Data, problems: Problems) -> bool:
    """Tell whether a value is a mapping; otherwise note it."""
    if isinstance(data, dict):
        return True
    problems.add(document.place(*path), _expected("dict_type", data))
    return False


def _explain(
    error: ErrorDetails,
    choices: list[str],
    document: Document,
    path: Path_,
    problems: Problems,
) -> None:
    loc = error["loc"]
    place = document.place(*_present(document, (*path, *loc)))
    if error["type"] == "extra_forbidden":
        key = str(loc[-1])
        place = document.key(*path, *loc)
        problems.add(place, f"unknown key {quoted(key)}: {did_you_mean(key, choices)}")
    elif error["type"] == "missing":
        problems.add(place, f"{quoted(str(loc[-1]))} is missing here: add it")
    else:
        problems.add(place, _sentence(error))


def _present(document: Document, path: Path_) -> Path_:
    """Leave out the parts of a location that pydantic made up (tags of unions, list wrappers)."""
    kept: Path_ = ()
    for part in path:
        if (*kept, part) in document.values:
            kept = (*kept, part)
    return kept


def _sentence(error: ErrorDetails) -> str:
    kind, data = error["type"], error["input"]
    if kind in _WANTED:
        return _expected(kind, data)
    if kind == "literal_error":
        choices = [
            word.strip("' ") for word in error["ctx"]["expected"].replace(" or ", ", ").split(",")
        ]
        return f"{_shown(data)} is not possible here: {did_you_mean(str(data), choices)}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind in {"string_too_short", "too_short"}:
        return "this is empty: write a value or leave the key out"
    return f"{_shown(data)} is not possible here: {error['msg'][0].lower()}{error['msg'][1:]}"


def _expected(kind: str, data: object) -> str:
    quote = kind == "string_type" and isinstance(data, bool | int | float)
    advice = f'put it in quotes ("{_plain(data)}")' if quote else f"write {_WANTED[kind]}"
    return f"{_WANTED[kind]} is expected here, not {_shown(data)}: {advice}"


def _plain(data: object) -> str:
    return str(data).lower() if isinstance(data, bool) else str(data)


def _shown(data: object) -> str:
    if data is None:
        return "nothing"
    if isinstance(data, dict):
        return "a mapping"
    if isinstance(data, list):
        return "a list"
    return quoted(data) if isinstance(data, str) else _plain(data)


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the (nested) model that a location points into."""
    current = model
    for part in loc:
        field = current.model_fields.get(str(part))
        nested = _models(field.annotation) if field else []
        current = nested[0] if nested else current
    return list(current.model_fields)


def _models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models(part)]
