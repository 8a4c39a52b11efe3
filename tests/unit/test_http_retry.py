from __future__ import annotations

import random
from email.utils import formatdate

import pytest

from adapters.http import Caller, Site, excerpt, retry_after
from syncd.core.errors import NotAllowed, RateLimited, Unavailable
from syncd.testing.fakes import FakeClock


class Service:
    """Raises or returns what was planned, one after another, and notes when it was asked."""

    def __init__(self, clock: FakeClock, *plan: Exception | str) -> None:
        self.clock = clock
        self.plan = list(plan)
        self.asked_at: list[float] = []

    def __call__(self) -> str:
        self.asked_at.append(self.clock.monotonic())
        step = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        if isinstance(step, Exception):
            raise step
        return step


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def caller(clock: FakeClock, **more: float) -> Caller:
    settings = {"rate": 1000.0, "burst": 1000, **more}
    return Caller("jira", clock, rng=random.Random(1), **settings)


def limited(delay: float) -> RateLimited:
    return RateLimited("jira", "slow down", delay=delay)


def down(*, maybe_applied: bool = False) -> Unavailable:
    return Unavailable("jira", "down", maybe_applied=maybe_applied)


def test_read_is_repeated_with_growing_pauses(clock):
    service = Service(clock, down(), down(), down(), "answer")
    assert caller(clock).read("GET x", service) == "answer"
    first, second, third = clock.naps
    assert 0.35 <= first <= 0.65
    assert 0.7 <= second <= 1.3
    assert 1.4 <= third <= 2.6


def test_pauses_of_two_callers_differ(clock):
    other = FakeClock()
    caller(clock).read("GET x", Service(clock, down(), "answer"))
    Caller("jira", other, rate=1000, burst=9, rng=random.Random(2)).read(
        "GET x", Service(other, down(), "answer")
    )
    assert clock.naps != other.naps


def test_read_gives_up_after_five_attempts(clock):
    service = Service(clock, down())
    pacer = caller(clock)
    with pytest.raises(Unavailable):
        pacer.read("GET x", service)
    assert len(service.asked_at) == 5
    assert pacer.calls == 5


def test_permanent_error_is_not_repeated(clock):
    service = Service(clock, NotAllowed("jira", "no"))
    with pytest.raises(NotAllowed):
        caller(clock).read("GET x", service)
    assert len(service.asked_at) == 1


@pytest.mark.parametrize("delay", [1.5, 61.0, 119.0])
def test_full_delay_is_kept_however_long(clock, delay):
    service = Service(clock, limited(delay), "answer")
    assert caller(clock).read("GET x", service) == "answer"
    assert service.asked_at[1] - service.asked_at[0] >= delay


def test_delay_above_the_budget_is_raised_at_once_and_stops_all_calls(clock):
    pacer = caller(clock)
    with pytest.raises(RateLimited) as caught:
        pacer.read("GET x", Service(clock, limited(1847)))
    assert caught.value.delay == 1847
    assert clock.naps == []
    with pytest.raises(RateLimited) as caught:
        pacer.read("GET y", Service(clock, "answer"))
    assert caught.value.delay == pytest.approx(1847)
    assert pacer.calls == 1  # the second never left
    clock.advance(1848)
    assert pacer.read("GET y", Service(clock, "answer")) == "answer"


def test_waits_of_one_call_stay_within_the_budget(clock):
    with pytest.raises(RateLimited):
        caller(clock, budget=100.0).read("GET x", Service(clock, limited(60)))
    assert sum(clock.naps) <= 100


def test_others_keep_the_pause_too(clock):
    pacer = caller(clock, attempts=1)
    with pytest.raises(RateLimited):
        pacer.read("GET x", Service(clock, limited(30)))
    service = Service(clock, "answer")
    pacer.write("PUT y", service)
    assert service.asked_at == [pytest.approx(30)]


def test_write_that_may_have_been_applied_is_not_repeated(clock):
    service = Service(clock, down(maybe_applied=True), "answer")
    with pytest.raises(Unavailable) as caught:
        caller(clock).write("POST x", service)
    assert caught.value.maybe_applied
    assert len(service.asked_at) == 1


def test_write_that_was_not_applied_is_repeated(clock):
    service = Service(clock, down(), limited(2), "answer")
    assert caller(clock).write("POST x", service) == "answer"
    assert len(service.asked_at) == 3


def test_write_stops_at_the_first_unknown_outcome(clock):
    service = Service(clock, down(), down(maybe_applied=True), "answer")
    with pytest.raises(Unavailable):
        caller(clock).write("POST x", service)
    assert len(service.asked_at) == 2


