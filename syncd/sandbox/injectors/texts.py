"""Services that store or show texts a little differently from how they were sent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import orjson

from syncd.sandbox.injectors.stage import Action, Json, Stage, loaded
from syncd.sandbox.wire import Response

# keys under which the three services carry people's words
_WORDS = frozenset(
    {"summary", "description", "name", "notes", "html_notes", "content", "text", "body"}
)
_LABELS = frozenset({"labels", "tags", "multi_select", "multi_enum_values", "components",
                     "fixVersions"})  # fmt: skip
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_ADDRESS = re.compile(r"(?<![\"'>\w/])https?://[^\s<>\"']+")
_QUOTES = re.compile(r'"([^"<>]*)"')


def tidy(text: str) -> str:
    """Return a text trimmed, its blanks collapsed, line ends and quotes made the service's own."""
    plain = text.replace("\r\n", "\n").strip()
    plain = re.sub(r"[ \t]+", " ", plain)
    return _QUOTES.sub("“\\1”", plain)


def _each_word(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, list):
        return [_each_word(each, change) for each in value]
    if isinstance(value, dict):
        return {
            key: change(each)
            if key in _WORDS and isinstance(each, str)
            else _each_word(each, change)
            for key, each in value.items()
        }
    return value


def normalised(stage: Stage) -> Response:
    """Store texts tidied (V1)."""
    return _stored(stage, tidy)


def composed(stage: Stage) -> Response:
    """Show texts in Unicode's composed form, whatever was stored."""
    return _shown(stage, lambda text: unicodedata.normalize("NFC", text))


def visible(stage: Stage) -> Response:
    """Show texts without zero-width characters and bidi marks, with blanks for no-break spaces."""
    return _shown(stage, lambda text: _INVISIBLE.sub("", text.replace("\u00a0", " ")))


def linked(stage: Stage) -> Response:
    """Store addresses in rich text as links."""
    body = stage.sent()
    return stage.proceed(stage.with_json(_with_links(body))) if body else stage.go_on()


def _with_links(value: Json) -> Json:
    if isinstance(value, list):
        return [part for each in value for part in _linked_parts(each)]
    if not isinstance(value, dict):
        return value
    changed = {key: _with_links(each) for key, each in value.items()}
    if isinstance(changed.get("html_notes"), str):
        changed["html_notes"] = _ADDRESS.sub(r'<a href="\g<0>">\g<0></a>', changed["html_notes"])
    return changed


def _linked_parts(value: Json) -> list[Json]:
    """Split a run of text at the addresses in it: ADF's text nodes, Notion's rich text."""
    text = value.get("text") if isinstance(value, dict) else None
    if isinstance(text, str) and value.get("type") == "text" and not value.get("marks"):
        return [
            {**value, "text": part, "marks": [{"type": "link", "attrs": {"href": part}}]}
            if address else {**value, "text": part}
            for part, address in _parts(text)
        ]  # fmt: skip
    if isinstance(text, dict) and isinstance(text.get("content"), str) and not text.get("link"):
        return [
            {**value, "text": {"content": part, "link": {"url": part} if address else None}}
            for part, address in _parts(text["content"])
        ]
    return [_with_links(value)]


def _parts(text: str) -> list[tuple[str, bool]]:
    found, at = [], 0
    for match in _ADDRESS.finditer(text):
        found += [(text[at : match.start()], False), (match[0], True)]
        at = match.end()
    return [(part, address) for part, address in [*found, (text[at:], False)] if part] or [
        (text, False)
    ]


def drifting(stage: Stage) -> Response:
    """Store rich text in another shape than was sent: an empty paragraph more, split runs."""
    body = stage.sent()
    if not body:
        return stage.go_on()
    return stage.proceed(stage.with_json(_drift(body)))


def _drift(value: Json) -> Json:
    if isinstance(value, list):
        return [_drift(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "doc" and isinstance(value.get("content"), list):
        return {**value, "content": [*value["content"], {"type": "paragraph", "content": []}]}
    changed = {key: _drift(each) for key, each in value.items()}
    if isinstance(changed.get("html_notes"), str):
        changed["html_notes"] = changed["html_notes"].replace("</body>", "\n</body>")
    if isinstance(changed.get("rich_text"), list):
        changed["rich_text"] = [half for run in changed["rich_text"] for half in _halves(run)]
    return changed


def _halves(run: Json) -> list[Json]:
    words = run.get("text", {}).get("content", "") if isinstance(run, dict) else ""
    if len(words) < 2:  # noqa: PLR2004 - nothing to split
        return [run]
    middle = len(words) // 2
    first = {**run, "text": {**run["text"], "content": words[:middle]}}
    second = {**run, "text": {**run["text"], "content": words[middle:]}}
    # runs of one look would be joined again
    return [first, {**second, "annotations": {**run.get("annotations", {}), "color": "gray"}}]


def doubles_merged(stage: Stage) -> Response:
    """Store of labels that are alike but for case only the first."""
    body = stage.sent()
    return stage.proceed(stage.with_json(_merged(body))) if body else stage.go_on()


def _merged(value: Json) -> Json:
    if isinstance(value, list):
        return [_merged(each) for each in value]
    if isinstance(value, dict):
        return {key: _firsts(each) if key in _LABELS and isinstance(each, list) else _merged(each)
                for key, each in value.items()}  # fmt: skip
    return value


def _firsts(labels: list[Json]) -> list[Json]:
    found: dict[str, Json] = {}
    for label in labels:
        found.setdefault(str(label).casefold(), label)
    return list(found.values())


def disordered(stage: Stage) -> Response:
    """Show labels and multiple choices in another order than they were set."""
    answer = stage.go_on()
    body = loaded(answer.body)
    return Response(answer.status, orjson.dumps(_turned(body)), answer.headers) if body else answer


def _turned(value: Json) -> Json:
    if isinstance(value, list):
        return [_turned(each) for each in value]
    if isinstance(value, dict):
        return {
            key: each[::-1] if key in _LABELS and isinstance(each, list) else _turned(each)
            for key, each in value.items()
        }
    return value


def _stored(stage: Stage, change: Callable[[str], str]) -> Response:
    body = stage.sent()
    return stage.proceed(stage.with_json(_each_word(body, change))) if body else stage.go_on()


def _shown(stage: Stage, change: Callable[[str], str]) -> Response:
    answer = stage.go_on()
    body = loaded(answer.body)
    if not body:
        return answer
    return Response(answer.status, orjson.dumps(_every_text(body, change)), answer.headers)


def _every_text(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_every_text(each, change) for each in value]
    if isinstance(value, dict):
        return {key: _every_text(each, change) for key, each in value.items()}
    return value


ACTIONS: dict[str, Action] = {
    "normalised": normalised,
    "composed": composed,
    "visible": visible,
    "linked": linked,
    "drifting": drifting,
    "disordered": disordered,
    "doubles_merged": doubles_merged,
}
