"""What a connection may do: its capabilities, as its owner ticks them in the developer portal."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.notion.errors import NotionError

CAPABILITIES = frozenset(
    {
        "read_content", "update_content", "insert_content", "read_comments", "insert_comments",
        "users", "emails",
    }
)  # fmt: skip
"""`users` is user information without e-mail addresses, `emails` with them."""
_ALWAYS = frozenset({"/v1/users/me"})
_READS = ("/query", "/queries", "/v1/search", "/queries/{query_id}")  # whatever their verb
_UPDATES = ("/move",)


def needed(method: str, template: str) -> str | None:
    """Return the capability an operation asks for, None if it asks for none."""
    path = template.rstrip("/?")
    if path in _ALWAYS:
        return None
    if path.startswith("/v1/users"):
        return "users"
    reads = method == "GET" or path.endswith(_READS)
    if path.startswith("/v1/comments"):
        return "read_comments" if reads else "insert_comments"
    if reads:
        return "read_content"
    if path.endswith("/children") or (method == "POST" and not path.endswith(_UPDATES)):
        return "insert_content"
    return "update_content"


def checked(names: tuple[str, ...]) -> frozenset[str]:
    """Return capabilities given by name; raises ValueError. Who sees e-mails sees users."""
    unknown = set(names) - CAPABILITIES
    if unknown:
        known = ", ".join(sorted(CAPABILITIES))
        raise ValueError(f"there is no capability {min(unknown)!r}; there are: {known}")
    held = frozenset(names)
    return held | {"users"} if "emails" in held else held


def people_hidden(shown: Any, held: frozenset[str]) -> Any:  # noqa: ANN401 - JSON
    """Return an answer with of people what the connection may know: no e-mails, or ids alone."""
    if isinstance(shown, list | tuple):
        return type(shown)(people_hidden(item, held) for item in shown)
    if not isinstance(shown, dict):
        return shown
    if shown.get("object") == "user" and "type" in shown:
        if "users" not in held:
            return {"object": "user", "id": shown["id"]}
        return {**shown, "person": {}} if "person" in shown else shown
    return {key: people_hidden(item, held) for key, item in shown.items()}


def makes_blocks(method: str, template: str) -> bool:
    """Tell whether an operation makes pages or blocks, which a free workspace's limit is about."""
    path = template.rstrip("/?")
    made = ("/v1/pages", "/v1/databases", "/v1/data_sources", "/v1/blocks/{block_id}/children")
    return method != "GET" and path in made


def block_limit() -> NotionError:
    """Return the answer to a write that makes blocks in a free workspace whose limit is reached."""
    return NotionError(
        "restricted_resource",
        "This workspace has reached the block limit of its plan, and the grace period is over.",
    )


def refusal() -> NotionError:
    """Return the answer to a request that asks for a capability the connection lacks."""
    return NotionError("restricted_resource", "Insufficient permissions for this endpoint.")
