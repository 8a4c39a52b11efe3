"""Every fault of the catalogue in every variant, set by the control endpoint and seen on a socket.

One fixed life of each service is lived without faults, and again with each: what came over the wire must
not be the same. What each fault does exactly is tested by id in the other `test_faults_*.py`.
"""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
import requests

from syncd.sandbox.catalogue import CATALOGUE, NOT_OFFERED, preset
from syncd.sandbox.injectors import ACTIONS
from syncd.sandbox.oauth import GATEWAY

API = {"jira": "/rest/api/3", "asana": "/api/1.0", "notion": "/v1"}
ODD = 'two  blanks, "quotes", e\u0301, \u200bnothing\u00a0seen, https://a.example/b'
HEADERS = ("retry-after", "content-type", "location", "date", "content-encoding", "connection",
           "proxy-authenticate", "x-authentication-denied-reason", "ratelimit-reason")  # fmt: skip
# options without which a fault takes long or has nothing to strike in the life below
MORE = {
    "N4": {"late": 0.3, "count": 2},
    "N9": {"count": 2},
    "A2": {"after": 1},
    "H5": {"after": 2, "with": {"scale": 0.001}},
    "H6": {"with": {"element": 1}},
    "H8": {"with": {"most": 20}},
    "H9": {"path": "(issue|tasks|pages)/"},
    "L1": {"with": {"least": 200}},
    "L5": {"after": 1},
    "L7": {"after": 1},
    "U5": {"with": {"number": 12}},
    "V10": {"with": {"number": 30, "characters": 40_000}},
}
ELSEWHERE = {
    ("H4", "counted"): "test_faults_people.py: needs requests at the same time",
    ("N9", "dns"): "test_faults_connection.py: before any socket",
    ("N10", "expired"): "test_faults_connection.py: TLS",
    ("N10", "wrong-host"): "test_faults_connection.py: TLS",
    ("N10", "self-signed"): "test_faults_connection.py: TLS",
}
CASES = [
    (entry.id, variant, service)
    for entry in CATALOGUE.values()
    for variant in entry.variants
    for service in preset(entry.id, variant)["services"]
    if (entry.id, variant) not in ELSEWHERE and entry.id != "W1"  # test_webhooks*.py: deliveries
]


def whole(got):
    """Tell whether an answer is there to its last byte."""
    head, gap, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(gap) and len(body) >= (int(length[1]) if length else 0)


