"""The service configuration, syncd.yaml: connections, where secrets come from, state, intervals.

    mapping: roadmap.yaml               a file, or a list of files
    state: {path: .syncd/state.db}
    interval: 60s
    full_read_every: 24h
    connections:
      jira: {type: jira, url: ..., email: ..., token: {file: secrets/jira}}

Relative paths start from the file's own directory. Reference: docs/reference/configuration.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel

from mappings.positions import Document, read
from mappings.problems import Problems, did_you_mean, quoted
from mappings.schema import FieldBlock, PageBlock
from mappings.shape import is_mapping, validate
from syncd.core.errors import ConfigError, Place
from syncd.core.rules import DERIVED, MERGE, SHARED
from syncd.secrets import SecretSource

KEYS = ("mapping", "state", "interval", "full_read_every", "connections")
SOURCES = ("file", "env", "credential")
RESERVED = frozenset(
    {*FieldBlock.model_fields, *PageBlock.model_fields, "parent", "ask", "any", "none"}
    | {SHARED, DERIVED, MERGE}
)
"""Words of the mapping language, which cannot be names of connections."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured account or site. `settings` is what its adapter is configured with."""

    name: str
    kind: str
    settings: BaseModel
    token: SecretSource
    place: Place


@dataclass(frozen=True, slots=True)
class Config:
    """The service configuration; all paths are usable as they are, times are in seconds."""

    path: Path
    state: Path
    mapping: tuple[Path, ...]
    interval: float
    full_read_every: float
    connections: Mapping[str, Connection]

    @property
    def directory(self) -> Path:
        """Return what relative paths, also those of secrets, start from."""
        return self.path.parent

    @property
    def index_lags(self) -> dict[str, float]:
        """Return how many seconds each service's search may be behind its writes."""
        return {
            name: float(getattr(connection.settings, "index_lag", 0.0))
            for name, connection in self.connections.items()
        }

    @property
    def kinds(self) -> dict[str, str]:
        """Return the kind of each connection, in the order written."""
        return {name: connection.kind for name, connection in self.connections.items()}


def load(path: Path) -> Config:
    """Read syncd.yaml; raises ConfigError with every problem and its place. Opens no secret."""
    document = read(path, ConfigError)
    reader = _Reader(document, path.parent)
    config = reader.config(path)
    reader.problems.check(ConfigError)
    return config


