"""The kinds of tools there are, found by name and imported on first use.

An adapter is a package with two modules: `config` with a pydantic model `Config` (what a connection
of this kind needs in syncd.yaml, besides `kind` and the secret), and `adapter` with
`connect(name, config, *, secret, clock, transport=None)`, which returns a
`syncd.core.ports.Adapter`. A document tool's `adapter` also has
`publisher(adapter) -> syncd.core.ports.Publisher`. Packages of others announce theirs as entry
points of the group "syncd.adapters": name = kind, value = dotted path of the package.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, cast

from pydantic import BaseModel

from syncd.core.errors import UserError
from syncd.core.ports import Adapter, Clock, Publisher

GROUP = "syncd.adapters"

_BUILT_IN = {"asana": "adapters.asana", "jira": "adapters.jira", "notion": "adapters.notion"}


def kinds() -> tuple[str, ...]:
    """Return the names of all kinds, sorted."""
    return tuple(sorted(_packages()))


def config_model(kind: str) -> type[BaseModel]:
    """Return the model of what a connection of this kind is configured with."""
    return cast("type[BaseModel]", _module(kind, "config").Config)


def connect(
    kind: str,
    name: str,
    config: BaseModel,
    *,
    secret: Callable[[], str],
    clock: Clock,
    transport: Any = None,  # noqa: ANN401 - each client library has its own type for it
) -> Adapter:
    """Return an adapter for the connection `name`. Sends nothing yet.

    `secret` is asked for the credential when it is needed. `transport` replaces the network in
    tests: a requests, urllib3 or httpx transport, whichever the kind's library takes.
    """
    module = _module(kind, "adapter")
    return cast(
        "Adapter", module.connect(name, config, secret=secret, clock=clock, transport=transport)
    )


def publisher(adapter: Adapter) -> Publisher | None:
    """Return what writes pages over this adapter's connection, or None when the tool has none."""
    module = import_module(type(adapter).__module__)
    make = getattr(module, "publisher", None)
    return None if make is None else cast("Publisher", make(adapter))


@cache
def _packages() -> dict[str, str]:
    others = {point.name: point.value for point in entry_points(group=GROUP)}
    return {**others, **_BUILT_IN}


def _module(kind: str, part: str) -> ModuleType:
    package = _packages().get(kind)
    if package is None:
        near = difflib.get_close_matches(kind, kinds(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(kinds())}"
        raise UserError(f"There is no adapter for the kind {kind!r}: {hint}")
    return import_module(f"{package}.{part}")
