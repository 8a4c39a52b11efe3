"""Puts the parts together: configuration, secrets, adapters, schemas, mapping, state.

A `System` is what the daemon and the commands work with. What the services offer is kept in the state
(without anybody's e-mail), so that a cycle at rest costs one list call for each scope and nothing else.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
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
from syncd.core.people import Directory, Person, match_people
from syncd.core.ports import Adapter, Clock, Publisher, Store
from syncd.core.records import Account, Container, FieldKind, Option, RemoteField, Schema
from syncd.core.rules import Roadmap
from syncd.core.values import digest
from syncd.engine.context import PENDING, RESURVEY, Context, Progress, silent

SCHEMAS = "schemas"
PEOPLE = "people"
MAPPING = "mapping"
HOT = 90.0
"""Seconds after a person's edit in which shared cells of the item are left alone (rule P8)."""
SCHEMA_AGE = 86_400.0
"""Seconds after which the services are asked again what they offer."""


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
        known = _stored_schemas(self.store)
        schemas, self.directory, self.errors, asked = _survey(
            self.store, self.clock, self.mapping, self.adapters, fresh=fresh
        )
        try:
            self.roadmap = mappings.compile.bind(self.mapping, schemas, partial=bool(self.errors))
        except MappingError as misfit:
            schemas = self._as_known(schemas, known, misfit)
        else:
            if asked:
                _remember(
                    self.store, self.clock, self.mapping, schemas, self.directory, self.errors
                )
        for name, schema in schemas.items():
            self.adapters[name].recall(schema)
            self.accounts[name] = schema.me.id
        _note_mapping(self.store, self.roadmap, schemas)

    def _as_known(
        self, schemas: Mapping[str, Schema], known: dict[str, Schema], misfit: MappingError
    ) -> dict[str, Schema]:
        """Go on with what the services offered before; those that have changed are left out."""
        try:
            self.roadmap = mappings.compile.bind(self.mapping, known, partial=bool(self.errors))
        except MappingError:
            raise misfit from None  # it is the mapping that is wrong
        self.directory = _stored_people(self.store)
        for name, schema in schemas.items():
            if name in known and _plain(schema) != _plain(known[name]):
                self.errors[name] = Rejected(name, _first(misfit))
        return known

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


def side_by_side(
    tasks: Mapping[str, Callable[[], None]],
) -> dict[str, BaseException | None]:
    """Run one task for each connection in a thread of its own."""
    if len(tasks) <= 1:
        return {name: _outcome(task) for name, task in tasks.items()}
    with ThreadPoolExecutor(len(tasks), thread_name_prefix="connection") as pool:
        return dict(zip(tasks, pool.map(_outcome, tasks.values()), strict=True))


def _outcome(task: Callable[[], None]) -> BaseException | None:
    try:
        task()
    except Exception as error:  # noqa: BLE001 - the engine decides what each failure means
        return error
    return None


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
    schemas = _stored_schemas(store)
    missing = [name for name in mapping.connections if name not in schemas]
    if len(missing) == len(mapping.connections):
        store.close()
        raise UserError("nothing has been read from the tools yet; run `syncd run --once` first")
    roadmap = mappings.compile.bind(mapping, schemas, partial=bool(missing))
    return System(config, store, SystemClock(), mapping, {}, {}, roadmap, _stored_people(store))


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


def discover(
    mapping: MappingFile, adapters: Mapping[str, Adapter]
) -> tuple[dict[str, Schema], dict[str, SourceError]]:
    """Ask every service what it offers, side by side; returns the answers and who did not give one."""
    schemas: dict[str, Schema] = {}

    def ask(name: str) -> Callable[[], None]:
        def task() -> None:
            schemas[name] = adapters[name].discover(mapping.containers(name))

        return task

    errors = {}
    for name, error in side_by_side({name: ask(name) for name in adapters}).items():
        if isinstance(error, SourceError):
            errors[name] = error
        elif error is not None:
            raise error
    return {name: schemas[name] for name in adapters if name in schemas}, errors


def declared_people(mapping: MappingFile) -> dict[str, dict[str, str]]:
    """Return the mapping's `people`: name -> connection -> account id or e-mail."""
    return {
        name: {connection: account.text for connection, account in accounts.items()}
        for name, accounts in mapping.people.items()
    }


def _survey(
    store: Store,
    clock: Clock,
    mapping: MappingFile,
    adapters: Mapping[str, Adapter],
    *,
    fresh: bool,
) -> tuple[dict[str, Schema], Directory, dict[str, SourceError], bool]:
    """Return what the services offer: as remembered while that is young and complete, else as they say.

    The last value tells whether they were asked.
    """
    known = _stored_schemas(store)
    wanted = {name: list(mapping.containers(name)) for name in mapping.connections}
    noted = store.document(MAPPING)
    note = noted if isinstance(noted, dict) else {}
    young = clock.now() - float(note.get("surveyed_at", 0.0)) < SCHEMA_AGE
    if (
        young
        and not fresh
        and store.document(RESURVEY) is not True
        and note.get("checksum") == mapping.checksum
        and set(known) == set(wanted)
    ):
        return known, _stored_people(store), {}, False
    found, errors = discover(mapping, adapters)
    left_out = {name: error for name, error in errors.items() if name not in known}
    schemas = {
        name: found.get(name) or known[name] for name in wanted if name in {**known, **found}
    }
    if not errors or not known:
        accounts = {name: schema.people for name, schema in schemas.items()}
        directory = match_people(accounts, declared_people(mapping))
    else:
        directory = _stored_people(store)  # never regroup people on half of the evidence
    return schemas, directory, left_out, True


