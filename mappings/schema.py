"""The words of the mapping language, as models: the source of schema.json and of the reference.

The models say which keys there are and what shape a value has. What the words mean together (names
of connections, two rules for one cell) is checked by `mappings.load`, and what they mean against
the tools by `mappings.compile`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)

from syncd.core.fields import LEVELS

Level = Literal["vision", "strategy", "goal", "initiative", "feature", "work_item", "release"]
CustomType = Literal[
    "text", "number", "select", "multi_select", "date", "checkbox", "url", "people", "person"
]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _share(value: object) -> float:
    """Return a share given as `10%` or as a number from 0 to 1."""
    number: float | None = None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?\s*%", value):
        number = float(value.rstrip("% ")) / 100
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    if number is None or not 0 <= number <= 1:
        raise ValueError("a share is expected here: write it as 10%")
    return number


def _choice(kind: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [kind, {"type": "array", "items": kind, "minItems": 1}]}


_LEVEL: dict[str, Any] = {"enum": list(LEVELS)}
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}

Name = Annotated[StrictStr, Field(min_length=1)]
Names = Annotated[
    list[Name], Field(min_length=1), BeforeValidator(_as_list), WithJsonSchema(_choice(_TEXT))
]
Levels = Annotated[
    list[Level], Field(min_length=1), BeforeValidator(_as_list), WithJsonSchema(_choice(_LEVEL))
]
Share = Annotated[
    float,
    BeforeValidator(_share),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]+)?\\s*%$"},
                {"type": "number", "minimum": 0, "maximum": 1},
            ]
        }
    ),
]
_SCALAR: dict[str, Any] = {"type": ["string", "boolean", "number"]}
# Checked by hand in mappings.load: a union would report each alternative as a problem of its own.
Where = Annotated[
    dict[str, Any],
    WithJsonSchema({"type": "object", "additionalProperties": _choice(_SCALAR)}),
]
Owner = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                _TEXT,
                {"type": "object", "propertyNames": _LEVEL, "additionalProperties": _TEXT},
            ]
        }
    ),
]


class Block(BaseModel):
    """What all blocks share: no key beyond those listed, no conversion of values."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SideBlock(Block):
    """Where items of a level live in one connection."""

    projects: Names | None = Field(
        None, description="Jira: the projects, by name, key or id.", examples=["[WEB, APP]"]
    )
    types: Names | None = Field(
        None,
        description="Jira: the types of issue; the first one is used when syncd creates an issue.",
        examples=["[Epic]"],
    )
    project: Name | None = Field(
        None, description="Asana: the project, by name or gid.", examples=["Company initiatives"]
    )
    subtasks: StrictBool = Field(
        default=False,
        description="Asana: true takes the subtasks of the project's tasks, false the tasks.",
    )
    database: Name | None = Field(
        None, description="Notion: the database, by title or id.", examples=["Roadmap"]
    )
    where: Where | None = Field(
        None,
        description=(
            "Only records whose fields hold this: a value, a list of values, `any` (not empty) or "
            "`none` (empty). `parent: LEVEL` means: only below an item of this level. A record "
            "that syncd creates gets the first value of each line."
        ),
        examples=["{Type: Feature}"],
    )
    create: StrictBool | None = Field(
        None,
        description=(
            "Whether syncd creates a record here for an item that has none. Default: no in the "
            "level's home, yes elsewhere."
        ),
    )
    marker: Name | None = Field(
        None,
        description=(
            "Asana and Notion: the text field in which syncd notes what it created, so that "
            'nothing is created twice. Default: the field named "Syncd ID".'
        ),
    )


class CellBlock(Block):
    """How one field is held in one connection."""

    field: Name | None = Field(None, description="The field, by name or id.")
    property: Name | None = Field(None, description="The same, in Notion's word.")
    values: dict[Name, Name] | None = Field(
        None,
        description=(
            "The tool's word for each value, and what it means. Where two of the tool's words mean "
            "the same, the first is the one syncd writes."
        ),
        examples=["{To Do: planned, Done: done}"],
    )
    create_options: StrictBool = Field(
        default=False,
        description="Whether syncd may add an option that the tool does not know yet.",
    )
    write: StrictBool = Field(
        default=True, description="false: syncd reads the field and never writes it."
    )
    levels: Levels | None = Field(
        None, description="Only for items of these levels. Default: those of the field."
    )


