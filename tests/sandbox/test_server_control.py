"""The sandbox as a server: prefixes, controls, faults on the wire, the wire log."""

from __future__ import annotations

import json
import time

import pytest
import requests

from syncd.sandbox.faults import Faults
from syncd.sandbox.server import start_in_thread
from syncd.sandbox.services import Dropped, Sandbox, template
from syncd.sandbox.wire import Request

HTML = "<html><body>Bad gateway</body></html>"


@pytest.fixture
def running(tmp_path):
    with start_in_thread(Sandbox(wire_log=tmp_path / "wire.jsonl")) as server:
        server.sandbox.jira.add_project("WEB", "Web shop")
        yield server


@pytest.fixture
def session(running):
    with requests.Session() as made:
        made.auth = (running.sandbox.jira.email, running.sandbox.jira.token)
        yield made


def create(running, session, summary="item"):
    fields = {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": summary}
    return session.post(f"{running.url}/jira/rest/api/3/issue", json={"fields": fields}, timeout=5)


def held(running, session):
    body = {"jql": "project = WEB"}
    url = f"{running.url}/jira/rest/api/3/search/approximate-count"
    return session.post(url, json=body, timeout=5).json()["count"]


def fault(running, **rule):
    answer = requests.post(f"{running.url}/_sandbox/faults", json=[rule], timeout=5)
    assert answer.status_code == 200, answer.text


def test_health_and_unknown_paths(running):
    assert requests.get(f"{running.url}/_sandbox/healthz", timeout=5).json()["ok"] is True
    assert requests.get(f"{running.url}/elsewhere", timeout=5).status_code == 404


def test_links_carry_the_prefix_and_the_host_that_was_asked(running, session):
    made = create(running, session).json()
    assert made["self"].startswith(f"{running.url}/jira/rest/api/3/issue/")
    assert session.get(made["self"], timeout=5).json()["key"] == made["key"]


def test_queries_keep_signs_repeats_and_unicode(running, session):
    create(running, session, "Grüße & more")
    params = {"jql": 'summary ~ "Grüße" AND created >= -1h', "fields": ["summary", "key"]}
    answer = session.get(f"{running.url}/jira/rest/api/3/search/jql", params=params, timeout=5)
    assert answer.json()["issues"][0]["fields"] == {"summary": "Grüße & more"}


def test_the_clock_is_set_stepped_frozen_and_run(running, session):
    url = f"{running.url}/_sandbox/clock"

    def turn(**how):
        return requests.post(url, json=how, timeout=5)

    turn(freeze=True)
    assert turn(set=1_772_366_400).json()["utc"] == "2026-03-01T12:00:00+00:00"
    assert turn(step=90).json()["now"] == 1_772_366_490
    info = session.get(f"{running.url}/jira/rest/api/3/serverInfo", timeout=5).json()
    assert info["serverTime"] == "2026-03-01T12:01:30.000+0000"
    assert requests.get(url, timeout=5).json()["frozen"] is True
    assert turn(run=True).json()["frozen"] is False
    assert turn(jump=1).status_code == 400
    assert "set, step, freeze and run" in turn(jump=1).json()["error"]


def test_calls_are_counted_by_endpoint(running, session):
    requests.post(f"{running.url}/_sandbox/counters/reset", timeout=5)
    for _ in range(3):
        create(running, session)
    session.get(f"{running.url}/jira/rest/api/3/issue/WEB-1", timeout=5)
    rows = requests.get(f"{running.url}/_sandbox/counters", timeout=5).json()["counters"]
    assert rows[0] == {"service": "jira", "method": "POST", "endpoint": "/rest/api/3/issue",
                       "status": 201, "calls": 3}  # fmt: skip
    assert rows[1]["endpoint"] == "/rest/api/3/issue/{id}"


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/rest/api/3/project/WEB/statuses", "/rest/api/3/project/{id}/statuses"),
        ("/rest/api/3/project/search", "/rest/api/3/project/search"),
        ("/api/1.0/tasks/1209", "/api/1.0/tasks/{id}"),
        ("/v1/pages/5f1c6a543ed24c1e9d0a6f0f6b8c2a11", "/v1/pages/{id}"),
    ],
)
def test_endpoints_are_told_without_ids(path, endpoint):
    assert template(path) == endpoint


