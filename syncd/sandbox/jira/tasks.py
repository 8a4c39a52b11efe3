"""Long-running tasks: what they do is done at once, their progress follows the clock."""

from __future__ import annotations

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Json
from syncd.sandbox.jira.problems import missing
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.wire import Response

TIME = 2000  # milliseconds until a task is complete


def new_task(call: Call, text: str, result: Json = None) -> str:
    """Remember that something was done and return the address of its task."""
    number = str(call.store.number("task"))
    call.store.extras.setdefault("long_tasks", {})[number] = {
        "description": text, "result": result, "at": call.store.now(),
        "by": list(call.store.users).index(call.me().account_id) + 10_000,
    }  # fmt: skip
    return f"{call.shapes.api}/task/{number}"


def see_task(call: Call, text: str) -> Response:
    """Answer 303 with the address of a new task."""
    return Response(303, headers={"location": new_task(call, text)})


def task(call: Call, key: str) -> Response:
    """GET task/{taskId}."""
    call.me()
    kept = call.store.extras.get("long_tasks", {}).get(key)
    if kept is None:
        raise missing(f"The task with id '{key}' does not exist.")
    begun = kept["at"]
    passed = min(call.store.now() - begun, TIME)
    body: dict[str, Json] = {
        "self": f"{call.shapes.api}/task/{key}",
        "id": key,
        "description": kept["description"],
        "status": "COMPLETE" if passed >= TIME else "RUNNING",
        "submittedBy": kept["by"],
        "progress": 100 * passed // TIME,
        "elapsedRuntime": passed,
        "submitted": begun,
        "started": begun,
        "lastUpdate": begun + passed,
    }
    if passed >= TIME:
        body |= {"finished": begun + TIME, "result": kept["result"]}
    return call.ok(body)


def add(routes: Routes) -> None:
    """Add the routes."""
    routes.add("GET", "/task/{key}", task)