def test_pace_is_a_burst_and_then_the_rate(clock):
    pacer = caller(clock, rate=10.0, burst=3)
    service = Service(clock, "answer")
    for _ in range(6):
        pacer.read("GET x", service)
    assert service.asked_at == pytest.approx([0, 0, 0, 0.1, 0.2, 0.3])
    clock.advance(10)
    for _ in range(4):
        pacer.read("GET x", service)
    assert service.asked_at[6:] == pytest.approx([10.3, 10.3, 10.3, 10.4])


def test_stopped_process_does_not_send_again(clock):
    clock.stop()
    service = Service(clock, limited(30), "answer")
    with pytest.raises(RateLimited):
        caller(clock).read("GET x", service)
    assert len(service.asked_at) == 1


def test_calls_are_counted_by_name(clock):
    pacer = caller(clock)
    pacer.read("GET a", Service(clock, down(), "answer"))
    pacer.write("PUT b", Service(clock, "answer"))
    assert pacer.by_name == {"GET a": 2, "PUT b": 1}
    assert pacer.calls == 3


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-5", 0.0),
        (formatdate(1_000_060, usegmt=True), 60.0),
        (formatdate(999_000, usegmt=True), 0.0),
        (formatdate(1_000_060), 60.0),  # ends with -0000
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after(text, seconds):
    assert retry_after({"Retry-After": text}, 1_000_000) == seconds


def test_retry_after_has_any_case_and_may_be_missing():
    assert retry_after({"retry-AFTER": "3"}, 0) == 3
    assert retry_after({}, 0) is None


def test_excerpt_is_one_short_line_without_markup_or_control_characters():
    page = (
        b"<html><head><title>Log\nin\x00</title><style>a { b }</style>"
        b"<script>alert(1)</script></head><body>\x1b[31mHello\xff\xe2\x80\xae" + b"x " * 900
    )
    shown = excerpt(page)
    assert shown.startswith("Log in [31mHello")
    assert len(shown) <= 120
    assert shown.isprintable()
    assert "alert" not in shown
    assert "<" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic c2VjcmV0OnNlY3JldA==",
        "sent Bearer s3cr3t-tok3n.value",
        "key ATATT3xFfGF0aBcDeFgHiJkLmNoPqRsTuVwXyZ012345 rejected",
        "the word hunter2 again",
    ],
)
def test_excerpt_shows_no_secret(text):
    shown = excerpt(text, hide=["hunter2"])
    for secret in ("c2VjcmV0", "s3cr3t", "ATATT", "hunter2"):
        assert secret not in shown
    assert "***" in shown


def test_excerpt_of_nothing_is_empty():
    assert excerpt(b"") == ""


@pytest.mark.parametrize(
    "error",
    [
        Site("work", "Jira", "https://acme.example").refused(),
        Site("work", "Jira", "https://acme.example").unknown_host(),
        Site("work", "Jira", "https://acme.example").insecure(),
        Site("work", "Jira", "https://acme.example").silent(write=True),
        Site("work", "Jira", "https://acme.example").silent(write=False),
        Site("work", "Jira", "https://acme.example").failing(502, b"<p>x</p>", write=False),
        Site("work", "Jira", "https://acme.example").limited(3, "burst"),
        Site("work", "Jira", "https://acme.example").unauthorized(),
        Site("work", "Jira", "https://acme.example").forbidden("read issue 1"),
        Site("work", "Jira", "https://acme.example").gone("issue 1"),
        Site("work", "Jira", "https://acme.example").not_the_api(200, b"<p>x</p>"),
        Site("work", "Jira", "https://acme.example").redirected("https://evil.example/?code=1"),
        Site("work", "Jira", "https://acme.example").odd("repeated a page"),
    ],
    ids=lambda error: str(error)[40:70],
)
def test_every_sentence_names_the_place_and_says_what_to_do(error):
    text = str(error)
    assert text.startswith("work: Jira at https://acme.example ")
    assert "\n" not in text
    advice = text.rpartition(": ")[2]
    assert len(advice) > 10
    assert not text.endswith(".")


def test_redirect_shows_no_code_from_the_address():
    error = Site("work", "Jira", "https://acme.example").redirected("https://id.example/?code=77")
    assert "77" not in str(error)
    assert "https://id.example/" in str(error)


def test_only_writes_without_an_answer_may_have_been_applied():
    site = Site("work", "Jira", "https://acme.example")
    assert site.silent(write=True).maybe_applied
    assert site.failing(500, b"", write=True).maybe_applied
    assert not site.silent(write=False).maybe_applied
    assert not site.refused().maybe_applied
    assert not site.limited(1).maybe_applied
