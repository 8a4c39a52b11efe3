"""Credentials: where they come from, and a type that does not let them out by accident.

Sources, best first: systemd credentials (`LoadCredential=`), a file that only its owner can read,
an environment variable (for trying things out: it is inherited by every child process).
"""

from __future__ import annotations

import hmac
import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from syncd.core.errors import ConfigError, Place, Problem

MAX_BYTES = 64 * 1024

_log = logging.getLogger(__name__)


class Secret:
    """A credential. Only `reveal()` gives it away; text, JSON, copies and pickles are refused.

    `repr` shows a fixed word instead of failing, for a failing repr breaks tracebacks.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the credential, to put it into a request and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __str__(self) -> str:
        return self._refuse("turned into text")

    def __format__(self, spec: str) -> str:
        return self._refuse("put into a text")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self._refuse("pickled or copied")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]

    @staticmethod
    def _refuse(what: str) -> NoReturn:
        raise TypeError(f"a secret cannot be {what}: use reveal() where it is sent")


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a credential is found: a path, the name of a variable, or of a systemd credential."""

    how: Literal["file", "env", "credential"]
    name: str
    place: Place

    @property
    def caution(self) -> str | None:
        """Return a sentence when this source is not for everyday use."""
        if self.how == "env":
            return (
                f"{self.place}: the credential comes from the environment variable {self.name}, "
                "which every child process inherits: use a file or a systemd credential"
            )
        return None


def read(source: SecretSource, directory: Path) -> Secret:
    """Return the credential; `directory` is what relative paths start from.

    Raises ConfigError with one sentence when it is missing, empty, or readable by others.
    """
    if source.how == "env":
        _log.warning("%s", source.caution)
        return _secret(source, _variable(source))
    return _secret(source, _content(source, _path(source, directory)))


def _path(source: SecretSource, directory: Path) -> Path:
    if source.how == "file":
        return directory / Path(source.name).expanduser()
    holder = os.environ.get("CREDENTIALS_DIRECTORY")
    if holder is None:
        raise _wrong(
            source,
            f"there is no systemd credential {source.name!r}, for this process was not started by "
            "systemd with LoadCredential=: use `file:` or start the service",
        )
    return Path(holder) / source.name


def _variable(source: SecretSource) -> str:
    value = os.environ.get(source.name)
    if value is None:
        raise _wrong(source, f"the environment variable {source.name} is not set: set it")
    return value


def _content(source: SecretSource, path: Path) -> str:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if source.how == "file":
                _private(source, path, mode)
            return stream.read(MAX_BYTES).decode("utf-8")
    except FileNotFoundError:
        raise _wrong(source, f"the secret file {path} is not there: create it") from None
    except IsADirectoryError:
        raise _wrong(source, f"{path} is a directory: name a file in it") from None
    except UnicodeDecodeError:
        raise _wrong(source, f"the secret file {path} is not text: put only the token in") from None
    except OSError as wrong:
        reason = f"the secret file {path} cannot be read ({wrong.strerror}): check its owner"
        raise _wrong(source, reason) from None


def _private(source: SecretSource, path: Path, mode: int) -> None:
    if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _wrong(
            source, f"the secret file {path} is open to other users: run `chmod 600 {path}`"
        )


def _secret(source: SecretSource, text: str) -> Secret:
    value = text.strip("\r\n")
    if not value.strip():
        raise _wrong(source, f"the {source.how} {source.name} is empty: put the token into it")
    if "\n" in value or "\r" in value:
        raise _wrong(
            source, f"the {source.how} {source.name} has several lines: keep the token only"
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        reason = f"the {source.how} {source.name} holds characters that no token has: copy it again"
        raise _wrong(source, f"{reason}, without blanks and quotation marks")
    return Secret(value)


def _wrong(source: SecretSource, reason: str) -> ConfigError:
    return ConfigError([Problem(source.place, reason)])