class Life:
    """The life of one service, as bytes on sockets."""

    def __init__(self, lab, service, patience):
        self.lab, self.service, self.patience = lab, service, patience
        self.lingers = 0.0  # seconds to see whether the connection is closed after the answer
        self.seen = []

    def ask(self, method, path, body=None, **headers):
        lab = self.lab
        data = b"" if body is None else json.dumps(body).encode()
        api = path[1:] if path.startswith("!") else API[self.service] + path
        named = {"host": "localhost", "content-type": "application/json",
                 "content-length": len(data), **lab.headers(self.service), **headers}  # fmt: skip
        lines = [
            f"{method} /{self.service}{api} HTTP/1.1",
            *(f"{k}: {v}" for k, v in named.items()),
        ]
        with socket.create_connection(("127.0.0.1", lab.server.port), self.patience) as sock:
            sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
            status, kept, content, end = self.receive(sock)
        self.seen.append((method, path, status, end, kept, content))
        try:
            return json.loads(content)
        except ValueError:
            return {}

    def receive(self, sock):
        """Return status, headers, body and how it ended: "" when the answer was whole."""
        got, end = b"", ""
        try:
            while not whole(got) and not end:
                part = sock.recv(1 << 20)
                got, end = got + part, "" if part else "closed"
            sock.settimeout(self.lingers)
            end = end or ("closed after" if self.lingers and not sock.recv(1) else "")
        except ConnectionResetError:
            end = "reset"
        except TimeoutError:
            end = "" if whole(got) else "open"
        head, _, content = got.partition(b"\r\n\r\n")
        found = dict(
            line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if line
        )
        return head[9:12].decode(), {n: found[n] for n in HEADERS if n in found}, content, end

    def live(self):
        for verb in (self.look, getattr(self, self.service), self.sign_in, self.look):
            verb()
            self.lab.step(61)
        return self.seen

    def look(self):
        """Read lists, pages of lists, items, people and set-up."""
        {"jira": self.look_jira, "asana": self.look_asana, "notion": self.look_notion}[
            self.service
        ]()

    # Jira

    def look_jira(self):
        body = {"jql": "project = WEB ORDER BY updated DESC", "maxResults": 5,
                "fields": ["summary", "updated", "parent", "issuetype", "labels"]}  # fmt: skip
        token = self.ask("POST", "/search/jql", body).get("nextPageToken")
        self.ask("POST", "/search/jql", {**body, "nextPageToken": token or "x"})
        local = {"jql": 'updated >= "2026-09-28 13:34"', "maxResults": 3}
        self.ask("POST", "/search/jql", local)
        for path in ("/myself", "/field", "/status", "/issue/WEB-1/transitions?expand=transitions.fields",
                     "/issue/WEB-1", "/issue/WEB-2", "/issue/WEB-1/comment", "/project/WEB",
                     "/issue/WEB-1/properties/mark", "/project/WEB/statuses", "/users/search"):  # fmt: skip
            self.ask("GET", path)

    def jira(self):
        content = [{"type": "paragraph", "content": [{"type": "text", "text": ODD}]}]
        document = {"type": "doc", "version": 1, "content": content}
        fields = {"summary": ODD, "description": document, "labels": ["a", "b", "c", "B"]}
        self.ask("PUT", "/issue/WEB-1", {"fields": fields})
        self.ask("GET", "/issue/WEB-1")
        self.ask("PUT", "/issue/WEB-1", {"fields": {"duedate": "2030-01-01"}})
        new = {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}}
        rows = [{"fields": {**new, "summary": f"bulk {number}"}} for number in range(3)]
        self.ask("POST", "/issue/bulk", {"issueUpdates": rows})
        self.ask("POST", "/issue", {"fields": {**new, "summary": "one"}})
        self.ask("POST", "/issue/WEB-1/transitions", {"transition": {"id": "21"}})

    # Asana

    def look_asana(self):
        lab = self.lab
        fields = (
            "opt_fields=name,modified_at,tags.name,custom_fields,due_on,due_at,html_notes,notes"
        )
        path = f"/projects/{lab.project}/tasks?limit=3&{fields}"
        page = self.ask("GET", path).get("next_page") or {}
        self.ask("GET", f"{path}&offset={page.get('offset', 'x')}")
        workspace, task = lab.sandbox.asana.workspace, lab.task
        settings = "opt_fields=custom_field.name,custom_field.enum_options.name,custom_field.type"
        self.sync = self.ask("GET", f"/events?resource={lab.project}").get("sync")
        for path in ("/users/me", "/users?opt_fields=name,email", f"/tasks/{task}?{fields}",
                     f"/tasks/{task}", f"/tasks/{task}/subtasks", f"/tasks/{task}/stories",
                     f"/workspaces/{workspace}/tasks/search?opt_fields=name,modified_at",
                     f"/projects/{lab.project}", f"/projects/{lab.project}/sections",
                     f"/projects/{lab.project}/custom_field_settings?{settings}"):  # fmt: skip
            self.ask("GET", path)

    def asana(self):
        lab = self.lab
        notes = f"<body>{ODD}</body>"
        self.ask("PUT", f"/tasks/{lab.task}", {"data": {"name": ODD, "html_notes": notes}})
        self.ask("GET", f"/tasks/{lab.task}?opt_fields=name,html_notes")
        self.ask("GET", f"/events?resource={lab.project}&sync={self.sync}")
        actions = [{"method": "get", "relative_path": "/users/me"}] * 3
        self.ask("POST", "/batch", {"data": {"actions": actions}})
        self.ask("POST", "/tasks", {"data": {"name": "one", "projects": [lab.project]}})

    # Notion

    def look_notion(self):
        lab = self.lab
        query = f"/data_sources/{lab.source.id}/query"
        sorts = [{"timestamp": "last_edited_time", "direction": "descending"}]
        body = {"page_size": 5, "sorts": sorts}
        cursor = self.ask("POST", query, body).get("next_cursor")
        self.ask("POST", query, {**body, "start_cursor": cursor or "x"})
        for path in ("/users/me", "/users", f"/pages/{lab.first}", f"/blocks/{lab.first}/children",
                     f"/blocks/{lab.leaders}/children", f"/comments?block_id={lab.first}",
                     f"/data_sources/{lab.source.id}", f"/databases/{lab.source.parent[1]}"):  # fmt: skip
            self.ask("GET", path)
        self.ask("POST", "/search", {"page_size": 100})

    def notion(self):
        lab = self.lab
        name = {"Name": {"title": [{"text": {"content": ODD}}]},
                "Labels": {"multi_select": [{"name": "a"}, {"name": "b"}]}}  # fmt: skip
        self.ask("PATCH", f"/pages/{lab.first}", {"properties": name})
        self.ask("GET", f"/pages/{lab.first}")
        words = {"paragraph": {"rich_text": [{"type": "text", "text": {"content": ODD}}]}}
        self.ask("PATCH", f"/blocks/{lab.first}/children", {"children": [words]})
        parent = {"data_source_id": lab.source.id}
        self.ask("POST", "/pages", {"parent": parent, "properties": name})

    # OAuth

    def sign_in(self):
        paths = {"jira": "/oauth/token", "asana": "/-/oauth_token", "notion": "/v1/oauth/token"}
        given = self.lab.sandbox.consent(self.service)
        app = {name: given[name] for name in ("client_id", "client_secret")}
        code = {"grant_type": "authorization_code", "code": given["code"]}
        got = self.token(paths[self.service], {**app, **code})
        for _time in range(2):
            sent = {"grant_type": "refresh_token", "refresh_token": got.get("refresh_token", "x")}
            got = {**got, **self.token(paths[self.service], {**app, **sent})}
        me = {"jira": f"{GATEWAY}/rest/api/3/myself", "asana": "/api/1.0/users/me",
              "notion": "/v1/users/me"}  # fmt: skip
        header = f"Bearer {got.get('access_token', 'x')}"
        self.ask("GET", "!" + me[self.service], authorization=header)

    def token(self, path, sent):
        basic = requests.auth._basic_auth_str(sent["client_id"], sent["client_secret"])
        return self.ask("POST", "!" + path, sent, authorization=basic)


