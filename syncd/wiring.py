"""Puts the parts together: configuration, secrets, adapters, schemas, mapping, state.

A `System` is what the daemon and the commands work with. What the services offer is kept in the state
(without anybody's e-mail), so that a cycle at rest costs one list call for each scope and nothing else.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import mappings.compile
import mappings.load
from adapters import registry
from mappings.model import Mapping as MappingFile
from syncd import logs, secrets
from syncd.clock import SystemClock
from syncd.config import Config, load
from syncd.core.errors import (
    ConfigError,
    MappingError,
    Place,
    Problem,
    Rejected,
    SourceError,
    UserError,
)
from syncd.core.people import Directory
from syncd.core.ports import Adapter, Clock, Publisher, Store
from syncd.core.records import Schema
from syncd.core.rules import Roadmap
from syncd.engine.context import Context, Progress, silent
from syncd.offers import (
    ask,
    note_mapping,
    plain,
    remember,
    side_by_side,
    stored_people,
    stored_schemas,
)

HOT = 90.0
"""Seconds after a person's edit in which shared cells of the item are left alone (rule P8)."""


@dataclass(slots=True)
class System:
    """Everything one installation needs, opened."""

    config: Config
    store: Store
    clock: Clock
    mapping: MappingFile
    adapters: dict[str, Adapter]
    publishers: dict[str, Publisher]
    roadmap: Roadmap
    directory: Directory
    errors: dict[str, SourceError] = field(default_factory=dict)  # who could not be asked, and why
    accounts: dict[str, str] = field(default_factory=dict)  # connection -> the account we work as
    opened: dict[str, float] = field(default_factory=dict)  # see `Context`

    def context(
        self,
        names: Iterable[str] | None = None,
        *,
        progress: Progress = silent,
        stopping: Callable[[], bool] = lambda: False,
        full: bool = False,
        approved: str | None = None,
    ) -> Context:
        """Return what one cycle over these connections works with."""
        wanted = tuple(self.adapters) if names is None else tuple(names)
        context = Context(
            roadmap=self.roadmap,
            store=self.store,
            adapters={name: self.adapters[name] for name in wanted if name not in self.errors},
            directory=self.directory,
            clock=self.clock,
            publishers=self.publishers,
            runner=side_by_side,
            progress=progress,
            stopping=stopping,
            index_lag=self.config.index_lags,
            accounts=self.accounts,
            opened=self.opened,
            full_read_every=self.config.full_read_every,
            hot=HOT,
            full=full,
            approved=approved,
            relearn=self._relearn,
        )
        for name in wanted:
            if name in self.errors:
                context.failed(name, self.errors[name])
        return context

    def _relearn(self) -> tuple[Roadmap, Directory]:
        """Ask the tools what they offer now; what they do not say stays as it was."""
        self.survey(fresh=True)
        return self.roadmap, self.directory

    def survey(self, *, fresh: bool = False) -> None:
        """Ask the services what they offer where that is not known, and bind the mapping anew.

        A service that cannot be asked is left out and named in `errors`, unless an earlier answer of it
        is known; so is one that no longer offers what the mapping names, while the others go on. Raises
        MappingError when the mapping does not fit what is there and never did.
        """
        known = stored_schemas(self.store)
        schemas, self.directory, self.errors, asked = ask(
            self.store, self.clock, self.mapping, self.adapters, fresh=fresh
        )
        try:
            self.roadmap = mappings.compile.bind(self.mapping, schemas, partial=bool(self.errors))
        except MappingError as misfit:
            schemas = self._as_known(schemas, known, misfit)
        else:
            if asked:
                remember(self.store, self.clock, self.mapping, schemas, self.directory, self.errors)
        for name, schema in schemas.items():
            self.adapters[name].recall(schema)
            self.accounts[name] = schema.me.id
        note_mapping(self.store, self.roadmap, schemas)

    def _as_known(
        self, schemas: Mapping[str, Schema], known: dict[str, Schema], misfit: MappingError
    ) -> dict[str, Schema]:
        """Go on with what services offered before, for as few as will do; those are left out."""
        changed = [n for n in schemas if n in known and plain(schemas[n]) != plain(known[n])]
        for count in range(1, len(changed) + 1):
            for names in combinations(changed, count):
                mixed = {**schemas, **{name: known[name] for name in names}}
                if self._misfit(mixed) is None:
                    self.roadmap = mappings.compile.bind(
                        self.mapping, mixed, partial=bool(self.errors)
                    )
                    self.directory = stored_people(self.store)
                    for name in names:
                        alone = self._misfit({**mixed, name: schemas[name]}) or misfit
                        self.errors[name] = Rejected(name, _first(alone))
                    return mixed
        raise misfit  # it is the mapping that is wrong

    def _misfit(self, schemas: Mapping[str, Schema]) -> MappingError | None:
        """Return what of the mapping does not fit what the services offer."""
        try:
            mappings.compile.bind(self.mapping, schemas, partial=bool(self.errors))
        except MappingError as misfit:
            return misfit
        return None

    def reloaded(self, config_path: Path) -> System:
        """Return a system made from the files as they are now, on the same state.

        Raises ConfigError or MappingError and leaves this system as it is when they are wrong.
        """
        config = load(config_path)
        if config.state != self.config.state:
            place = Place(str(config_path), 1)
            raise ConfigError(
                [Problem(place, "the state file cannot change while running: restart instead")]
            )
        mapping = read_mapping(config)
        system = _assemble(config, mapping, self.store, self.clock, fresh=True)
        disconnect(self.adapters)
        return system

    def close(self) -> None:
        """Give everything back."""
        disconnect(self.adapters)
        self.store.close()


