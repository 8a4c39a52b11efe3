"""Faults of network and transport, by id, as they show on a real socket."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
import requests

from syncd.sandbox.services import Dropped

MAKE = {"fields": {"project": {"key": "WEB"}, "issuetype": {"name": "Task"}, "summary": "lost one"}}


def count(lab):
    return sum(i.values["summary"] == "lost one" for i in lab.sandbox.jira.store.issues.values())


def split(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, body


@pytest.mark.parametrize(("fault", "stored"), [("N1", 1), ("N2", 0)])
def test_an_answer_or_a_request_is_lost(lab, fault, stored):
    lab.fault(id=fault, count=1)
    assert lab.bytes_of("jira", "POST", "/issue", MAKE) == (b"", "closed")
    assert count(lab) == stored


@pytest.mark.parametrize("service", ["jira", "asana", "notion"])
def test_n1_writes_of_every_service_take_their_effect(lab, service):
    lab.fault(id="N1")
    with pytest.raises(Dropped):
        lab.rename(service, "lost one")
    assert lab.name(service) == "lost one"


def test_n3_the_connection_is_reset_in_the_middle_of_the_body(lab):
    lab.fault(id="N3")
    raw, end = lab.bytes_of("jira", "GET", "/serverInfo")
    status, headers, body = split(raw)
    assert (status, end) == (200, "reset")
    assert 0 < len(body) == int(headers["content-length"]) // 2


def test_n4_the_effect_comes_after_the_time_out(lab):
    lab.fault(id="N4", late=0.4)
    raw, end = lab.bytes_of("jira", "POST", "/issue", MAKE, timeout=0.1)
    assert (raw, end, count(lab)) == (b"", "open", 0)
    lab.fault()
    lab.ask("jira", "GET", "/serverInfo")
    assert count(lab) == 0
    lab.step(1)
    lab.ask("jira", "GET", "/serverInfo")
    assert count(lab) == 1


def test_n5_two_requests_take_effect_in_the_other_order(lab):
    lab.fault(id="N5", count=1)
    with pytest.raises(Dropped):
        lab.rename("jira", "first")
    assert lab.summary() != "first"
    lab.rename("jira", "second")
    assert lab.summary() == "first"


def test_n6_json_is_cut_short(lab):
    lab.fault(id="N6", variant="json")
    _status, headers, body = split(lab.bytes_of("jira", "GET", "/serverInfo", timeout=0.3)[0])
    assert len(body) == int(headers["content-length"])
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(body)


def test_n6_the_length_is_wrong(lab):
    lab.fault(id="N6", variant="length")
    raw, end = lab.bytes_of("jira", "GET", "/serverInfo")
    _status, headers, body = split(raw)
    assert (len(body) + 64, end) == (int(headers["content-length"]), "closed")


def test_n6_the_gzip_is_bad(lab):
    lab.fault(id="N6", variant="gzip")
    _status, headers, body = split(lab.bytes_of("jira", "GET", "/serverInfo", timeout=0.3)[0])
    assert headers["content-encoding"] == "gzip"
    with pytest.raises((EOFError, zlib.error, gzip.BadGzipFile)):
        gzip.decompress(body)


@pytest.mark.parametrize("service", ["jira", "asana", "notion"])
def test_n7_a_page_of_html_with_status_200(lab, service):
    lab.fault(id="N7", service=service)
    answer = lab.raw(service, "GET", "/users/me")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.body.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("variant", "location"),
    [("host", "https://elsewhere.example/"), ("http", "http://api.example/")],
)
def test_n8_a_redirect(lab, variant, location):
    lab.fault(id="N8", variant=variant)
    answer = requests.get(f"{lab.url}/jira/rest/api/3/myself", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["location"]) == (302, location)


def test_n9_the_answer_comes_byte_by_byte(lab):
    lab.fault(id="N9")
    raw, _end = lab.bytes_of("jira", "GET", "/myself", timeout=0.3)
    _status, headers, body = split(raw)
    assert 1 <= len(body) < int(headers["content-length"])
    lab.fault(id="N9", slow=0.001)
    _status, headers, body = split(lab.bytes_of("jira", "GET", "/serverInfo", timeout=1)[0])
    assert len(body) == int(headers["content-length"])


def test_n11_a_kept_connection_is_closed_between_two_requests(lab):
    lab.fault(id="N11")
    raw, end = lab.bytes_of("jira", "GET", "/serverInfo", timeout=2)
    status, headers, body = split(raw)
    assert (status, end) == (200, "closed")
    assert len(body) == int(headers["content-length"])
    assert "connection" not in headers
    lab.fault()
    assert lab.bytes_of("jira", "GET", "/serverInfo", timeout=0.3)[1] == "open"


@pytest.mark.parametrize(("variant", "status"), [("502", 502), ("407", 407)])
def test_n12_a_proxy_answers(lab, variant, status):
    lab.fault(id="N12", variant=variant)
    got, headers, body = split(lab.bytes_of("asana", "GET", "/users/me", timeout=0.3)[0])
    assert got == status
    assert b"a proxy's own page" in body
    assert ("proxy-authenticate" in headers) == (status == 407)