@pytest.fixture(scope="module")
def world(standing_lab):
    lab = standing_lab
    lab.first, lab.leaders = lab.page, prepare(lab)
    assert lab.url
    before = lab.sandbox.snapshot()
    usual = {}
    for service in ("jira", "asana", "notion"):
        usual[service] = anew(lab, before, service).live()
        assert anew(lab, before, service).live() == usual[service]
        assert {int(row[2]) for row in usual[service]} <= {200, 201, 204, 400, 403, 404, 412}
    return lab, before, usual


def prepare(lab):
    """Put in what some faults are about; return a page with words on it."""
    lab.ask("jira", "PUT", "/issue/WEB-1/properties/mark", {"item": "m-1"})
    points = next(
        f["id"] for f in lab.ask("jira", "GET", "/field")[1] if f["name"] == "Story Points"
    )
    assert lab.ask("jira", "PUT", "/issue/WEB-1", {"fields": {points: 2.5}})[0] == 204
    archived = {"issueIdsOrKeys": ["WEB-9"]}
    assert lab.ask("jira", "PUT", "/issue/archive", archived)[0] == 200
    settings = f"/projects/{lab.project}/custom_field_settings"
    rows = lab.ask("asana", "GET", settings, opt_fields="custom_field.name,custom_field.type")[1][
        "data"
    ]
    fields = {row["custom_field"]["name"]: row["custom_field"] for row in rows}
    values = {fields["Syncd ID"]["gid"]: "m-1"}
    values |= {f["gid"]: 2.5 for f in fields.values() if f["type"] == "number"}
    lab.ask("asana", "PUT", f"/tasks/{lab.task}", {"data": {"custom_fields": values}})
    lab.ask("asana", "POST", f"/tasks/{lab.task}/subtasks", {"data": {"name": "a part"}})
    for name in ("one", "two"):
        tag = {"data": {"name": name, "workspace": lab.sandbox.asana.workspace}}
        tag = lab.ask("asana", "POST", "/tags", tag)[1]["data"]["gid"]
        lab.ask("asana", "POST", f"/tasks/{lab.task}/addTag", {"data": {"tag": tag}})
    words = {
        "Syncd ID": {"rich_text": [{"text": {"content": "m-1"}}]},
        "Points done": {"number": 2.5},
    }
    lab.ask("notion", "PATCH", f"/pages/{lab.page}", {"properties": words})
    rows = lab.query(page_size=100)["results"]
    lab.ask("notion", "PATCH", f"/pages/{rows[-1]['id']}", {"in_trash": True})
    block = {"paragraph": {"rich_text": [{"text": {"content": "For the leaders"}}]}}
    page = lab.ask("notion", "POST", "/pages", {
        "parent": {"type": "workspace", "workspace": True}, "children": [block] * 9,
        "properties": {"title": {"title": [{"text": {"content": "Leaders"}}]}}})[1]  # fmt: skip
    return page["id"]