def test_a_fault_answers_instead_of_the_service(running, session):
    fault(running, id="full", method="POST", status=429, headers={"Retry-After": "7"},
          body={"errorMessages": ["slow down"]}, count=1)  # fmt: skip
    answer = create(running, session)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert create(running, session).status_code == 201
    assert held(running, session) == 1


def test_a_fault_may_come_after_the_effect(running, session):
    fault(running, id="saved", method="POST", path="/issue$", status=503, apply=True, count=1)
    assert create(running, session).status_code == 503
    assert held(running, session) == 1


def test_a_gateway_answers_in_html(running, session):
    fault(running, id="gateway", path="/myself$", html=HTML)
    answer = session.get(f"{running.url}/jira/rest/api/3/myself", timeout=5)
    assert (answer.status_code, answer.text) == (502, HTML)
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(("kind", "stored"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_has_or_has_not_its_effect(running, session, kind, stored):
    fault(running, id="drop", method="POST", path="/issue$", count=1, **{kind: True})
    with pytest.raises(requests.ConnectionError):
        create(running, session)
    assert held(running, session) == stored


def test_an_answer_breaks_off(running, session):
    fault(running, id="cut", path="/serverInfo$", truncate=20)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(f"{running.url}/jira/rest/api/3/serverInfo", timeout=5)


def test_an_answer_comes_late(running, session):
    fault(running, id="late", path="/serverInfo$", delay=0.3)
    start = time.monotonic()
    answer = session.get(f"{running.url}/jira/rest/api/3/serverInfo", timeout=5)
    assert answer.status_code == 200
    assert time.monotonic() - start >= 0.3
    with pytest.raises(requests.ReadTimeout):
        session.get(f"{running.url}/jira/rest/api/3/serverInfo", timeout=0.05)


def test_latency_holds_for_every_answer(running, session):
    requests.post(f"{running.url}/_sandbox/latency", json={"seconds": 0.2}, timeout=5)
    start = time.monotonic()
    session.get(f"{running.url}/jira/rest/api/3/serverInfo", timeout=5)
    assert time.monotonic() - start >= 0.2


def test_faults_are_listed_with_tallies_and_taken_away(running, session):
    fault(running, id="x", path="/myself$", status=500, after=1)
    url = f"{running.url}/jira/rest/api/3/myself"
    assert [session.get(url, timeout=5).status_code for _ in range(2)] == [200, 500]
    (rule,) = requests.get(f"{running.url}/_sandbox/faults", timeout=5).json()["faults"]
    assert (rule["id"], rule["matched"], rule["happened"]) == ("x", 2, 1)
    requests.delete(f"{running.url}/_sandbox/faults", timeout=5)
    assert session.get(url, timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"id": "a", "stauts": 500}, "unknown key 'stauts'"),
        ({"id": "a", "path": "x"}, "says nothing that happens"),
        ({"id": "a", "status": 500, "path": "("}, "is no regular expression"),
        ({"id": "a", "status": 500, "rate": 2}, "rate must be between 0 and 1"),
        ({"id": "a", "status": "500"}, "status must be a whole number, 0 or more, not '500'"),
        ({"id": "a", "status": True}, "status must be a whole number"),
        ({"id": "a", "delay": -1}, "delay must be a number, 0 or more, not -1"),
        ({"id": "a", "reset": "after"}, "reset must be a number"),
        ({"id": "a", "status": 500, "apply": "yes"}, "apply must be true or false, not 'yes'"),
        ({"id": "a", "status": 500, "headers": 3}, "headers must be an object"),
        ({"id": "a", "status": 500, "service": "jra"}, "service must be one of jira, asana"),
        ({"id": "a", "do": []}, "do must be text"),
    ],
)
def test_a_rule_that_is_none_is_refused_and_the_old_ones_stay(running, rule, said):
    fault(running, id="old", path="/never", status=500)
    answer = requests.post(f"{running.url}/_sandbox/faults", json=[rule], timeout=5)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    (kept,) = requests.get(f"{running.url}/_sandbox/faults", timeout=5).json()["faults"]
    assert kept["id"] == "old"


