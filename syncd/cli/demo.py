"""`syncd demo`: the whole job on the demonstration company, in one command."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.common import failed, open_state, print_report, progress_bar, say
from syncd.cli.sandbox import make, mapping_for, needed, write
from syncd.cli.tree import print_tree
from syncd.core.errors import SyncdError, UserError

if TYPE_CHECKING:
    from syncd.core.model import CycleReport
    from syncd.sandbox.server import Running
    from syncd.wiring import System

MOST = 6
"""Cycles after which the demonstration gives up waiting for quiet."""


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Run until nothing is left to do, prove it, and exit.")
    ] = False,
    port: Annotated[int, typer.Option("--port", help="For the stand-ins; 0 takes any.")] = 0,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Keep configuration and state here.")
    ] = None,
) -> None:
    """Start stand-ins for Jira, Asana and Notion with a demonstration company, and keep them in step."""
    from syncd import logs

    logs.configure(as_json=False)
    with _home(directory) as home, _sandbox(port) as running:
        credentials = running.sandbox.credentials(running.url)
        config = write(home, credentials, mapping_for("demo"), interval="3s")
        say(f"look at all three, live:  {running.url}/ui/")
        for name, each in credentials.items():
            say(f"{name:<8} {each['url']}")
        if once:
            raise typer.Exit(_once(config))
        _stay(config, running)


@contextmanager
def _home(directory: Path | None) -> Iterator[Path]:
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="syncd-demo-") as made:
            yield Path(made)
        return
    if (directory / ".syncd").exists():
        raise UserError(
            f"{directory} holds the state of an earlier demonstration; name a new folder"
        )
    directory.mkdir(parents=True, exist_ok=True)
    yield directory


@contextmanager
def _sandbox(port: int) -> Iterator[Running]:
    with needed():
        from syncd.sandbox.server import start_in_thread
    try:
        running = start_in_thread(make("demo"), port=port)
    except OSError as error:
        raise UserError(str(error.strerror or error)) from None
    with running:
        yield running


def _once(config: Path) -> int:
    """Run until quiet, show the roadmap, and prove that another cycle writes nothing."""
    from syncd.engine.cycle import run_cycle
    from syncd.wiring import open_system

    with progress_bar() as progress:
        system = open_system(config, open_state)
    try:
        for _ in range(MOST):
            with progress_bar() as progress:
                report = run_cycle(system.context(progress=progress), wait=True)
            print_report(report)
            _show_conflicts(system, report)
            if report.writes == 0:
                break
        say("")
        print_tree(system)
        _show_notices(system)
        say("")
        say("one more cycle, to prove that it writes nothing:")
        report = run_cycle(system.context())
        print_report(report)
        say(f"last cycle: {report.writes} writes")
        return 0 if report.writes == 0 and not system.errors else 1
    finally:
        system.close()


def _show_conflicts(system: System, report: CycleReport) -> None:
    for name in report.tallies:
        mine = [
            conflict
            for conflict in system.store.conflicts()
            if any(claim.connection == name for claim in conflict.claims)
        ]
        if mine:
            say(f"  {name:<10} {len(mine)} left in conflict")


def _show_notices(system: System) -> None:
    notices = system.store.notices()
    if notices:
        say("")
        say("what a person should know:")
    for notice in notices:
        say(f"  {notice.sentence}")


def _stay(config: Path, running: Running) -> None:
    """Run the daemon, show each cycle, and say what to try."""
    from syncd.daemon import Daemon

    first = True

    def after(report: CycleReport) -> None:
        nonlocal first
        if report.writes or first or report.frozen:
            print_report(report)
        if first:
            first = False
            _suggest(config, running)

    daemon = Daemon(config, open_state, after_cycle=after)
    daemon.install_signals()
    try:
        daemon.run()
    except SyncdError as error:
        raise typer.Exit(failed(error)) from None


def _suggest(config: Path, running: Running) -> None:
    """Print three edits, as the people of the company would make them, ready to paste."""
    from syncd.sandbox.seeds.caller import asana_caller, jira_caller, notion_caller
    from syncd.sandbox.seeds.people import token_of

    sandbox, url = running.sandbox, running.url
    me = f"{os.environ.get('SYNCD_PROGRAM', 'syncd')}"
    day = (sandbox.clock.utc().date() + timedelta(days=50)).isoformat()
    email, token = "priya@northwind.example", token_of("jira", "priya")
    jira = jira_caller(sandbox.jira, email, token)
    jql = "summary ~ 'Offline maps' AND issuetype = Epic"
    issue = jira("POST", "/rest/api/3/search/jql", {"jql": jql, "fields": ["summary"]})["issues"][0]
    steps = jira("GET", f"/rest/api/3/issue/{issue['key']}/transitions")["transitions"]
    step = next(each["id"] for each in steps if each["to"]["name"] == "Blocked")
    say("")
    say("three edits to try, each in another terminal; watch the next cycle carry them:")
    say(f"1. Priya blocks {issue['key']} in Jira; Notion and Asana follow:")
    say(f"   curl -s -u {email}:{token} -H 'Content-Type: application/json' \\")
    say(f'     -d \'{{"transition": {{"id": "{step}"}}}}\' \\')
    say(f"     {url}/jira/rest/api/3/issue/{issue['key']}/transitions")
    tasks = asana_caller(sandbox.asana, sandbox.asana.token)
    task = _task(tasks, sandbox.asana.workspace, "Fleet map")
    say("2. Sofía moves the due date of Fleet map in Asana; Jira and Notion follow:")
    say(f"   curl -s -X PUT -H 'Authorization: Bearer {token_of('asana', 'sofia')}' \\")
    say(f'     -H \'Content-Type: application/json\' -d \'{{"data": {{"due_on": "{day}"}}}}\' \\')
    say(f"     {url}/asana/api/1.0/tasks/{task}")
    rows = notion_caller(sandbox.notion, sandbox.notion.token)
    found = rows("POST", "/v1/search", {"query": "Fleet cockpit"})["results"]
    row = next(each["id"] for each in found if each["object"] == "page")
    say("3. Mei-Ling calls the initiative done in Notion; Asana and the page follow:")
    say(f"   curl -s -X PATCH -H 'Authorization: Bearer {token_of('notion', 'mei')}' \\")
    say("     -H 'Notion-Version: 2026-03-11' -H 'Content-Type: application/json' \\")
    say('     -d \'{"properties": {"Status": {"status": {"name": "Done"}}}}\' \\')
    say(f"     {url}/notion/v1/pages/{row}")
    say("")
    say(f"ask why:  {me} explain 'Fleet map' due --config {config}")
    say("stop with Ctrl-C")


def _task(call: object, workspace: str, name: str) -> str:
    """Return the gid of the task with this name."""
    projects = call("GET", f"/api/1.0/workspaces/{workspace}/projects")["data"]  # type: ignore[operator]
    for project in projects:
        tasks = call("GET", f"/api/1.0/projects/{project['gid']}/tasks?limit=100")["data"]  # type: ignore[operator]
        for task in tasks:
            if task["name"] == name:
                gid: str = task["gid"]
                return gid
    raise UserError(f"the demonstration company has no task {name!r} in Asana")
