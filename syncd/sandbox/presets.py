"""What one fault of the catalogue is: a sentence, how it comes about, and its variants as rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Preset = Mapping[str, Any]
ALL = ("jira", "asana", "notion")


@dataclass(frozen=True, slots=True)
class Entry:
    """A fault. The first variant is the usual one; `only` and `path` say which requests it is about.

    A variant may have `services`, `only` and `paths` of its own.
    """

    id: str
    sentence: str
    how: str
    variants: Mapping[str, Preset]
    services: tuple[str, ...] = ALL
    only: str | None = None  # writes, reads, lists
    path: Mapping[str, str] = field(default_factory=dict)  # by service, a regular expression

    def services_of(self, variant: str) -> tuple[str, ...]:
        """Return the services that a variant can befall."""
        chosen = self.variants[variant]
        paths = chosen.get("paths", self.path)
        return tuple(paths) or chosen.get("services") or self.services

    def variant_names(self) -> list[str]:
        """Return the named variants, each with its services where these are not the fault's."""
        named = filter(None, self.variants)
        return [
            name if set(self.services_of(name)) == set(self.services)
            else f"{name} ({', '.join(self.services_of(name))})"
            for name in named
        ]  # fmt: skip


def do(name: str, *services: str, **params: Any) -> Preset:  # noqa: ANN401 - JSON
    """Name an injector and its parameters; with `services` the variant is of these only."""
    named = {"do": name, "with": params}
    return {**named, "services": services} if services else named


def status(number: int, **more: Any) -> Preset:  # noqa: ANN401 - JSON
    """Name an answer in the service's own words."""
    return {"status": number, "vendor": True, **more}


def hook(name: str) -> Preset:
    """Name what befalls webhooks on their way."""
    return {"webhook": name}
