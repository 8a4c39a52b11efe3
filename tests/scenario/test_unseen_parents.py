"""A parent's record goes out of sight in one tool: its children keep their parent, and the sums stay."""

from __future__ import annotations

import pytest
from company import date
from office import office

PARENT, CHILD = "Fleet cockpit", "Fleet map"


@pytest.fixture
def acme(tmp_path):
    with office(tmp_path) as world:
        world.settle()
        yield world


def sums(acme):
    """Return what Asana shows of the parent, as computed by syncd."""
    return {f["name"]: f["display_value"] for f in acme.task(PARENT)["custom_fields"]}


def parents(acme):
    """Return the title of the parent of every item."""
    items = acme.system.store.items_at(acme.system.roadmap.levels)
    titles = {item.id: item.title for item in items}
    return {item.title: titles.get(item.parent) for item in items}


def trash(acme, title, trashed=True):
    path = f"/v1/pages/{acme.record(title, 'notion')}"
    acme.notion()("PATCH", path, {"in_trash": trashed})


def unshare(acme, title):
    acme.sandbox.notion.share(acme.record(title, "notion"), False)


def told(acme):
    return {notice.kind for notice in acme.system.store.notices()} & {"gone", "invisible"}


def relation(acme):
    return acme.row(CHILD)["Parent"]["relation"]


def clear(acme):
    acme.edit_row(CHILD, Parent={"relation": []})


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("hide", "kind"), [(trash, "gone"), (unshare, "invisible")])
def test_a_parent_out_of_sight_in_notion_leaves_its_children_where_they_are(acme, hide, kind, full):
    before = parents(acme), sums(acme)
    hide(acme, PARENT)
    acme.edit_row(CHILD, **{"Target date": date("2027-03-03")})  # it is read, its parent is not
    assert relation(acme) == []
    acme.cycle(full=full)
    assert told(acme) == {kind}
    acme.cycle()
    assert acme.item(CHILD).fields["due"] == "2027-03-03"
    assert (parents(acme), sums(acme)) == before


def test_a_parent_back_from_the_trash_has_its_children_again(acme):
    before = parents(acme), sums(acme)
    trash(acme, PARENT)
    acme.cycle(full=True)
    clear(acme)  # in the trash and cleared look the same: nobody has said anything
    acme.cycle()
    trash(acme, PARENT, trashed=False)
    for _ in range(3):
        acme.cycle(full=True)
    assert (parents(acme), sums(acme)) == before
    assert relation(acme) == [{"id": acme.record(PARENT, "notion")}]
    assert acme.cycle().writes == 0


def test_an_epic_deleted_in_jira_leaves_its_work_where_it_is(acme):
    before = parents(acme)
    work = [title for title, parent in before.items() if parent == CHILD]
    assert work
    acme.jira()("DELETE", f"/rest/api/3/issue/{acme.record(CHILD, 'jira')}")
    for full in (False, True, False):
        acme.cycle(full=full)
    assert parents(acme) == before
    assert told(acme) == {"gone"}


def test_a_parent_that_can_be_seen_is_cleared_at_once(acme):
    clear(acme)
    acme.cycle()
    assert acme.item(CHILD).parent is None
    acme.settle()
    assert acme.item(CHILD).parent is None


def test_a_parent_that_cannot_be_looked_at_is_looked_at_in_the_next_cycle(acme):
    clear(acme)
    page = f"/v1/pages/{acme.record(PARENT, 'notion')}$"
    acme.fail({"service": "notion", "path": page, "status": 503, "count": 20})
    acme.cycle()
    assert acme.lost() > 0
    assert acme.item(CHILD).parent is not None
    acme.fail()
    acme.cycle()
    assert acme.item(CHILD).parent is None
