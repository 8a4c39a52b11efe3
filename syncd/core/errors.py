"""The error tree. One branch per thing a caller can do about it.

    SyncdError
      UserError              the user's input is wrong; a sentence, no traceback, exit 2
        ConfigError          syncd.yaml; carries every problem with its place
        MappingError         a mapping file; likewise
      SourceError            a connected service; carries the connection's name
        Temporary            may go away by itself
          RateLimited          asked to slow down; carries the delay
          Unavailable          not answering, or not answering sense
        Permanent            will not go away by itself
          NotAllowed           credential or permission
          Gone                 the thing is not there (or not visible: the services do not say which)
          Stale                the cursor has expired: read everything again
          Rejected             the service refused the values; carries the fields
          Unexpected           the service answered something we do not understand
      Unsafe                 the guard refused; carries the counts and the way on
      StateError
        Locked  TooNew  Damaged  Full

Every message is one sentence that ends with what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in a file something stands. Lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def short(self) -> str:
        """File and line, as a reason in a plan shows it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file: where, what, and what to write instead."""

    place: Place
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class SyncdError(Exception):
    """Anything syncd reports as one sentence."""


class UserError(SyncdError):
    """The user's input is wrong."""


class ProblemsError(UserError):
    """Several problems found in files, reported together."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(
            sorted(set(problems), key=lambda problem: (problem.place, problem.reason))
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigError(ProblemsError):
    """The service configuration cannot be used."""


class MappingError(ProblemsError):
    """A mapping file cannot be used."""


class SourceError(SyncdError):
    """A connected service did not do what was asked.

    `maybe_applied` is true when a write may have taken effect although no answer says so; the
    engine then freezes the cell until evidence settles it.
    """

    def __init__(self, connection: str, message: str, *, maybe_applied: bool = False) -> None:
        self.connection = connection
        self.maybe_applied = maybe_applied
        super().__init__(message)


class Temporary(SourceError):
    """May go away by itself: try again later."""


class RateLimited(Temporary):
    """The service asked to slow down for `delay` seconds."""

    def __init__(self, connection: str, message: str, *, delay: float) -> None:
        self.delay = delay
        super().__init__(connection, message)


class Unavailable(Temporary):
    """Not answering, or not answering sense."""


class Permanent(SourceError):
    """Will not go away by itself: somebody has to change something."""


class NotAllowed(Permanent):
    """The credential or its permissions do not allow this."""


class Gone(Permanent):
    """Not found, or not visible: the services give the same answer for both."""


class Stale(Permanent):
    """The cursor has expired; the scope has to be read in full."""


class Rejected(Permanent):
    """The service refused the values. `fields` maps remote field ids to its sentences."""

    def __init__(self, connection: str, message: str, fields: dict[str, str] | None = None) -> None:
        self.fields = dict(fields or {})
        super().__init__(connection, message)


class Unexpected(Permanent):
    """The service answered something we do not understand. The message holds a safe excerpt."""


class Unsafe(SyncdError):
    """The guard refused to go on."""


class StateError(SyncdError):
    """The state file cannot be used."""


class Locked(StateError):
    """Another daemon works on this state file."""


class TooNew(StateError):
    """The state file was written by a newer syncd."""


class Damaged(StateError):
    """The state file is damaged."""


class Full(StateError):
    """The state file cannot be written: disk full or read-only."""
