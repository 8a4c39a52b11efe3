"""Goals, their metrics, what supports them, and time periods."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from typing import Any

from syncd.sandbox.asana import holders
from syncd.sandbox.asana.call import Call
from syncd.sandbox.asana.entities import Entity, Project, Story, Task, Team, User, Workspace
from syncd.sandbox.asana.errors import bad, missing, premium, unknown
from syncd.sandbox.asana.planning import (
    COMPUTED,
    SOURCES,
    Goal,
    GoalRelationship,
    Metric,
    Portfolio,
    TimePeriod,
)
from syncd.sandbox.wire import Response

STATUSES = ("green", "yellow", "red", "missed", "achieved", "partial", "dropped")
UNITS = ("none", "currency", "percentage")
SUPPORTERS = (Goal, Project, Task, Portfolio)
HALVES = {"FY": (1, 12), "H1": (1, 6), "H2": (7, 12)}
QUARTERS = {f"Q{n}": (3 * n - 2, 3 * n) for n in range(1, 5)}
YEARS = 3  # before and after the present one


def need_plan(call: Call) -> None:
    """Refuse with 402 on a plan without goals and portfolios."""
    if not call.store.paid:
        raise premium("This feature is not available for free users.")


def load(call: Call, goal: str) -> Goal:
    """Return a goal of the path."""
    need_plan(call)
    return call.load(Goal, goal)


def get_goal(call: Call, goal: str) -> Response:
    """GET /goals/{gid}."""
    return call.one(load(call, goal))


def list_goals(call: Call) -> Response:
    """GET /goals by workspace, team, what it is supported by, or time periods."""
    need_plan(call)
    tests = [
        call.query_object(kind, name)
        for name, kind in (("workspace", Workspace), ("team", Team))
        if call.request.one(name)
    ]
    helper = next((n for n in ("project", "portfolio", "task") if call.request.one(n)), None)
    if not tests and helper is None:
        raise missing("workspace")
    return call.rows(goal for goal in call.store.every(Goal) if _matches(call, goal, helper))


def _matches(call: Call, goal: Goal, helper: str | None) -> bool:
    one, level = call.request.one, call.query_flag("is_workspace_level")
    periods = one("time_periods")
    return (
        one("workspace") in {None, goal.workspace}
        and one("team") in {None, goal.team}
        and level in {None, goal.is_workspace_level}
        and (periods is None or goal.time_period in periods.split(","))
        and (helper is None or one(helper) in {it.resource for it in _links(call, goal)})
    )


def _links(call: Call, goal: Goal) -> list[GoalRelationship]:
    return call.store.some(goal.relationships, GoalRelationship)


def create_goal(call: Call) -> Response:
    """POST /goals."""
    need_plan(call)
    home = call.body_object(Workspace, "workspace")
    made = Goal(
        call.store.new_gid(),
        name=call.required("name"),
        workspace=home.gid,
        created_at=call.store.now(),
        owner=call.user,
        followers=tuple(dict.fromkeys((call.user, *(it.gid for it in call.people("followers"))))),
    )
    call.actor.muted = True
    holders.apply(call, made, _read(call, made))
    call.actor.muted = False
    call.store.add(made)
    call.actor.emit(made, "added", parent=home)
    return call.made(made, "goals")


def update_goal(call: Call, goal: str) -> Response:
    """PUT /goals/{gid}."""
    found = load(call, goal)
    new = _read(call, found)
    if call.has("status"):
        if found.metric is None:
            raise bad("status: Cannot be set on a goal without a metric")
        status = call.body["status"]
        new["status"] = None if status is None else call.choice("status", STATUSES, "green")
    if call.has("custom_fields"):
        new["custom_values"] = holders.read_values(call, found)
    holders.apply(call, found, new)
    return call.one(found)


def _read(call: Call, goal: Goal) -> dict[str, Any]:
    new: dict[str, Any] = holders.read_dates(call, "due_on")
    if call.has("name"):
        new["name"] = call.required("name")
    if call.has("notes") or call.has("html_notes"):
        new["notes"] = holders.read_notes(call)
    if call.has("is_workspace_level"):
        new["is_workspace_level"] = call.flag("is_workspace_level")
    for name, kind in (("team", Team), ("time_period", TimePeriod)):
        if call.has(name):
            value = call.body[name]
            new[name] = None if value is None else call.named(kind, value, name).gid
    if call.has("owner"):
        owner = call.body["owner"]
        new["owner"] = None if owner is None else call.person(owner, "owner").gid
    if call.has("liked"):
        others = tuple(gid for gid in goal.likes if gid != call.user)
        new["likes"] = (*others, call.user) if call.flag("liked") else others
    return new


def delete_goal(call: Call, goal: str) -> Response:
    """DELETE /goals/{gid}."""
    found = load(call, goal)
    for link in list(call.store.every(GoalRelationship)):
        if found.gid in {link.goal, link.resource}:
            _drop(call, link)
    call.actor.emit(found, "deleted")
    call.store.bin(found)
    return call.empty()


# -- metrics ----------------------------------------------------------------------------------


def set_metric(call: Call, goal: str) -> Response:
    """POST /goals/{gid}/setMetric."""
    found = load(call, goal)
    first, last = (
        _number(call, "initial_number_value", 0),
        _number(call, "target_number_value", 100),
    )
    if first == last:
        raise bad("target_number_value: Cannot be equal to initial_number_value")
    found.metric = Metric(
        call.store.new_gid(),
        goal=found.gid,
        precision=call.digits("precision"),
        unit=call.choice("unit", UNITS, "none"),
        currency_code=call.text("currency_code") or None,
        initial=first,
        target=last,
        current=_number(call, "current_number_value", first),
        source=call.choice("progress_source", SOURCES, "manual"),
        is_custom_weight=call.flag("is_custom_weight"),
    )
    call.actor.changed(found, "metric")
    return call.one(found)


def _number(call: Call, name: str, default: float) -> float:
    value = call.body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise bad(f"{name}: Value is not a number: {value}")
    return value


def set_current(call: Call, goal: str) -> Response:
    """POST /goals/{gid}/setMetricCurrentValue."""
    found = load(call, goal)
    if found.metric is None:
        raise bad("metric: The goal has no metric")
    if not call.has("current_number_value"):
        raise missing("current_number_value")
    value = _number(call, "current_number_value", 0)
    if found.metric.source in COMPUTED:
        raise bad("current_number_value: Cannot be set while progress is computed")
    if value != found.metric.current:
        found.metric.current = round(value, found.metric.precision)
        call.actor.changed(found, "metric")
    return call.one(found)


# -- what supports a goal ---------------------------------------------------------------------


def list_relationships(call: Call) -> Response:
    """GET /goal_relationships?supported_goal=."""
    need_plan(call)
    goal = call.query_object(Goal, "supported_goal")
    if goal is None:
        raise missing("supported_goal")
    subtype = call.request.one("resource_subtype")
    return call.rows(it for it in _links(call, goal) if subtype in {None, it.subtype})


def get_relationship(call: Call, relationship: str) -> Response:
    """GET /goal_relationships/{gid}."""
    need_plan(call)
    return call.one(call.load(GoalRelationship, relationship))


def update_relationship(call: Call, relationship: str) -> Response:
    """PUT /goal_relationships/{gid}: its weight."""
    need_plan(call)
    found = call.load(GoalRelationship, relationship)
    if call.has("contribution_weight"):
        found.weight = _weight(call)
    return call.one(found)


def _weight(call: Call) -> float:
    weight = _number(call, "contribution_weight", 1)
    if not 0 <= weight <= 1:
        raise bad("contribution_weight: Must be between 0 and 1")
    return weight


def _supporter(call: Call) -> Entity:
    gid = call.required("supporting_resource")
    thing = call.store.objects.get(gid)
    if not isinstance(thing, SUPPORTERS):
        raise unknown("supporting_resource", gid, 400)
    return thing


def add_support(call: Call, goal: str) -> Response:
    """POST /goals/{gid}/addSupportingRelationship."""
    found, thing = load(call, goal), _supporter(call)
    if any(it.resource == thing.gid for it in _links(call, found)):
        raise bad("supporting_resource: Already supports this goal")
    if found.gid == thing.gid or found.gid in _all_below(call, thing):
        raise bad("supporting_resource: A goal cannot support itself")
    subtype = "subgoal" if isinstance(thing, Goal) else "supporting_work"
    made = GoalRelationship(call.store.new_gid(), found.gid, thing.gid, subtype, _weight(call))
    call.store.add(made)
    found.relationships = (*found.relationships, made.gid)
    call.actor.changed(found, "supporting_relationships", new=made, how="added")
    return call.one(made)


def _all_below(call: Call, thing: Entity) -> Iterable[str]:
    if not isinstance(thing, Goal):
        return
    for link in _links(call, thing):
        yield link.resource
        below = call.store.get(link.resource, Goal)
        if below is not None:
            yield from _all_below(call, below)


def remove_support(call: Call, goal: str) -> Response:
    """POST /goals/{gid}/removeSupportingRelationship."""
    found, thing = load(call, goal), _supporter(call)
    for link in _links(call, found):
        if link.resource == thing.gid:
            _drop(call, link)
            call.actor.changed(found, "supporting_relationships", new=link, how="removed")
    return call.empty()


def _drop(call: Call, link: GoalRelationship) -> None:
    goal = call.store.get(link.goal, Goal)
    if goal is not None:
        goal.relationships = tuple(gid for gid in goal.relationships if gid != link.gid)
    call.store.bin(link)


def parent_goals(call: Call, goal: str) -> Response:
    """GET /goals/{gid}/parentGoals."""
    found = load(call, goal)
    links = call.store.every(GoalRelationship)
    above = [it.goal for it in links if it.resource == found.gid]
    return call.rows(call.store.some(above, Goal))


# -- followers, fields, stories ---------------------------------------------------------------


def add_followers(call: Call, goal: str) -> Response:
    """POST /goals/{gid}/addFollowers."""
    found = load(call, goal)
    more = [user.gid for user in _followers(call)]
    found.followers = tuple(dict.fromkeys((*found.followers, *more)))
    return call.one(found)


def remove_followers(call: Call, goal: str) -> Response:
    """POST /goals/{gid}/removeFollowers."""
    found = load(call, goal)
    gone = {user.gid for user in _followers(call)}
    found.followers = tuple(gid for gid in found.followers if gid not in gone)
    return call.one(found)


def _followers(call: Call) -> list[User]:
    if not call.has("followers"):
        raise missing("followers")
    return call.people("followers")


def list_stories(call: Call, goal: str) -> Response:
    """GET /goals/{gid}/stories."""
    found = load(call, goal)
    return call.rows(call.store.some(call.store.stories.get(found.gid, ()), Story))


def create_story(call: Call, goal: str) -> Response:
    """POST /goals/{gid}/stories: a comment."""
    found = load(call, goal)
    return call.made(call.actor.comment(found, call.required("text"), None), "stories")


# -- time periods -----------------------------------------------------------------------------


def list_periods(call: Call) -> Response:
    """GET /time_periods?workspace=, within start_on and end_on."""
    need_plan(call)
    home = call.query_object(Workspace, "workspace")
    if home is None:
        raise missing("workspace")
    _make_periods(call, home)
    start, end = call.request.one("start_on") or "", call.request.one("end_on") or "9"
    return call.rows(
        it for it in call.store.every(TimePeriod) if it.start_on >= start and it.end_on <= end
    )


def _make_periods(call: Call, home: Workspace) -> None:
    if call.store.kinds.get("time_period"):
        return
    now = call.store.clock.utc().year
    for year in range(now - YEARS, now + YEARS + 1):
        whole = ""
        for name, (first, last) in {**HALVES, **QUARTERS}.items():
            end = calendar.monthrange(year, last)[1]
            made = TimePeriod(
                call.store.new_gid(),
                home.gid,
                name,
                f"{year}-{first:02}-01",
                f"{year}-{last:02}-{end}",
                whole or None,
            )
            call.store.add(made)
            whole = whole or made.gid


def get_period(call: Call, period: str) -> Response:
    """GET /time_periods/{gid}."""
    need_plan(call)
    return call.one(call.load(TimePeriod, period))


ROUTES = (
    ("GET", "/goals", list_goals),
    ("POST", "/goals", create_goal),
    ("GET", "/goals/{goal}", get_goal),
    ("PUT", "/goals/{goal}", update_goal),
    ("DELETE", "/goals/{goal}", delete_goal),
    ("POST", "/goals/{goal}/setMetric", set_metric),
    ("POST", "/goals/{goal}/setMetricCurrentValue", set_current),
    ("POST", "/goals/{goal}/addSupportingRelationship", add_support),
    ("POST", "/goals/{goal}/removeSupportingRelationship", remove_support),
    ("GET", "/goals/{goal}/parentGoals", parent_goals),
    ("POST", "/goals/{goal}/addFollowers", add_followers),
    ("POST", "/goals/{goal}/removeFollowers", remove_followers),
    ("GET", "/goals/{goal}/stories", list_stories),
    ("POST", "/goals/{goal}/stories", create_story),
    (
        "GET",
        "/goals/{goal}/custom_field_settings",
        lambda call, goal: holders.list_settings(call, load(call, goal)),
    ),
    (
        "POST",
        "/goals/{goal}/addCustomFieldSetting",
        lambda call, goal: holders.add_setting(call, load(call, goal)),
    ),
    (
        "POST",
        "/goals/{goal}/removeCustomFieldSetting",
        lambda call, goal: holders.remove_setting(call, load(call, goal)),
    ),
    ("GET", "/goal_relationships", list_relationships),
    ("GET", "/goal_relationships/{relationship}", get_relationship),
    ("PUT", "/goal_relationships/{relationship}", update_relationship),
    ("GET", "/time_periods", list_periods),
    ("GET", "/time_periods/{period}", get_period),
)