def anew(lab, before, service, patience=5.0):
    """Return a life that begins where every other began."""
    lab.sandbox.faults.set([])
    lab.sandbox.limits.set(None)
    for name in ("jira", "asana", "notion"):
        lab.sandbox.service(name).clock.skew(0)
    lab.sandbox.restore(before)
    return Life(lab, service, patience)


@pytest.mark.parametrize(("fault", "variant", "service"), CASES)
def test_it_shows_on_the_wire(world, fault, variant, service):
    lab, before, usual = world
    life = anew(lab, before, service, 0.15 if fault in {"N4", "N9"} else 5.0)
    life.lingers = 0.1 if fault == "N11" else 0.0
    rule = {"id": fault, "variant": variant or None, "service": service, **MORE.get(fault, {})}
    answer = requests.post(f"{lab.url}/_sandbox/faults", json=[rule], timeout=5)
    assert answer.status_code == 200, answer.text
    seen = life.live()
    (told,) = requests.get(f"{lab.url}/_sandbox/faults", timeout=5).json()["faults"]
    assert told["happened"] > 0
    assert seen != usual[service]
    assert not [row for row in seen if row[2] == "500" and fault != "H1"]


# the catalogue against the faults that are asked for


def asked_for():
    """Return the ids of part 2 of the fault list that lies beside the project."""
    path = Path(__file__).parents[2].parent / "shared" / "reference" / "reliability.md"
    if not path.exists():
        pytest.skip("the list of faults does not lie beside the project")
    text = path.read_text("utf8")
    part = text[text.index("\n# Part 2") : text.index("\n# Part 3")]
    return re.findall(r"^\| ([A-Z]\d+) \|", part, re.MULTILINE)


def test_every_fault_that_is_asked_for_is_offered_or_named_with_its_reason():
    ids = asked_for()
    assert len(ids) == len(set(ids)) == 91
    assert set(ids) == set(CATALOGUE) | set(NOT_OFFERED)
    assert not set(CATALOGUE) & set(NOT_OFFERED)
    process = re.compile(r"[KSM]\d|C7|C8|T[134]|W2")  # process, store, clock, configuration
    assert all(process.fullmatch(name) for name in NOT_OFFERED)


def test_every_injector_belongs_to_a_fault():
    used = {v.get("do") for entry in CATALOGUE.values() for v in entry.variants.values()}
    assert set(ACTIONS) <= used


def test_every_id_and_variant_has_a_test_of_its_own():
    here = Path(__file__).parent
    files = [*here.glob("test_faults_*.py"), *here.glob("test_webhook*.py"), here / "test_oauth.py"]
    text = "".join(path.read_text("utf8") for path in sorted(files) if path != Path(__file__))
    for entry in CATALOGUE.values():
        assert f'"{entry.id}"' in text, entry.id
        for variant in filter(None, entry.variants):
            assert f'"{variant}"' in text, (entry.id, variant)