class RollupBlock(Block):
    """How a derived field is computed from the items below."""

    of: Level | None = Field(
        None, description="Count only items of this level. Default: all leaves."
    )
    weight: Literal["points", "count"] = Field(
        "points", description="points: by estimate; count: each item counts one."
    )
    missing: Literal["median", "zero"] = Field(
        "median", description="What an item without an estimate weighs."
    )


class FieldBlock(Block):
    """One field of the roadmap: who decides, and where it is held."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, StrictStr | CellBlock]  # type: ignore[mutable-override]

    owner: Owner | None = Field(
        None,
        description=(
            "The connection that decides; others are corrected. `shared`: all may edit, and two "
            "different edits are a conflict. May be given for each level. Default: the level's "
            "home."
        ),
        examples=["jira", "shared", "{initiative: notion, feature: jira}"],
    )
    on_conflict: StrictStr = Field(
        "ask",
        description=(
            "When two edits differ: `ask` a person, `merge` (descriptions: what only one side changed is "
            "taken from both, line by line; where changes touch, a person is asked), or the connection "
            "whose value wins."
        ),
    )
    type: CustomType | None = Field(
        None, description="For a field of your own, which the catalogue does not have."
    )
    rollup: RollupBlock | None = Field(
        None, description="For derived fields: what is counted, and how."
    )
    of: Name | None = Field(
        None, description="For `url` and `key`: the connection they point into."
    )
    levels: Levels | None = Field(None, description="Only for items of these levels.")


class LevelBlock(Block):
    """One level of the roadmap: where its items live. The first connection named is its home."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, SideBlock | list[SideBlock]]  # type: ignore[mutable-override]

    parent: dict[Name, Name] | None = Field(
        None,
        description="Connection and field that say which item an item is part of.",
        examples=["{jira: parent, notion: Parent}"],
    )


class PageBlock(Block):
    """A page that syncd keeps for leadership. Beside these keys: `CONNECTION: TITLE`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, StrictStr]  # type: ignore[mutable-override]

    under: Name | None = Field(
        None, description="The page it stands under, by title, address or id."
    )
    levels: Levels = Field(
        ["goal", "initiative", "feature"], description="The levels that the page shows."
    )


class LimitBlock(Block):
    """How many changes are normal: this many, or this share of what is there, if that is more."""

    at_least: Annotated[StrictInt, Field(ge=0)] = Field(description="A number.")
    share: Share = Field(description="A share, such as 10%.")


class LimitsBlock(Block):
    """What one cycle may do to one project or database before a person is asked."""

    creates: LimitBlock | None = Field(None, description="New records. Default: 20, or 10%.")
    overwrites: LimitBlock | None = Field(
        None, description="Values that people wrote and syncd replaces. Default: 50, or 20%."
    )
    erases: LimitBlock | None = Field(
        None,
        description="Values of one field that people wrote and syncd empties. Default: 20, or 20%.",
    )
    shrink: Share = Field(
        0.5,
        description="A list shorter than this share of what is known is not believed.",
        examples=["50%"],
    )
    adopt: Literal["ask", "never"] = Field(
        "ask",
        description=(
            "When tools first meet that hold the same level already, and some of it is not recognised: "
            "ask means that nothing is created there before `syncd adopt`; never, that it is all new."
        ),
    )


class MappingFile(Block):
    """A mapping file. Several files make one mapping; each entry stands in one of them only."""

    roadmap: Name | None = Field(None, description="The name of the roadmap.")
    people: dict[Name, dict[Name, Name]] | None = Field(
        None,
        description=(
            "Persons whose accounts neither e-mail nor name connects: name, then for each "
            "connection the account id or e-mail."
        ),
        examples=["{Ana Silva: {jira: ana@example.com, asana: '1201'}}"],
    )
    items: dict[Level, LevelBlock] | None = Field(
        None, description="The levels of the roadmap and where their items live."
    )
    fields: dict[Name, FieldBlock] | None = Field(None, description="What is kept in step.")
    pages: list[PageBlock] | None = Field(None, description="Pages that syncd keeps up to date.")
    limits: LimitsBlock | None = Field(None, description="When to stop and ask.")