def _remember(
    store: Store,
    clock: Clock,
    mapping: MappingFile,
    schemas: Mapping[str, Schema],
    directory: Directory,
    errors: Mapping[str, SourceError],
) -> None:
    """Keep what the services offer, for the next start."""
    noted = store.document(MAPPING)
    note = noted if isinstance(noted, dict) else {}
    surveyed = {"checksum": mapping.checksum, "surveyed_at": 0.0 if errors else clock.now()}
    with store.transaction():
        store.save_document(SCHEMAS, {name: _plain(each) for name, each in schemas.items()})
        store.save_document(PEOPLE, _plain_people(directory))
        store.save_document(MAPPING, {**note, **surveyed})
        store.save_document(RESURVEY, value=False)


def _note_mapping(store: Store, roadmap: Roadmap, schemas: Mapping[str, Schema]) -> None:
    """When the rules have changed since the last start, read everything again and plan it anew.

    A field that is held in another remote field by now, of the same name or not, counts as having been
    away: that the new one is empty is nobody's word.
    """
    noted = store.document(MAPPING)
    note = dict(noted) if isinstance(noted, dict) else {}
    remotes = {
        f"{level} {connection}": {name: rule.remote for name, rule in rules.items()}
        for (level, connection), rules in roadmap.cells.items()
    }
    bound = digest([roadmap.checksum, sorted(schemas), remotes])
    if note.get("bound") == bound:
        return
    with store.transaction():
        for scope in roadmap.scopes:
            state = store.cursor(scope.connection, scope.id)
            fresh = replace(state, cursor=None, full_at=None)
            if state != fresh:
                store.save_cursor(scope.connection, scope.id, fresh)
        _put_away(store, note.get("remotes"), remotes)
        store.mark_all_dirty()
        store.save_document(PENDING, value=True)
        store.save_document(MAPPING, {**note, "bound": bound, "remotes": remotes})


Remotes = Mapping[str, Mapping[str, str]]
"""The remote field of each field, by "level connection"."""


def _put_away(store: Store, before: object, now: Remotes) -> None:
    """Mark the cells of fields that have got another remote field."""
    known: Remotes = before if isinstance(before, dict) else {}
    for place, fields in now.items():
        level, connection = place.split(" ", 1)
        past = known.get(place, {})
        moved = {name for name, remote in fields.items() if past.get(name, remote) != remote}
        items = [item.id for item in store.items_at([level])] if moved else []
        for records in store.records_of(items).values():
            if (stored := records.get(connection)) is not None:
                cells = {n: replace(c, away=True) for n, c in stored.cells.items() if n in moved}
                store.save_cells(connection, stored.record.id, cells)


def _plain(schema: Schema) -> dict[str, object]:
    """Return a schema as JSON-able data, without e-mails: no personal data at rest."""
    data = asdict(replace(schema, people=(), me=replace(schema.me, email=None)))
    return dict(data)


def _stored_schemas(store: Store) -> dict[str, Schema]:
    data = store.document(SCHEMAS)
    return {n: _schema(each) for n, each in data.items()} if isinstance(data, dict) else {}


def _schema(data: Mapping[str, object]) -> Schema:
    raw: dict[str, list[dict[str, object]]] = data  # type: ignore[assignment]
    return Schema(
        connection=str(data["connection"]),
        me=Account(**data["me"]),  # type: ignore[arg-type]
        containers=tuple(
            Container(**{**c, "kinds": _options(c["kinds"])})  # type: ignore[arg-type]
            for c in raw["containers"]
        ),
        fields=tuple(
            RemoteField(
                **{  # type: ignore[arg-type]
                    **f,
                    "kind": FieldKind(str(f["kind"])),
                    "options": _options(f["options"]),
                    "containers": tuple(f["containers"]),  # type: ignore[arg-type]
                }
            )
            for f in raw["fields"]
        ),
        people=(),
        one_scope=bool(data["one_scope"]),
    )


def _options(data: object) -> tuple[Option, ...]:
    return tuple(Option(**each) for each in data)  # type: ignore[attr-defined]


def _plain_people(directory: Directory) -> dict[str, object]:
    return {
        "persons": [
            {"key": p.key, "name": p.name, "accounts": dict(p.accounts)} for p in directory.persons
        ],
        "ambiguous": list(directory.ambiguous),
    }


def _stored_people(store: Store) -> Directory:
    data = store.document(PEOPLE)
    if not isinstance(data, dict):
        return Directory()
    persons = tuple(Person(**each) for each in data["persons"])
    return Directory(persons, tuple(data["ambiguous"]))
