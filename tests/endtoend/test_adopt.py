"""Two tools that hold the same features already, as an operator connects them."""

from __future__ import annotations

import pytest
from installation import serving, syncd


@pytest.fixture(scope="module")
def populated(tmp_path_factory):
    """A company whose roadmap in Notion lists two features under names that Jira does not know."""
    home = tmp_path_factory.mktemp("populated") / "config"
    with serving(home) as world:
        link = f"{world.url}/jira/browse/{world.issue('Fleet map')['key']}"
        row = world.row("Fleet map")
        title = {"title": [{"text": {"content": "Where are my bikes"}}]}
        world.edit_row("Fleet map", **{"Name": title, "Jira link": {"url": link}})
        new = {"title": [{"text": {"content": "Something else"}}]}
        properties = {"Name": new, "Type": {"select": {"name": "Feature"}}}
        world.notion("POST", "pages", {"parent": row["parent"], "properties": properties})
        yield world


@pytest.mark.slow
def test_a_review_lists_pairs_with_reasons_and_ends_when_all_is_decided(populated):
    home = populated.home
    first = syncd("run", "--once", cwd=home)
    assert first.code == 1
    assert "2 features of notion are not known to the other tools" in first.out
    assert populated.rows_titled("Fleet map") == 0, "nothing was created beside them"
    status = syncd("status", cwd=home)
    assert (status.code, "run `syncd adopt`" in status.out) == (1, True)
    plan = syncd("plan", cwd=home)
    assert plan.code == 1
    assert "held back: 2 features of notion" in plan.out
    listed = syncd("adopt", cwd=home)
    assert listed.code == 1
    assert "'Where are my bikes' = 'Fleet map' (" in listed.out
    assert ": it names the item's record" in listed.out
    assert "would become new items: 1: 'Something else'" in listed.out
    (meeting,) = syncd("adopt", "--json", cwd=home).data
    (pair,) = meeting["proposed"]
    assert (pair["title"], pair["item_title"]) == ("Where are my bikes", "Fleet map")
    missing = meeting["created"][0]["title"]
    assert populated.rows_titled(missing) == 0
    wrong = syncd("adopt", "--accept", "nonsense", cwd=home)
    assert (wrong.code, "`syncd adopt` lists them" in wrong.sentence) == (2, True)
    done = syncd("adopt", "--accept", pair["id"], cwd=home)
    assert (done.code, done.out) == (0, "no review is open\n")
    assert done.sentence == (
        "1 pair accepted, 0 rejected; the review of features in notion has ended: 1 record nobody "
        "recognised becomes new, to be created in the other tools too, and "
        f"{len(meeting['created'])} items will be created there"
    )
    assert syncd("run", "--once", cwd=home).code == 0
    assert populated.rows_titled("Where are my bikes") == 0, "Jira owns the title"
    assert populated.rows_titled("Fleet map") == 1
    assert populated.rows_titled(missing) == 1, "what is missing is created now"
    again = syncd("run", "--once", cwd=home)
    assert ": 0 writes in " in again.out
    none = syncd("adopt", "--all", cwd=home)
    assert (none.code, "no review is open" in none.sentence) == (2, True)
