"""Mentions in rich text: `<a data-asana-gid="..."/>` is kept as a whole link to what it names."""

from __future__ import annotations

import re

from syncd.sandbox.asana.access import can_see
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Entity, Project, Task, User
from syncd.sandbox.asana.errors import bad
from syncd.sandbox.asana.html import escape, to_plain
from syncd.sandbox.asana.records_work import APP

_EMPTY_LINK = re.compile(r"<a\b([^>]*?)(?:/>|>\s*</a>)")
_GID = re.compile(r"""data-asana-gid=["'](\d+)["']""")


def read_rich(call: Call, field: str, fragment: object) -> tuple[str, str]:
    """Return the plain text of a fragment and the fragment as it is kept; raises 400."""
    plain = to_plain(field, fragment)
    return plain, _EMPTY_LINK.sub(lambda match: _whole(call, field, match), str(fragment))


def _whole(call: Call, field: str, match: re.Match[str]) -> str:
    gid = _GID.search(match[1])
    if gid is None or "href=" in match[1]:
        return match[0]
    thing = call.store.objects.get(gid[1])
    if thing is None or not can_see(call.store, call.user, thing):
        raise bad(f"{field}: Not a recognized ID: {gid[1]}")
    name = escape(str(getattr(thing, "name", "")))
    text = f"@{name}" if isinstance(thing, User) else name
    return (
        f'<a href="{_address(call, thing)}" data-asana-gid="{thing.gid}"'
        f' data-asana-accessible="true" data-asana-type="{thing.KIND}"'
        f' data-asana-dynamic="true">{text}</a>'
    )


def _address(call: Call, thing: Entity) -> str:
    if isinstance(thing, (Task, Project)):
        return str(call.view.pick(thing, {"permalink_url": {}})["permalink_url"])
    if isinstance(thing, User) and thing.workspaces:
        return f"{APP}/1/{thing.workspaces[0]}/profile/{thing.gid}"
    return f"{APP}/0/{thing.gid}/{thing.gid}"