def duration(text: str) -> float | None:
    """Return the seconds of a time such as 60s, 5m, 24h or 1.5d; None when it is not one."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd])", text.strip())
    return float(found[1]) * _SECONDS[found[2]] if found else None


class _Reader:
    """Reads one document; what is wrong is noted in `problems`."""

    def __init__(self, document: Document, directory: Path) -> None:
        self.problems = Problems()
        self._document = document
        self._directory = directory
        self._data: dict[str, Any] = {}

    def config(self, path: Path) -> Config:
        data = self._document.data
        if data is None or data == {}:
            reason = "the file is empty: write at least `mapping:` and `connections:`"
            self.problems.add(Place(self._document.file, 1), reason)
        elif is_mapping(self._document, (), data, self.problems):
            self._data = cast("dict[str, Any]", data)
            self._known(self._data, KEYS)
            self._required()
        return Config(
            path=path,
            state=self._state(),
            mapping=self._mapping(),
            interval=self._time("interval", 60.0, least=1.0),
            full_read_every=self._time("full_read_every", 86400.0, least=60.0),
            connections=self._connections(),
        )

    def _known(self, data: Mapping[str, Any], keys: tuple[str, ...], *path: str) -> None:
        for key in data:
            if key not in keys:
                reason = f"unknown key {quoted(key)}: {did_you_mean(key, keys)}"
                self.problems.add(self._document.key(*path, key), reason)

    def _required(self) -> None:
        for key in ("mapping", "connections"):
            if not self._data.get(key):
                place = self._document.key(key)
                self.problems.add(place, f"`{key}:` is missing or empty: add it")

    def _state(self) -> Path:
        data = self._data.get("state", {})
        name: object = ".syncd/state.db"
        if is_mapping(self._document, ("state",), data, self.problems):
            self._known(data, ("path",), "state")
            name = data.get("path", name)
        return self._path(name, "state", "path")

    def _path(self, name: object, *path: str | int) -> Path:
        if not isinstance(name, str) or not name:
            self.problems.add(self._document.place(*path), "the path of a file is expected here")
            return self._directory
        return self._directory / Path(name).expanduser()

    def _mapping(self) -> tuple[Path, ...]:
        data = self._data.get("mapping")
        if isinstance(data, list):
            return tuple(self._path(one, "mapping", index) for index, one in enumerate(data))
        return (self._path(data, "mapping"),) if data else ()

    def _time(self, key: str, otherwise: float, *, least: float) -> float:
        if key not in self._data:
            return otherwise
        value = self._data[key]
        seconds = duration(value) if isinstance(value, str) else None
        if seconds is None:
            reason = "a time with its unit is expected here: write it like 60s, 5m or 24h"
            self.problems.add(self._document.place(key), reason)
            return otherwise
        if seconds < least:
            reason = f"{quoted(value)} is too short: write at least {least:g}s"
            self.problems.add(self._document.place(key), reason)
        return seconds

    def _connections(self) -> dict[str, Connection]:
        data = self._data.get("connections")
        if not data or not is_mapping(self._document, ("connections",), data, self.problems):
            return {}
        found = {name: self._connection(name, block) for name, block in data.items()}
        return {name: connection for name, connection in found.items() if connection is not None}

    def _connection(self, name: str, block: Any) -> Connection | None:  # noqa: ANN401 - any data
        path = ("connections", name)
        place = self._document.key(*path)
        if name in RESERVED:
            reason = f"{quoted(name)} is a word of the mapping language: choose another name"
            self.problems.add(place, reason)
        elif not _NAME.fullmatch(name):
            reason = f"{quoted(name)} cannot name a connection: use a-z, 0-9, - and _ only"
            self.problems.add(place, reason)
        if not is_mapping(self._document, path, block, self.problems):
            return None
        token = self._token(block.get("token"), name)
        settings = self._settings(block, name)
        if token is None or settings is None:
            return None
        return Connection(name, str(block["type"]), settings, token, place)

    def _settings(self, block: Mapping[str, Any], name: str) -> BaseModel | None:
        """Let the adapter of this type check its own keys."""
        from adapters import registry  # noqa: PLC0415 - imports no adapter before it is needed

        kind = block.get("type")
        if not isinstance(kind, str) or kind not in registry.kinds():
            place = self._document.place("connections", name, "type")
            advice = did_you_mean(str(kind or ""), registry.kinds())
            shown = "the tool is not named" if kind is None else f"no tool is {quoted(str(kind))}"
            self.problems.add(place, f"{shown} (`type`): {advice}")
            return None
        model = registry.config_model(kind)
        own = {key: value for key, value in block.items() if key not in ("type", "token")}
        return validate(
            model, own, self._document, ("connections", name), self.problems, also=("type", "token")
        )

    def _token(self, data: Any, name: str) -> SecretSource | None:  # noqa: ANN401 - any data
        path = ("connections", name, "token")
        place = self._document.place(*path)
        how = "`token: {file: PATH}`, `{credential: NAME}` or `{env: NAME}`"
        if data is None:
            self.problems.add(place, f"it is not said where the token is: write {how}")
            return None
        if not isinstance(data, dict):
            reason = "a token must not stand in this file, for it is copied and shared: "
            self.problems.add(place, f"{reason}revoke it, keep a new one in a file, write {how}")
            return None
        self._known(data, SOURCES, *path)
        sources = [key for key in data if key in SOURCES]
        value = data[sources[0]] if len(sources) == 1 else None
        if not isinstance(value, str) or not value:
            if len(sources) == len(data) or len(sources) > 1:
                self.problems.add(place, f"one source of the token is expected here: write {how}")
            return None
        kind = cast("Literal['file', 'env', 'credential']", sources[0])
        return SecretSource(kind, value, self._document.place(*path, kind))