def _first(misfit: MappingError) -> str:
    """Return many problems as one sentence: a lost database is named in every line that uses it."""
    first, *more = misfit.problems
    return f"{first}; and {len(more)} more like it, see `syncd check`" if more else str(first)


def open_system(
    config_path: Path,
    open_store: Callable[[Path], Store],
    *,
    clock: Clock | None = None,
    fresh: bool = False,
) -> System:
    """Open an installation for work: read its files, connect, and bind the mapping to what is there.

    `fresh` asks the services again what they offer. A service that cannot be asked is left out and
    named in `System.errors`, unless an earlier answer of it is known. Raises ConfigError,
    MappingError, StateError.
    """
    clock = clock or SystemClock()
    config = load(config_path)
    mapping = read_mapping(config)
    store = open_store(config.state)
    try:
        return _assemble(config, mapping, store, clock, fresh=fresh)
    except BaseException:
        store.close()
        raise


def _assemble(
    config: Config, mapping: MappingFile, store: Store, clock: Clock, *, fresh: bool
) -> System:
    adapters = connect(config, mapping, clock)
    publishers = {
        page.connection: publisher
        for page in mapping.pages
        if (publisher := registry.publisher(adapters[page.connection])) is not None
    }
    nothing = Roadmap(mapping.name, mapping.connections, {}, {}, {}, ())
    system = System(config, store, clock, mapping, adapters, publishers, nothing, Directory())
    system.survey(fresh=fresh)
    return system


def open_reader(config_path: Path, open_store: Callable[[Path], Store]) -> System:
    """Open an installation for reading only: no request is sent, the daemon may go on."""
    config = load(config_path)
    mapping = read_mapping(config)
    store = open_store(config.state)
    schemas = stored_schemas(store)
    missing = [name for name in mapping.connections if name not in schemas]
    if len(missing) == len(mapping.connections):
        store.close()
        raise UserError("nothing has been read from the tools yet; run `syncd run --once` first")
    roadmap = mappings.compile.bind(mapping, schemas, partial=bool(missing))
    return System(config, store, SystemClock(), mapping, {}, {}, roadmap, stored_people(store))


def read_mapping(config: Config) -> MappingFile:
    """Return the mapping of a configuration; raises MappingError with every problem."""
    return mappings.load.load(config.mapping, config.kinds)


def connect(config: Config, mapping: MappingFile, clock: Clock) -> dict[str, Adapter]:
    """Return an adapter for each connection the mapping uses. Sends nothing yet."""
    adapters = {}
    for name in mapping.connections:
        each = config.connections[name]
        credential = secrets.read(each.token, config.directory)
        logs.hide(credential.reveal())
        email = getattr(each.settings, "email", None)
        if email is not None:  # Basic authentication sends both in this form
            logs.hide(base64.b64encode(f"{email}:{credential.reveal()}".encode()).decode())
        adapters[name] = registry.connect(
            each.kind, name, each.settings, secret=credential.reveal, clock=clock
        )
    return adapters


def disconnect(adapters: Mapping[str, Adapter]) -> None:
    """Give back sockets and threads."""
    for adapter in adapters.values():
        with contextlib.suppress(SourceError):
            adapter.close()
