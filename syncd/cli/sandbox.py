"""`syncd sandbox`: local stand-ins for Jira, Asana and Notion."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.core.errors import UserError

if TYPE_CHECKING:
    from syncd.sandbox.services import Sandbox

app = typer.Typer(help="Local stand-ins for Jira, Asana and Notion.", rich_markup_mode=None)

MISSING = "the sandbox needs the packages of `pip install 'syncd[sandbox]'`; install them"


@app.command("serve")
def serve(  # noqa: PLR0913, PLR0917 - options
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")
    ] = 8765,
    load: Annotated[
        str,
        typer.Option("--load", help="demo, empty, or a JSON Lines file (.gz) of Jira issues."),
    ] = "demo",
    wire_log: Annotated[
        Path | None, typer.Option("--wire-log", help="Write every exchange here, as JSON Lines.")
    ] = None,
    faults: Annotated[
        Path | None, typer.Option("--faults", help="A JSON file of faults to inject.")
    ] = None,
    latency: Annotated[
        float, typer.Option("--latency", min=0, help="Milliseconds every answer takes.")
    ] = 0,
    write_config: Annotated[
        Path | None,
        typer.Option(
            "--write-config",
            help="Write a syncd.yaml with credentials and a mapping for this sandbox here.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same ids.")] = 1,
    limits: Annotated[
        float | None,
        typer.Option(
            "--limits",
            min=0,
            metavar="SCALE",
            help="Keep the services' rate limits: 1 as they are, 0.1 a tenth. Off if not given.",
        ),
    ] = None,
    generate: Annotated[
        int | None,
        typer.Option(
            "--generate",
            min=1,
            max=1_000_000,
            metavar="ITEMS",
            help="Grow the demonstration company to so many Jira issues, instead of --load.",
        ),
    ] = None,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            "--state-dir",
            help="Keep everything here across restarts; --load and --generate fill it at first.",
        ),
    ] = None,
    tls: Annotated[
        Path | None,
        typer.Option(
            "--tls", help="Serve https; ca.pem, to be trusted, is written to this folder."
        ),
    ] = None,
) -> None:
    """Serve the three stand-ins until stopped.

    The first line on stdout is JSON with the address and credentials of each. With --load FILE the
    issues are in Jira, and Asana and Notion hold an empty project and database named Roadmap.
    """
    with needed():
        from syncd.sandbox import server
    filling = Filling(load, generate, state_dir)
    sandbox = make(filling, seed=seed, wire_log=wire_log, latency=latency, faults=faults)
    sandbox.limits.set(limits)

    def started(url: str) -> None:
        credentials = sandbox.credentials(url)
        if write_config is not None:
            write(write_config, credentials, mapping_for(load))
        print(json.dumps(credentials), flush=True)
        if tls is not None:
            typer.echo(f"clients must trust {tls / 'ca.pem'}", err=True)

    try:
        with needed():
            server.serve(sandbox, port=port, started=started, state_dir=state_dir, tls=tls)
    except OSError as error:
        raise UserError(str(error.strerror or error)) from None
    except ValueError as error:
        raise UserError(str(error)) from None
    except KeyboardInterrupt:
        return


@app.command("faults")
def faults() -> None:
    """List the faults that can be switched on by id, with their variants.

    Give them to `serve --faults FILE` or POST them to /_sandbox/faults: a JSON list of objects with id
    and, if wanted, variant, service, method, path, rate, seed, after, count, lasts and with.
    """
    from syncd.sandbox.catalogue import ENTRIES, NOT_OFFERED

    for entry in ENTRIES:
        print(f"{entry.id:4} {entry.sentence}")
        print(f"     {', '.join(entry.services)}: {entry.how}")
        if variants := entry.variant_names():
            print(f"     variants: {', '.join(variants)}")
    print("\nNot offered, for no service and no network causes them:")
    for name, reason in NOT_OFFERED.items():
        print(f"{name:6} {reason}")


@dataclass(frozen=True, slots=True)
class Filling:
    """What the stand-ins hold at the start: a kept state, else generated items, else `load`."""

    load: str = "demo"
    generate: int | None = None
    state_dir: Path | None = None


@contextlib.contextmanager
def needed() -> Iterator[None]:
    """Turn a missing optional package into one sentence."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UserError(f"{MISSING} ({error.name} is missing)") from None


