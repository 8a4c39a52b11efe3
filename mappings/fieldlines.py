"""Reading `fields:`: what is kept in step, who decides, and where it is held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.check import no_connection
from mappings.model import CellLine, FieldLine, Named
from mappings.positions import Document, Path_
from mappings.problems import Problems, did_you_mean, quoted
from mappings.schema import CellBlock, FieldBlock
from mappings.shape import is_mapping, validate
from syncd.core.fields import CATALOGUE, LEVELS, STATUSES, FieldType
from syncd.core.rules import MERGE, SHARED, RollupSpec

POINTERS = ("url", "key")
"""Derived fields that point into a connection, named by `of:`."""


class FieldReader:
    """Reads the block of one field."""

    def __init__(
        self, document: Document, name: str, kinds: Mapping[str, str], problems: Problems
    ) -> None:
        self._document = document
        self._name = name
        self._kinds = kinds
        self._problems = problems
        self._path: Path_ = ("fields", name)
        spec = CATALOGUE.get(name)
        self._derived = spec is not None and spec.derived

    def read(self, data: Any) -> FieldLine | None:  # noqa: ANN401 - any data
        """Return the field; None when it cannot be understood. What is wrong is noted."""
        if self._name == "parent":
            reason = "the parent is named with its level: write `items: LEVEL: parent:`"
            self._problems.add(self._document.key(*self._path), reason)
            return None
        if not is_mapping(self._document, self._path, data, self._problems):
            return None
        self._unknown_keys(data)
        options = {key: value for key, value in data.items() if key in FieldBlock.model_fields}
        block = validate(FieldBlock, options, self._document, self._path, self._problems)
        type_ = self._type(data)
        cells = [
            self._cell(connection, value, type_)
            for connection, value in data.items()
            if connection in self._kinds and connection not in options
        ]
        understood = [cell for cell in cells if cell is not None]
        if block is None or type_ is None or len(understood) < len(cells):
            return None
        return FieldLine(
            name=self._name,
            type=type_,
            place=self._document.key(*self._path),
            derived=self._derived,
            owner=self._owner(block.owner, data),
            on_conflict=self._on_conflict(block.on_conflict, type_, data),
            rollup=self._rollup(block),
            of=self._of(block),
            levels=tuple(block.levels) if block.levels else LEVELS,
            cells={cell.connection: cell for cell in understood},
        )

    def _key(self, *path: str) -> Any:  # noqa: ANN401
        return self._document.key(*self._path, *path)

    def _unknown_keys(self, data: Mapping[str, Any]) -> None:
        known = [*FieldBlock.model_fields, *self._kinds]
        for key in data:
            if key not in known:
                reason = f"{quoted(key)} is neither a key nor a connection: "
                self._problems.add(self._key(key), reason + did_you_mean(key, known))

    def _type(self, data: Mapping[str, Any]) -> FieldType | None:
        spec, written = CATALOGUE.get(self._name), data.get("type")
        if spec is not None:
            if written is not None:
                reason = f"the type of {quoted(self._name)} is known ({spec.type}): remove `type`"
                self._problems.add(self._key("type"), reason)
            return spec.type
        if written is None:
            advice = did_you_mean(self._name, CATALOGUE)
            advice = advice if advice.startswith("did") else ""
            reason = f"unknown field {quoted(self._name)}: {advice} "
            reason += "For a field of your own write its type, such as `type: text`"
            self._problems.add(self._key(), reason.replace(":  ", ": "))
            return None
        return FieldType(written) if written in set(FieldType) else None

    def _owner(self, owner: Any, data: Mapping[str, Any]) -> dict[str, str]:  # noqa: ANN401
        """Return the owner of each level, as far as written."""
        if owner is None:
            return {}
        if self._derived:
            reason = f"{quoted(self._name)} is computed by syncd, nobody owns it: remove `owner`"
            self._problems.add(self._key("owner"), reason)
            return {}
        if not isinstance(owner, dict):
            place = self._document.place(*self._path, "owner")
            return dict.fromkeys(LEVELS, owner) if self._is_owner(owner, place, data) else {}
        found = {}
        for level, name in owner.items():
            if level not in LEVELS:
                reason = f"unknown level {quoted(level)}: {did_you_mean(level, LEVELS)}"
                self._problems.add(self._key("owner", level), reason)
            elif self._is_owner(name, self._document.place(*self._path, "owner", level), data):
                found[level] = name
        return found

    def _is_owner(self, owner: Any, place: Any, data: Mapping[str, Any]) -> bool:  # noqa: ANN401
        holders = self._holders(data)
        if owner == SHARED or (isinstance(owner, str) and owner in holders):
            return True
        if isinstance(owner, str) and owner in self._kinds:
            reason = (
                f"{quoted(owner)} owns {quoted(self._name)} but does not hold it: "
                f"add the line `{owner}: FIELD`, or let another connection own it"
            )
        else:
            advice = did_you_mean(str(owner), [*holders, SHARED])
            reason = f"{quoted(str(owner))} cannot own a field: {advice}"
        self._problems.add(place, reason)
        return False

    def _holders(self, data: Mapping[str, Any]) -> list[str]:
        """Return the connections that hold the field; the title is held everywhere."""
        return [name for name in self._kinds if name in data or self._name == "title"]

    def _on_conflict(self, wanted: str, type_: FieldType, data: Mapping[str, Any]) -> str:
        words = ["ask", *self._holders(data)]
        if type_ is FieldType.RICH_TEXT:
            words.insert(1, MERGE)
        if wanted not in words:
            reason = f"{quoted(wanted)} cannot decide here: {did_you_mean(wanted, words)}"
            if wanted == MERGE:
                reason = f"only descriptions are merged line by line, not {quoted(self._name)}: write `ask`"
            self._problems.add(self._document.place(*self._path, "on_conflict"), reason)
        return wanted

    def _rollup(self, block: FieldBlock) -> RollupSpec | None:
        if block.rollup is None:
            return None
        if not self._derived or self._name in POINTERS:
            derived = [n for n, spec in CATALOGUE.items() if spec.derived and n not in POINTERS]
            reason = f"{quoted(self._name)} is not computed from the items below: remove `rollup`"
            near = did_you_mean(self._name, derived)
            reason += f" ({near})" if near.startswith("did") else ""
            self._problems.add(self._key("rollup"), reason)
        return RollupSpec(block.rollup.of, block.rollup.weight, block.rollup.missing)

    def _of(self, block: FieldBlock) -> str | None:
        if self._name not in POINTERS:
            if block.of is not None:
                reason = "`of` belongs to `url` and `key` only (`rollup: {of: LEVEL}` to a roll-up)"
                self._problems.add(self._key("of"), reason + ": remove it")
            return None
        if block.of is None:
            reason = f"{quoted(self._name)} points into a connection: write `of: CONNECTION`"
            self._problems.add(self._key(), reason)
        elif block.of not in self._kinds:
            place = self._document.place(*self._path, "of")
            self._problems.add(place, no_connection(block.of, self._kinds))
        return block.of

    def _cell(self, connection: str, data: Any, type_: FieldType | None) -> CellLine | None:  # noqa: ANN401
        path = (*self._path, connection)
        place = self._document.key(*path)
        if isinstance(data, str) and data:
            return CellLine(connection, Named(data, self._document.place(*path)), place)
        if not isinstance(data, dict):
            where = self._document.place(*path)
            reason = "the name of a field is expected here: write `FIELD` or `{field: FIELD, ...}`"
            self._problems.add(where, reason)
            return None
        block = validate(CellBlock, data, self._document, path, self._problems)
        if block is None:
            return None
        remote = self._remote(block, path)
        if remote is None and self._name != "title":
            return None
        return CellLine(
            connection=connection,
            remote=remote,
            place=place,
            values=self._values(block, path, type_),
            create_options=block.create_options,
            write=block.write,
            levels=tuple(block.levels) if block.levels else LEVELS,
        )

    def _remote(self, block: CellBlock, path: Path_) -> Named | None:
        if block.field is not None and block.property is not None:
            reason = "`field` and `property` mean the same: write one of them"
            self._problems.add(self._document.key(*path, "property"), reason)
        for key in ("field", "property"):
            name = getattr(block, key)
            if name is not None:
                return Named(name, self._document.place(*path, key))
        if self._name != "title":
            self._problems.add(self._document.key(*path), "no field is named: write `field: NAME`")
        return None

    def _values(
        self, block: CellBlock, path: Path_, type_: FieldType | None
    ) -> dict[str, tuple[str, Any]] | None:
        if block.values is None:
            return None
        path = (*path, "values")
        found: dict[str, tuple[str, Any]] = {}
        folded: dict[str, str] = {}
        for word, meaning in block.values.items():
            other = folded.setdefault(word.casefold(), word)
            if other is not word:
                line = self._document.key(*path, other).line
                reason = f"{quoted(word)} is already written in line {line} as {quoted(other)}"
                self._problems.add(
                    self._document.key(*path, word), f"{reason}: keep one of the two"
                )
            place = self._document.place(*path, word)
            if type_ is FieldType.STATUS and meaning not in STATUSES:
                reason = f"{quoted(meaning)} is no status: {did_you_mean(meaning, STATUSES)}"
                self._problems.add(place, reason)
            found[word] = (meaning, self._document.key(*path, word))
        if type_ not in (None, *_WITH_VALUES):
            reason = f"a {type_} has no list of values: remove `values`"
            self._problems.add(self._document.key(*path), reason)
        return found


_WITH_VALUES = (FieldType.STATUS, FieldType.SELECT, FieldType.MULTI_SELECT)
