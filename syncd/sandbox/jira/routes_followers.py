"""Routes of those who watch an issue and of those who voted for it: neither moves its `updated`."""

from __future__ import annotations

import orjson

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.model import Issue
from syncd.sandbox.jira.problems import ApiError, bad, missing, scalars
from syncd.sandbox.jira.render import field_value
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.wire import Response


def watchers(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/watchers."""
    issue = call.issue(key)
    shape = field_value(call.shapes, call.store.fields["watches"], issue)
    shape["isWatching"] = call.user is not None and call.user.account_id in issue.watchers
    people = [call.shapes.user(account) for account in sorted(issue.watchers)]
    return call.ok({**shape, "watchers": people})


def _account(call: Call, account: object) -> str:
    if not isinstance(account, str) or account not in call.store.users:
        raise missing("Specified user does not exist or you do not have required permissions")
    return account


def watch(call: Call, key: str) -> Response:
    """POST issue/{issueIdOrKey}/watchers: an account id in quotes, or nothing for oneself."""
    me = call.me()
    issue = call.issue(key)
    try:
        account = orjson.loads(call.request.body) if call.request.body else me.account_id
    except ValueError:
        raise bad("The body must be an account id in quotation marks.") from None
    issue.watchers.add(_account(call, account))
    return _followed(call, issue)


def unwatch(call: Call, key: str) -> Response:
    """DELETE issue/{issueIdOrKey}/watchers."""
    me = call.me()
    issue = call.issue(key)
    issue.watchers.discard(_account(call, call.request.one("accountId") or me.account_id))
    return _followed(call, issue)


def _followed(call: Call, issue: Issue) -> Response:
    call.store.reindex(issue)
    return call.done()


def watching(call: Call) -> Response:
    """POST issue/watching: of which issues the caller is a watcher."""
    me = call.me()
    named = scalars(call.json(), "issueIds")
    found = {str(n): call.store.find_issue(n) for n in named}
    return call.ok(
        {
            "issuesIsWatching": {
                number: issue is not None and call.sees(issue) and me.account_id in issue.watchers
                for number, issue in found.items()
            }
        }
    )


def votes(call: Call, key: str) -> Response:
    """GET issue/{issueIdOrKey}/votes."""
    issue = call.issue(key)
    shape = field_value(call.shapes, call.store.fields["votes"], issue)
    voters = call.store.voters.get(issue.id, set())
    shape["hasVoted"] = call.user is not None and call.user.account_id in voters
    return call.ok({**shape, "voters": [call.shapes.user(account) for account in sorted(voters)]})


def vote(call: Call, key: str) -> Response:
    """POST issue/{issueIdOrKey}/votes: not for one's own issues, nor for those that are resolved."""
    me = call.me()
    issue = call.issue(key)
    if issue.values.get("reporter") == me.account_id:
        raise ApiError(404, "You cannot vote for an issue you have reported.")
    if "resolution" in issue.values:
        raise ApiError(404, "You cannot vote or change your vote on resolved issues.")
    call.store.voters.setdefault(issue.id, set()).add(me.account_id)
    return _followed(call, issue)


def unvote(call: Call, key: str) -> Response:
    """DELETE issue/{issueIdOrKey}/votes."""
    me = call.me()
    issue = call.issue(key)
    voters = call.store.voters.get(issue.id, set())
    if me.account_id not in voters:
        raise ApiError(404, "You have not voted for this issue.")
    voters.remove(me.account_id)
    return _followed(call, issue)


def add(routes: Routes) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("POST", "/issue/watching", watching),
        ("GET", "/issue/{key}/watchers", watchers),
        ("POST", "/issue/{key}/watchers", watch),
        ("DELETE", "/issue/{key}/watchers", unwatch),
        ("GET", "/issue/{key}/votes", votes),
        ("POST", "/issue/{key}/votes", vote),
        ("DELETE", "/issue/{key}/votes", unvote),
    ):
        routes.add(method, path, handler)
