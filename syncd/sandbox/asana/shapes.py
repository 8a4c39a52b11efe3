"""What an answer shows of an object: compact, full, or what `opt_fields` names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from syncd.sandbox.asana.entities import Entity, Ref
from syncd.sandbox.asana.store import Store

Getter = Callable[["View", Any], Any]
Selection = dict[str, "Selection"]  # by field; an empty one means: no further choice
COMPACT = ("gid", "name", "resource_type")
ABSENT: Any = object()  # returned by a getter whose field this very object does not have
GROUP = re.compile(r"\(([^()]*)\)")


class Shape:
    """The fields of one resource: how to read each, which are compact, which only on request."""

    def __init__(
        self,
        getters: Mapping[str, Getter],
        *,
        compact: Iterable[str] = COMPACT,
        opt_in: Iterable[str] = (),
        whole: bool = False,
    ) -> None:
        self.getters = {"gid": _gid, "resource_type": _kind, **getters}
        self.compact = tuple(compact)
        self.full = tuple(name for name in self.getters if name not in set(opt_in))
        self.whole = whole  # named without subfields: shown compact, not as a bare reference


def _gid(_view: View, thing: Any) -> str:  # noqa: ANN401
    return str(thing.gid)


def _kind(_view: View, thing: Any) -> str:  # noqa: ANN401
    return str(thing.KIND)


def plain(name: str) -> Getter:
    """Return a getter of an attribute that is JSON already."""
    return lambda _view, thing: getattr(thing, name)


def ref(name: str) -> Getter:
    """Return a getter that follows a gid."""
    return lambda view, thing: view.find(getattr(thing, name))


def refs(name: str) -> Getter:
    """Return a getter that follows gids; those that no longer exist are left out."""
    return lambda view, thing: view.find_all(getattr(thing, name))


SHAPES: dict[str, Shape] = {}


class View:
    """Renders objects for one caller."""

    __slots__ = ("base_url", "store", "user")

    def __init__(self, store: Store, user: str, base_url: str) -> None:
        self.store = store
        self.user = user
        self.base_url = base_url

    def find(self, gid: str | None) -> Entity | None:
        """Return the object of a gid."""
        return self.store.objects.get(gid) if gid else None

    def find_all(self, gids: Iterable[str]) -> list[Entity]:
        """Return the objects of gids, without those that are gone."""
        objects = self.store.objects
        return [objects[gid] for gid in gids if gid in objects]

    def compact(self, thing: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the short record."""
        shape = SHAPES[thing.KIND]
        return self._record(shape, thing, shape.compact)

    def full(self, thing: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the whole record, without the fields that must be asked for."""
        shape = SHAPES[thing.KIND]
        return self._record(shape, thing, shape.full)

    def _record(self, shape: Shape, thing: Any, names: Iterable[str]) -> dict[str, Any]:  # noqa: ANN401
        getters = shape.getters
        return {
            name: self.nested(value)
            for name in names
            if (value := getters[name](self, thing)) is not ABSENT
        }

    def nested(self, value: Any) -> Any:  # noqa: ANN401
        """Return a value with the objects in it compact."""
        if isinstance(value, Ref):
            value = self.find(value.gid)
        if hasattr(value, "KIND"):
            return self.compact(value)
        if isinstance(value, list):
            return [self.nested(item) for item in value]
        if isinstance(value, dict):
            return {name: self.nested(item) for name, item in value.items()}
        return value

    def chosen(self, thing: Any, selection: Selection) -> dict[str, Any]:  # noqa: ANN401
        """Return the gid and the selected fields; a field that does not exist is ignored."""
        shape = SHAPES[thing.KIND]
        out: dict[str, Any] = {"gid": thing.gid}
        for name, inner in selection.items():
            if name == "*":
                out.update(self.full(thing))
            elif (getter := shape.getters.get(name)) is not None:
                value = getter(self, thing)
                if value is not ABSENT:
                    out[name] = self.pick(value, inner)
        return out

    def pick(self, value: Any, selection: Selection) -> Any:  # noqa: ANN401
        """Return what a selection takes of a value."""
        if isinstance(value, Ref):
            value = self.find(value.gid)
        if hasattr(value, "KIND"):
            return self.chosen(value, selection) if selection else self._bare(value)
        if isinstance(value, list):
            return [self.pick(item, selection) for item in value]
        if isinstance(value, dict):
            wanted = selection or {name: {} for name in value}
            if "*" in wanted:
                return self.nested(value)
            return {
                name: self.pick(value[name], inner)
                for name, inner in wanted.items()
                if name in value
            }
        return value

    def _bare(self, thing: Any) -> dict[str, Any]:  # noqa: ANN401
        if SHAPES[thing.KIND].whole:
            return self.compact(thing)
        return {"gid": thing.gid, "resource_type": thing.KIND}

    def show(self, thing: Any, selection: Selection | None, *, full: bool) -> dict[str, Any]:  # noqa: ANN401
        """Return the record asked for."""
        if selection is not None:
            return self.chosen(thing, selection)
        return self.full(thing) if full else self.compact(thing)


@lru_cache(maxsize=512)
def parse_fields(text: str) -> Selection:
    """Parse `opt_fields`: names and paths with dots, `this.` in front, groups `(a|b)`."""
    root: Selection = {}
    for path in text.split(","):
        for one in _spread(path.strip()):
            here = root
            for part in one.removeprefix("this.").split("."):
                if part:
                    here = here.setdefault(part, {})
    return root


def _spread(path: str) -> list[str]:
    match = GROUP.search(path)
    if match is None:
        return [path]
    head, tail = path[: match.start()], path[match.end() :]
    return [
        whole for part in match[1].split("|") for whole in _spread(f"{head}{part.strip()}{tail}")
    ]
