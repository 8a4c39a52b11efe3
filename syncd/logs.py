"""Log lines: one canonical line for each cycle, to a terminal or as JSON, without secrets.

Redaction is the last step before rendering: whatever text a secret has got into, its exact value is
replaced. Values are registered when a credential is read (`syncd.secrets`).
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

_secrets: set[str] = set()

HIDDEN = "[secret]"

_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters, with them every escape sequence
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # what turns the order of a line round
    "\ud800-\udfff]"  # halves of characters, which no terminal can be sent
)


def hide(value: str) -> None:
    """Never show this text again."""
    if len(value) >= 4:  # noqa: PLR2004 - shorter texts would blot out ordinary words
        _secrets.add(value)


def redact(text: str) -> str:
    """Return the text without any registered secret."""
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    return text


def printable(text: str) -> str:
    """Return text on one line, without anything that a terminal would obey instead of showing."""
    text = text.replace("\n", " ").replace("\t", " ")
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def escape(json_text: str) -> str:
    """Return JSON with such characters escaped; its meaning and its own line ends stay."""
    return _UNPRINTABLE.sub(
        lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", json_text
    )


def _redacted(value: object) -> object:
    if isinstance(value, str):
        return printable(redact(value))
    if isinstance(value, Mapping):
        return {redact(str(key)): _redacted(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value if isinstance(value, int | float | bool | None) else _redacted(str(value))


def _redactor(
    _logger: Any,  # noqa: ANN401 - structlog's own signature
    _method: str,
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    return {key: _redacted(value) for key, value in event.items()}


def configure(*, as_json: bool, debug: bool = False) -> None:
    """Send log lines to stderr, for people or (as_json) for machines."""
    import structlog  # noqa: PLC0415 - a command that logs nothing starts without it

    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            _redactor,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if debug else logging.INFO
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger() -> Any:  # noqa: ANN401 - structlog loggers are duck-typed
    """Return the logger of the shell."""
    import structlog  # noqa: PLC0415 - see configure

    return structlog.get_logger("syncd")
