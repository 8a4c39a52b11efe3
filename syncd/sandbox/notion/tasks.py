"""Asynchronous tasks: what a write with `allow_async` answers, and where its outcome is told."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion import times
from syncd.sandbox.notion.app import App, Call
from syncd.sandbox.notion.ids import plain

JSON = dict[str, Any]
POLL_SECONDS = 2


def wants(call: Call) -> bool:
    """Tell whether a write may be answered by a task."""
    return call.body.get("allow_async") is True


def queue(app: App, call: Call, operation: str, result: JSON) -> tuple[int, JSON]:
    """Keep the result of a write that was done at once, and answer as if it were still to be done."""
    identifier = f"task_{plain(app.ids.uuid4())}"
    task = {
        "object": "async_task",
        "id": identifier,
        "status": "queued",
        "status_url": f"{call.request.base_url}/v1/async_tasks/{identifier}",
        "created_time": times.zulu(call.now),
        "poll_after_seconds": POLL_SECONDS,
        "operation": {"surface": "rest", "name": operation},
    }
    done = {key: value for key, value in task.items() if key != "poll_after_seconds"}
    app.store.tasks[identifier] = {**done, "status": "succeeded", "result": result}
    return 202, task
