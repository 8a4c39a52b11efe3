"""Junk in each field and query of what the tours of Jira and Notion ask: refused, never a crash."""

from __future__ import annotations

import copy
import json
import sys
from itertools import cycle
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import test_jira_tour
import test_jira_wire
import test_notion_wire
import test_sandbox_table

from syncd.sandbox.wire import Request

JUNK = [
    None, 5, -1.5, True, "", " ", "x", "²", "--1", "∅\u00a0", "9" * 40, "2026-13-01", 10**17,
    [], [None], [5], ["x"], [{}], {}, {"id": []}, {"": None}, {"type": "x"}, [[]], [{"id": {}}],
]  # fmt: skip
TEXTS = ["", "²", "--1", "9" * 40, "x", "∅", "-1", "null", "{}"]


def places(body, at=()):
    """Every place in a body, as a path of keys and numbers."""
    yield at
    inside = body.items() if isinstance(body, dict) else ()
    for key, value in enumerate(body) if isinstance(body, list) else inside:
        yield from places(value, (*at, key))


def with_junk(body, at, junk):
    if not at:
        return junk
    changed = copy.deepcopy(body)
    holder = changed
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = junk
    return changed


class Vandal:
    """Sends each request spoiled before it is sent as it is; the state is put back."""

    def __init__(self, stand_in):
        self.stand_in = stand_in
        self.handle = stand_in.handle
        self.crashes = []
        self.seen = set()

    def __call__(self, request):
        for spoiled in self.spoiled(request):
            self.attack(spoiled)
        return self.handle(request)

    def spoiled(self, request):
        for at, (name, _value) in enumerate(request.query):
            if self.first(request, "?", name):
                for junk in TEXTS:
                    query = list(request.query)
                    query[at] = (name, junk)
                    yield self.like(request, tuple(query), request.body)
        try:
            body = json.loads(request.body)
        except ValueError:
            return
        junk = cycle(JUNK)
        for at in places(body):
            known = self.first(request, *(part for part in at if isinstance(part, str)))
            for _ in range(len(JUNK) if known else 2):
                spoiled = with_junk(body, at, next(junk))
                yield self.like(request, request.query, json.dumps(spoiled).encode())

    def first(self, request, *name):
        """Tell whether nothing of this name was spoiled yet in such a request."""
        words = [part for part in request.path.split("/") if part.isalpha() and part.islower()]
        key = (request.method, *words, *name)
        new = key not in self.seen
        self.seen.add(key)
        return new

    def like(self, request, query, body):
        base = request.base_url
        return Request(request.method, request.path, query, dict(request.headers), body, base)

    def attack(self, request):
        before = self.stand_in.snapshot()
        try:
            status = self.handle(request).status
            assert status < 500, status
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.crashes.append((request.method, request.path, request.query, request.body, error))
            self.stand_in.restore(before)
        else:
            if status < 300 and request.method != "GET":
                self.stand_in.restore(before)


@pytest.mark.slow
def test_jira_refuses_junk(tmp_path):
    talk = test_jira_wire.Talk(tmp_path / "wire.jsonl")
    vandal = talk.site.handle = Vandal(talk.site)
    test_jira_tour.walk(talk)
    talk.sandbox.close()
    assert vandal.crashes == []


@pytest.mark.slow
def test_notion_refuses_junk():
    wire = test_notion_wire.Wire("2026-03-11")
    vandal = wire.sandbox.handle = Vandal(wire.sandbox)
    test_sandbox_table.grand_tour(wire)
    assert vandal.crashes == []
