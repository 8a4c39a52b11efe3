"""Listings of the Asana stand-in: pages, offsets, filters, and their cost."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from syncd.sandbox.asana import AsanaSandbox
from syncd.sandbox.clock import SandboxClock


class World:
    """A project of 1,200 tasks in two sections, one made each second."""

    def __init__(self):
        self.clock = SandboxClock(frozen=1_790_000_000.0)
        self.asana = AsanaSandbox(self.clock)
        self.project = self.post("/projects", name="P", team=self.asana.team)
        self.section = self.post(f"/projects/{self.project}/sections", name="S")
        self.tasks = [self.one(n) for n in range(1200)]

    def one(self, n):
        self.clock.step(1)
        where = {"memberships": [{"project": self.project, "section": self.section}]}
        return self.post(
            "/tasks", name=f"T{n}", **(where if n % 2 else {"projects": [self.project]})
        )

    def post(self, path, **data):
        status, body = self.asana.request("POST", path, data)
        assert status == 201, body
        return body["data"]["gid"]

    def get(self, path, **query):
        status, body = self.asana.request("GET", path, **query)
        assert status == 200, body
        return body

    def all_pages(self, path, **query):
        found, body = [], self.get(path, **query)
        query.pop("offset", None)
        while True:
            found.append(body["data"])
            if body["next_page"] is None:
                return found
            body = self.get(path, **query, offset=body["next_page"]["offset"])


@pytest.fixture(scope="module")
def world():
    return World()


def names(pages):
    return [row["name"] for page in pages for row in page]


def expected():
    return [f"T{n}" for n in (*range(0, 1200, 2), *range(1, 1200, 2))]


@pytest.mark.parametrize("limit", [100, 7])
def test_pages_hold_everything_once_in_project_order(world, limit):
    pages = world.all_pages(f"/projects/{world.project}/tasks", limit=limit)
    assert names(pages) == expected()
    assert {len(page) for page in pages[:-1]} == {limit}


def test_next_page_can_be_followed_by_path_and_uri(world):
    body = world.get(f"/projects/{world.project}/tasks", limit=2, opt_fields="name")
    following = body["next_page"]
    assert set(following) == {"offset", "path", "uri"}
    assert following["path"].startswith(f"/projects/{world.project}/tasks?limit=2&opt_fields=name")
    assert following["uri"].endswith(following["path"])
    assert following["uri"].startswith("http://localhost/api/1.0/")


def test_without_a_limit_there_is_no_next_page_and_1000_is_the_end(world):
    status, body = world.asana.request("GET", f"/projects/{world.project}/tasks")
    assert status == 400
    assert body["errors"][0]["message"].startswith("The result is too large.")
    body = world.get(f"/sections/{world.section}/tasks")
    assert len(body["data"]) == 600
    assert "next_page" not in body


def test_an_offset_dies_after_a_quarter_of_an_hour(world):
    path = f"/projects/{world.project}/tasks"
    offset = world.get(path, limit=2)["next_page"]["offset"]
    world.clock.step(899)
    assert len(world.get(path, limit=2, offset=offset)["data"]) == 2
    world.clock.step(1)
    status, body = world.asana.request("GET", path, limit=2, offset=offset)
    assert (status, body["errors"][0]["message"]) == (
        400,
        "offset: Your pagination token has expired.",
    )


def test_an_offset_changed_by_hand_is_refused(world):
    path = f"/projects/{world.project}/tasks"
    head, payload, seal = world.get(path, limit=2)["next_page"]["offset"].split(".")
    for forged in (f"{head}.{payload[:-2]}AA.{seal}", f"{head}.{payload}", "é.é.é"):
        assert world.asana.request("GET", path, limit=2, offset=forged)[0] == 400


def test_modified_since_finds_the_changed_in_project_order(world):
    path, since = "/tasks", world.clock.now()
    for at in (900, 3, 500):
        world.clock.step(1)
        world.asana.request(
            "PUT", f"/tasks/{world.tasks[at]}", {"notes": f"at {world.clock.now()}"}
        )
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.500Z", time.gmtime(since))
    for limit in (1, 2, 100):
        pages = world.all_pages(path, project=world.project, modified_since=stamp, limit=limit)
        assert names(pages) == ["T500", "T900", "T3"]


def test_modified_since_long_ago_is_everything(world):
    pages = world.all_pages(
        "/tasks", project=world.project, modified_since="2020-01-01T00:00:00Z", limit=100
    )
    assert names(pages) == expected()


def test_completed_since_now_is_the_incomplete(world):
    world.asana.request("PUT", f"/tasks/{world.tasks[0]}", {"completed": True})
    path = f"/projects/{world.project}/tasks"
    assert "T0" not in names(world.all_pages(path, completed_since="now", limit=100))
    early = names(world.all_pages(path, completed_since="2020-01-01T00:00:00Z", limit=100))
    assert "T0" in early
    world.asana.request("PUT", f"/tasks/{world.tasks[0]}", {"completed": False})


def test_my_tasks_by_assignee_and_by_list(world):
    for gid in world.tasks[:3]:
        world.asana.request("PUT", f"/tasks/{gid}", {"assignee": "me"})
    query = {"assignee": "me", "workspace": world.asana.workspace}
    rows = world.all_pages("/tasks", **query, limit=2)
    assert names(rows) == ["T0", "T1", "T2"]
    mine = world.get("/users/me/user_task_list", workspace=world.asana.workspace)["data"]
    assert names([world.get(f"/user_task_lists/{mine['gid']}/tasks")["data"]]) == names(rows)


def test_a_task_that_moves_while_pages_are_read_is_seen_once_or_twice_never_lost(world):
    path = f"/sections/{world.section}/tasks"
    first = world.get(path, limit=100)
    moved = first["data"][10]["gid"]
    world.asana.request("POST", f"/sections/{world.section}/addTask", {"task": moved})
    rest = world.all_pages(path, limit=100, offset=first["next_page"]["offset"])
    seen = [row["gid"] for page in (first["data"], *rest) for row in page]
    assert len(set(seen)) == 600


def test_the_last_page_of_many_costs_no_more_than_the_first(world):
    path = f"/projects/{world.project}/tasks"
    touched = []
    offsets = [{}]
    while True:
        body = world.get(path, limit=100, **offsets[-1])
        if body["next_page"] is None:
            break
        offsets.append({"offset": body["next_page"]["offset"]})
    need = world.asana.store.need
    try:
        for query in offsets:
            count = [0]

            def counting(gid, kind, count=count):
                count[0] += 1
                return need(gid, kind)

            world.asana.store.need = counting
            world.get(path, limit=100, **query)
            touched.append(count[0])
    finally:
        del world.asana.store.need
    assert all(abs(one - other) < 10 for one, other in pairwise(touched))


def test_a_simple_read_takes_less_than_0_4_ms(world):
    path = f"/tasks/{world.tasks[5]}"
    best = min(_timed(world, path) for _ in range(5))
    assert best < 0.0004


def _timed(world, path):
    start = time.perf_counter()
    for _ in range(100):
        world.asana.request("GET", path)
    return (time.perf_counter() - start) / 100


def test_an_offset_belongs_to_its_listing(world):
    offset = world.get(f"/projects/{world.project}/tasks", limit=2)["next_page"]["offset"]
    other = f"/sections/{world.section}/tasks"
    assert world.asana.request("GET", other, limit=2, offset=offset)[0] == 400


def test_a_listing_that_is_too_long_ends_in_a_refusal(world):
    world.asana.store.longest_listing = 1150
    try:
        path, query = f"/projects/{world.project}/tasks", {"limit": 100}
        for _ in range(11):
            offset = world.get(path, **query)["next_page"]["offset"]
            query["offset"] = offset
        status, body = world.asana.request("GET", path, **query)
        assert status == 400
        assert "truncated" in body["errors"][0]["message"]
    finally:
        world.asana.store.longest_listing = None