def make(
    filling: str | Filling,
    *,
    seed: int = 1,
    wire_log: Path | None = None,
    latency: float = 0,
    faults: Path | None = None,
) -> Sandbox:
    """Return the stand-ins, filled as asked; raises UserError when that cannot be done."""
    with needed():
        from syncd.sandbox.services import Sandbox

    filling = Filling(filling) if isinstance(filling, str) else filling
    try:
        sandbox = Sandbox(seed=seed, latency=latency / 1000, wire_log=wire_log)
        if faults is not None:
            sandbox.faults.load(faults)
        fill(sandbox, filling)
    except (OSError, ValueError) as error:
        raise UserError(f"{error}") from None
    return sandbox


def fill(sandbox: Sandbox, filling: Filling) -> None:
    """Put in what the stand-ins hold at the start; raises ValueError, OSError, UserError."""
    from syncd.sandbox import keeping
    from syncd.sandbox.seeds import generate, seed_demo, seed_people, seed_starter, share_people

    services = sandbox.jira, sandbox.asana, sandbox.notion
    load = filling.load
    if filling.state_dir is not None and keeping.has_state(filling.state_dir):
        keeping.load(sandbox, filling.state_dir)
    elif filling.generate is not None:
        generate(*services, sandbox.clock, items=filling.generate, seed=sandbox.seed)
    elif load == "demo":
        seed_demo(*services, sandbox.clock, seed=sandbox.seed)
    elif load == "empty":
        seed_people(*services)
        seed_starter(sandbox.asana, sandbox.notion)
    elif Path(load).is_file():
        sandbox.jira.load_issues(Path(load))
        share_people(*services)
        seed_starter(sandbox.asana, sandbox.notion)
    else:
        raise UserError(f"--load {load}: there is no such file; write demo, empty or a file's path")


def mapping_for(load: str) -> Path:
    """Return the starter mapping that fits what was loaded."""
    import mappings

    rules = Path(str(mappings.__file__)).parent / "rules"
    return rules / ("demo.yaml" if load == "demo" else "titanium.yaml")


def write(
    directory: Path,
    credentials: Mapping[str, Mapping[str, str]],
    mapping: Path,
    interval: str = "5s",
) -> Path:
    """Write syncd.yaml, the mapping and the credentials into a folder; returns the configuration.

    Pacing is off: the stand-ins are ours alone. A mapping that is there already is kept.
    """
    secrets = directory / "secrets"
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = ["mapping: roadmap.yaml", f"interval: {interval}", "connections:"]
    for name, each in credentials.items():
        token = secrets / name
        token.touch(mode=0o600)
        token.write_text(each["token"], "utf8")
        lines += [f"  {name}:", f"    type: {name}", f"    url: {each['url']}"]
        if "email" in each:
            lines += [f"    email: {each['email']}", "    index_lag: 0"]
        lines += [
            f"    token: {{file: secrets/{name}}}",
            "    requests_per_second: 5000",
            "    burst: 5000",
        ]
    roadmap = directory / "roadmap.yaml"
    if not roadmap.exists():
        text = mapping.read_text("utf8").replace("$schema=../schema.json", "$schema=schema.json")
        roadmap.write_text(text, "utf8")
        (directory / "schema.json").write_text(
            (mapping.parent.parent / "schema.json").read_text("utf8"), "utf8"
        )
    config = directory / "syncd.yaml"
    config.write_text("\n".join(lines) + "\n", "utf8")
    return config
