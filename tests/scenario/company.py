"""The demonstration company in the stand-ins, one installation of syncd beside it, and people who edit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syncd.cli.common import open_state
from syncd.cli.sandbox import make, mapping_for, write
from syncd.core.model import CycleReport, Item
from syncd.engine.cycle import Outlook, observe, run_cycle
from syncd.sandbox.seeds.caller import asana_caller, jira_caller, notion_caller
from syncd.sandbox.seeds.people import token_of
from syncd.sandbox.server import Running, start_in_thread
from syncd.wiring import System, open_system

Json = Any


class Company:
    """One world. `system` is open; `cycle()` runs one cycle; the rest is people's doing."""

    def __init__(self, running: Running, config: Path) -> None:
        self.running = running
        self.sandbox = running.sandbox
        self.config = config
        self.system: System = open_system(config, open_state)

    def reopen(self, **options: Any) -> None:
        self.system.close()
        self.system = open_system(self.config, open_state, **options)

    def cycle(self, **options: Any) -> CycleReport:
        self.context = self.system.context(**options)
        return run_cycle(self.context, wait=True)

    def look(self) -> Outlook:
        self.context = self.system.context()
        return observe(self.context)

    def settle(self) -> None:
        """Run cycles until one writes nothing."""
        for _ in range(6):
            if self.cycle().writes == 0:
                return
        raise AssertionError("six cycles in a row wrote something")

    # people -------------------------------------------------------------------------------------

    def jira(self, nick: str = "priya"):
        email = f"{nick}@northwind.example"
        return jira_caller(self.sandbox.jira, email, token_of("jira", nick))

    def asana(self, nick: str = "sofia"):
        return asana_caller(self.sandbox.asana, token_of("asana", nick))

    def notion(self, nick: str = "mei"):
        return notion_caller(self.sandbox.notion, token_of("notion", nick))

    def item(self, title: str, level: str | None = None) -> Item:
        found = [
            item
            for item in self.system.store.find_items(title)
            if item.title == title and level in (None, item.level)
        ]
        assert len(found) == 1, f"{title}: {[item.title for item in found]}"
        return found[0]

    def record(self, title: str, connection: str) -> str:
        item = self.item(title)
        return self.system.store.records_of([item.id])[item.id][connection].record.id

    def move(self, title: str, status: str, nick: str = "priya") -> None:
        """Move an issue through its workflow, as a person does."""
        call, issue = self.jira(nick), self.record(title, "jira")
        steps = call("GET", f"/rest/api/3/issue/{issue}/transitions")["transitions"]
        step = next(each["id"] for each in steps if each["to"]["name"] == status)
        call("POST", f"/rest/api/3/issue/{issue}/transitions", {"transition": {"id": step}})

    def edit_issue(self, title: str, nick: str = "priya", **fields: Json) -> None:
        self.jira(nick)(
            "PUT", f"/rest/api/3/issue/{self.record(title, 'jira')}", {"fields": fields}
        )

    def edit_task(self, title: str, nick: str = "sofia", **data: Json) -> None:
        self.asana(nick)("PUT", f"/api/1.0/tasks/{self.record(title, 'asana')}", {"data": data})

    def edit_row(self, title: str, nick: str = "mei", **properties: Json) -> None:
        path = f"/v1/pages/{self.record(title, 'notion')}"
        self.notion(nick)("PATCH", path, {"properties": properties})

    # what the tools show ------------------------------------------------------------------------

    def issue(self, title: str) -> Json:
        return self.jira()("GET", f"/rest/api/3/issue/{self.record(title, 'jira')}")["fields"]

    def task(self, title: str) -> Json:
        return self.asana()("GET", f"/api/1.0/tasks/{self.record(title, 'asana')}")["data"]

    def section(self, title: str) -> str:
        return self.task(title)["memberships"][0]["section"]["name"]

    def row(self, title: str) -> Json:
        return self.notion()("GET", f"/v1/pages/{self.record(title, 'notion')}")["properties"]

    def writes(self) -> int:
        """Count the writing requests the stand-ins have seen, whoever sent them over a socket."""
        reading = {"/v1/search", "/rest/api/3/search/jql", "/rest/api/3/issue/bulkfetch"}
        return sum(
            count
            for (_service, method, path, _status), count in self.sandbox.counters.items()
            if method != "GET"
            and path not in reading
            and not path.endswith("/query")
            and not path.endswith("/batch")
        )

    def calls(self) -> dict[str, int]:
        """Count the requests over sockets by service, since the counters were cleared."""
        result: dict[str, int] = {}
        for (service, *_rest), count in self.sandbox.counters.items():
            result[service] = result.get(service, 0) + count
        return result

    def close(self) -> None:
        self.system.close()


@contextmanager
def company(home: Path, load: str = "demo") -> Iterator[Company]:
    with start_in_thread(make(load)) as running:
        config = write(home, running.sandbox.credentials(running.url), mapping_for(load))
        world = Company(running, config)
        try:
            yield world
        finally:
            world.close()


def date(day: str | None) -> Json:
    """Return a Notion date property's value."""
    return {"date": None if day is None else {"start": day}}


def status(name: str) -> Json:
    """Return a Notion status property's value."""
    return {"status": {"name": name}}


Maker = Callable[[], Company]