def test_the_same_seed_strikes_the_same_requests():
    def struck(seed):
        faults = Faults(seed)
        faults.set([{"id": "some", "status": 500, "rate": 0.3}])
        request = Request("GET", "/x")
        return [faults.choose("jira", request) is not None for _ in range(200)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


def test_rules_are_read_from_a_file(tmp_path):
    path = tmp_path / "faults.json"
    path.write_text('[{"id": "a", "status": 500}]')
    faults = Faults()
    faults.load(path)
    assert faults.choose("asana", Request("GET", "/x")).id == "a"
    path.write_text('{"id": "a"}')
    with pytest.raises(ValueError, match=r"faults.json must hold a list"):
        faults.load(path)
    path.write_text('[{"id": "a"}]')
    with pytest.raises(ValueError, match=r"faults.json: fault rule 1 says nothing"):
        faults.load(path)


def test_in_process_a_dropped_connection_is_an_exception():
    sandbox = Sandbox()
    sandbox.faults.set([{"id": "d", "drop_after": True}])
    with pytest.raises(Dropped):
        sandbox.handle("jira", Request("GET", "/rest/api/3/serverInfo"))


def test_the_wire_log_has_every_exchange_and_no_credentials(running, session, tmp_path):
    create(running, session)
    fault(running, id="drop", path="/myself$", drop_before=True)
    with pytest.raises(requests.ConnectionError):
        session.get(f"{running.url}/jira/rest/api/3/myself", timeout=5)
    text = (tmp_path / "wire.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert rows[0]["request"]["url"] == f"{running.url}/jira/rest/api/3/issue"
    assert rows[0]["response"]["status"] == 201
    assert json.loads(rows[0]["request"]["body"])["fields"]["summary"] == "item"
    assert json.loads(rows[0]["response"]["body_text"])["key"] == "WEB-1"
    assert rows[-1]["response"] == {"status": 0, "dropped": True}
    assert "authorization" not in text.lower()
    assert running.sandbox.jira.token not in text


def test_a_taken_port_is_told_in_a_sentence(running):
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{running.port}.*another one"):
        start_in_thread(Sandbox(), port=running.port)


def test_stopping_frees_the_port():
    first = start_in_thread(Sandbox())
    first.stop()
    with start_in_thread(Sandbox(), port=first.port) as again:
        assert again.port == first.port


@pytest.mark.parametrize("moment", [1e300, -1e300, -1e9, float("nan")])
def test_a_moment_without_a_date_is_refused_and_the_clock_stays(running, moment):
    url = f"{running.url}/_sandbox/clock"
    body = json.dumps({"set": moment})
    assert requests.post(url, data=body, timeout=5).status_code == 400
    assert requests.get(url, timeout=5).json()["now"] == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("end", ["faults", "clock", "snapshot", "restore", "notion", "latency"])
def test_controls_refuse_what_is_no_object(running, end):
    for body in ("x", '"x"', "1", "[1]", "null"):
        answer = requests.post(f"{running.url}/_sandbox/{end}", data=body, timeout=5)
        assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_a_crash_of_a_stand_in_is_told_in_the_log(running, session, caplog):
    def crash(_request):
        raise LookupError("broken")

    running.sandbox.jira.handle = crash
    answer = session.get(f"{running.url}/jira/rest/api/3/myself", timeout=5)
    assert answer.status_code == 500
    assert "stand-in itself: GET /rest/api/3/myself" in caplog.text
    assert "LookupError: broken" in caplog.text
