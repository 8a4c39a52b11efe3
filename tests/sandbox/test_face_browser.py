"""The face in a real browser: headless Chromium driven by Playwright; skipped where one is missing."""

from __future__ import annotations

import json
import shutil

import pytest
import requests

from syncd.sandbox.seeds import seed_demo
from syncd.sandbox.seeds.caller import jira_caller, notion_caller
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Sandbox

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="the Python package playwright is missing"
)
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
WAIT = 20_000  # ms; the machine may have other work


@pytest.fixture(scope="module")
def chromium():
    try:
        playwright = sync_api.sync_playwright().start()
    except Exception as error:  # noqa: BLE001 - what playwright raises
        pytest.skip(f"playwright's driver does not start (is libatomic1 installed?): {error}")
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()
    playwright.stop()


@pytest.fixture
def running(tmp_path):
    sandbox = Sandbox(wire_log=tmp_path / "wire.jsonl")
    seed_demo(sandbox.jira, sandbox.asana, sandbox.notion, sandbox.clock)
    with start_in_thread(sandbox) as server:
        yield server


@pytest.fixture
def context(chromium):
    made = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield made
    made.close()


@pytest.fixture
def page(context):
    """A page on which an error of a script, or one the policy refuses, fails the test."""
    page = context.new_page()
    page.set_default_timeout(WAIT)
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(f"dialog {dialog.message}"))
    page.on(
        "console",
        lambda said: troubles.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield page
    assert troubles == []


def logged(tmp_path):
    lines = (tmp_path / "wire.jsonl").read_text("utf8").splitlines()
    return [json.loads(line) for line in lines]


def in_column(page, name, key):
    return page.locator(f'.column[aria-label="{name}"] #{key}')


def signed_in(sandbox):
    return jira_caller(sandbox.jira, sandbox.jira.email, sandbox.jira.token)


def test_a_dragged_card_takes_the_transition_and_is_in_the_wire_log(running, page, tmp_path):
    page.goto(f"{running.url}/ui/jira?project=WEB")
    page.locator("#WEB-9").drag_to(page.locator('.column[aria-label="Idea"]'))
    in_column(page, "Idea", "WEB-9").wait_for()
    [moved] = logged(tmp_path)
    assert moved["request"]["method"] == "POST"
    assert moved["request"]["url"] == f"{running.url}/jira/rest/api/3/issue/WEB-9/transitions"
    assert moved["response"]["status"] == 204
    assert json.loads(moved["request"]["body"])["transition"]["id"]
    held = signed_in(running.sandbox)("GET", "/rest/api/3/issue/WEB-9")["fields"]
    assert held["status"]["name"] == "Idea"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_card_moves_by_its_button_with_the_keyboard(running, chromium, scripts):
    context = chromium.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{running.url}/ui/jira?project=WEB")
    page.get_by_role("button", name="Move WEB-9 to Idea").focus()
    page.keyboard.press("Enter")
    in_column(page, "Idea", "WEB-9").wait_for(timeout=WAIT)
    context.close()


def test_a_notion_property_is_edited(running, page, tmp_path):
    page.goto(f"{running.url}/ui/notion")
    page.get_by_role("link", name="Fleet cockpit").first.click()
    page.get_by_label("Status").select_option("Blocked")
    page.get_by_label("Target date", exact=True).fill("2027-03-31")
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_load_state()
    [edited] = logged(tmp_path)
    assert edited["request"]["method"] == "PATCH"
    row = page.url.rsplit("/", 1)[1]
    held = notion_caller(running.sandbox.notion, running.sandbox.notion.token)
    properties = held("GET", f"/v1/pages/{row}")["properties"]
    assert properties["Status"]["status"]["name"] == "Blocked"
    assert properties["Target date"]["date"]["start"] == "2027-03-31"
    assert len(json.loads(edited["request"]["body"])["properties"]) == 2


@pytest.mark.parametrize(
    ("service", "label", "button"),
    [("jira", "Summary", "Create issue"), ("asana", "Task name", "Add task"),
     ("notion", "Title", "Add page")],
)  # fmt: skip
def test_a_hostile_title_is_shown_as_text(running, page, service, label, button):
    page.goto(f"{running.url}/ui/")
    panel = page.locator(f".panel.{service}")
    panel.locator("details.create > summary").click()
    panel.get_by_label(label).fill(HOSTILE)
    panel.get_by_role("button", name=button).click()
    page.locator(f".panel.{service} a.title", has_text="<script>").first.click()
    page.locator("h1", has_text="<script>").wait_for()
    assert page.title() == f"{_title(page, service)} · syncd sandbox"
    assert page.locator("main img, main script").count() == 0


def _title(page, service):
    return f"{page.url.rsplit('/', 1)[1]} {HOSTILE}" if service == "jira" else HOSTILE


def test_what_others_do_appears_without_reloading_and_drafts_stay(running, page):
    page.goto(f"{running.url}/ui/jira/WEB-9")
    page.get_by_label("Add a comment").fill("half a thought")
    auth = (running.sandbox.jira.email, running.sandbox.jira.token)
    address = f"{running.url}/jira/rest/api/3/issue/WEB-9"
    fields = {"duedate": "2027-05-05"}
    assert requests.put(address, json={"fields": fields}, auth=auth, timeout=5).status_code == 204
    page.locator('#f-duedate[value="2027-05-05"]').wait_for()
    assert page.get_by_label("Add a comment").input_value() == "half a thought"


def test_side_by_side_is_live(running, page):
    page.goto(running.url)  # leads a browser to the face
    auth = (running.sandbox.jira.email, running.sandbox.jira.token)
    fields = {
        "project": {"key": "WEB"},
        "issuetype": {"name": "Task"},
        "summary": "Out of the blue",
    }
    address = f"{running.url}/jira/rest/api/3/issue"
    requests.post(address, json={"fields": fields}, auth=auth, timeout=5).raise_for_status()
    page.locator(".card.fresh", has_text="Out of the blue").wait_for()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_window(running, chromium, width):
    context = chromium.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    for path in ("", "jira", "jira/WEB-1", "asana", "notion"):
        page.goto(f"{running.url}/ui/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
