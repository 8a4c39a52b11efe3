"""What the services offer: asked for once a day, remembered, and held against the mapping's names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

from mappings.model import Mapping as MappingFile
from mappings.resolve import namesakes
from syncd.core.errors import SourceError
from syncd.core.model import Notice
from syncd.core.people import Directory, Person, match_people
from syncd.core.ports import Adapter, Clock, Store
from syncd.core.records import Account, Container, FieldKind, Option, RemoteField, Schema
from syncd.core.rules import Roadmap
from syncd.core.values import digest
from syncd.engine.context import PENDING, RESURVEY
from syncd.engine.fetch import read_anew

SCHEMAS = "schemas"
PEOPLE = "people"
MAPPING = "mapping"
SCHEMA_AGE = 86_400.0
"""Seconds after which the services are asked again what they offer."""


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


def discover(
    mapping: MappingFile, adapters: Mapping[str, Adapter]
) -> tuple[dict[str, Schema], dict[str, SourceError]]:
    """Ask every service what it offers, side by side; returns the answers and who did not give one."""
    schemas: dict[str, Schema] = {}

    def asking(name: str) -> Callable[[], None]:
        def task() -> None:
            schemas[name] = adapters[name].discover(mapping.containers(name))

        return task

    errors = {}
    for name, error in side_by_side({name: asking(name) for name in adapters}).items():
        if isinstance(error, SourceError):
            errors[name] = error
        elif error is not None:
            raise error
    return {name: schemas[name] for name in adapters if name in schemas}, errors


def ask(
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
    known = stored_schemas(store)
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
        return known, stored_people(store), {}, False
    found, errors = discover(mapping, adapters)
    found = {
        name: _without_namesakes(store, clock, schema, wanted[name])
        for name, schema in found.items()
    }
    left_out = {name: error for name, error in errors.items() if name not in known}
    schemas = {
        name: found.get(name) or known[name] for name in wanted if name in {**known, **found}
    }
    if not errors or not known:
        accounts = {name: schema.people for name, schema in schemas.items()}
        directory = match_people(accounts, mapping.declared_people())
    else:
        directory = stored_people(store)  # never regroup people on half of the evidence
    return schemas, directory, left_out, True


def _without_namesakes(store: Store, clock: Clock, schema: Schema, names: Iterable[str]) -> Schema:
    """Stay with the container in use when another of the same name appears beside it, and say so."""
    used = {c.id for c in schema.containers if store.cursor(schema.connection, c.id).sweep}
    subject, told = f"namesake:{schema.connection}", []
    for text in names:
        kept, strangers = namesakes(schema, used, text)
        if not strangers:
            continue
        sentence = (
            f"{schema.connection} has {len(strangers) + 1} places named {text!r}: syncd goes on with "
            f"{kept}, which it has been using, and leaves {' and '.join(strangers)} alone; rename one "
            f"of them, or write the id into the mapping"
        )
        told.append(Notice("namesake", subject, text, sentence, clock.now()))
        containers = tuple(c for c in schema.containers if c.id not in strangers)
        schema = replace(schema, containers=containers)
    store.replace_notices(subject, told)
    return schema


def remember(
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
        store.save_document(SCHEMAS, {name: plain(each) for name, each in schemas.items()})
        store.save_document(PEOPLE, _plain_people(directory))
        store.save_document(MAPPING, {**note, **surveyed})
        store.save_document(RESURVEY, value=False)


def note_mapping(store: Store, roadmap: Roadmap, schemas: Mapping[str, Schema]) -> None:
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
        read_anew(store, roadmap)
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


def plain(schema: Schema) -> dict[str, object]:
    """Return a schema as JSON-able data, without e-mails: no personal data at rest."""
    data = asdict(replace(schema, people=(), me=replace(schema.me, email=None)))
    return dict(data)


def stored_schemas(store: Store) -> dict[str, Schema]:
    """Return what the services offered when they were last asked, by connection."""
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


def stored_people(store: Store) -> Directory:
    """Return who is who, as it was found when the services were last asked."""
    data = store.document(PEOPLE)
    if not isinstance(data, dict):
        return Directory()
    persons = tuple(Person(**each) for each in data["persons"])
    return Directory(persons, tuple(data["ambiguous"]))
