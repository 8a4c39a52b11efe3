"""Routes of webhooks: those of administrators, and the dynamic ones of OAuth apps.

Admin webhooks are documented, not in the vendor's definition; dynamic ones are in it. A call through
Atlassian's gateway is an app's; everybody else is refused the dynamic ones with 403.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from syncd.sandbox.jira.call import Call
from syncd.sandbox.jira.hooks import LIFE, Hook
from syncd.sandbox.jira.jql_parse import Clause, Condition, parse
from syncd.sandbox.jira.model import Json, words
from syncd.sandbox.jira.problems import ApiError, bad, bad_field, missing
from syncd.sandbox.jira.routing import Routes
from syncd.sandbox.jira.search import Search
from syncd.sandbox.webhooks import Line, Refused
from syncd.sandbox.wire import Response, whole

SECTION = "issue-related-events-section"
EVENTS = words("""
    jira:issue_created jira:issue_updated jira:issue_deleted
    issue_property_set issue_property_deleted worklog_created worklog_updated worklog_deleted
    comment_created comment_updated comment_deleted attachment_created attachment_deleted
    issuelink_created issuelink_deleted issuetype_created issuetype_updated issuetype_deleted
    project_created project_updated project_deleted project_soft_deleted
    project_restored_deleted project_archived project_restored_archived
    jira:version_created jira:version_updated jira:version_deleted jira:version_released
    jira:version_unreleased jira:version_moved jira:version_merged
    filter_created filter_updated filter_deleted user_created user_updated user_deleted
    option_voting_changed option_watching_changed option_unassigned_issues_changed
    option_subtasks_changed option_issuelinks_changed option_timetracking_changed
    option_timetracking_provider_changed
    sprint_created sprint_updated sprint_deleted sprint_started sprint_closed
    board_created board_updated board_deleted board_configuration_changed
""")
FOR_APPS = words("""
    jira:issue_created jira:issue_updated jira:issue_deleted
    comment_created comment_updated comment_deleted issue_property_set issue_property_deleted
    sprint_created sprint_updated sprint_closed sprint_deleted sprint_started
    jira:version_released jira:version_unreleased jira:version_created jira:version_moved
    jira:version_updated jira:version_merged jira:version_deleted
""")
_FIELDS = words("issuekey key project issuetype type status priority assignee reporter")
_OPERATORS = frozenset({"=", "!=", "in", "not in"})
_NOT_AN_APP = "Only Connect and OAuth 2.0 apps can use this operation."
LineOf = Callable[[], Line]


def _target(line: Line, raw: Json) -> str:
    """Return a checked address; raises 400."""
    url = str(raw or "")
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise bad_field("url", f"The webhook URL is not valid: {url}")
    try:
        line.check(url)
    except Refused as refusal:
        raise bad_field("url", str(refusal)) from None
    return url


def _events(raw: Json, known: frozenset[str]) -> list[str]:
    if not isinstance(raw, list) or not raw:
        raise bad_field("events", "At least one event must be given.")
    strange = next((str(event) for event in raw if str(event) not in known), None)
    if strange is not None:
        raise bad_field("events", f"The event '{strange}' does not exist.")
    return raw


def _jql(call: Call, raw: Json) -> str:
    text = str(raw or "").strip()
    if text:
        Search(call.viewer, text, lambda _issue: True, bounded=False)  # 400 for what is wrong in it
    return text


# admin webhooks


def _shape(call: Call, hook: Hook) -> dict[str, Json]:
    owner = call.store.users.get(hook.owner)
    return {
        "name": hook.name,
        "url": hook.url,
        "excludeBody": hook.exclude_body,
        "filters": {SECTION: hook.jql},
        "events": hook.events,
        "enabled": hook.enabled,
        "self": f"{hook.base}/rest/webhooks/1.0/webhook/{hook.id}",
        "lastUpdatedUser": hook.owner,
        "lastUpdatedDisplayName": owner.name if owner else "",
        "lastUpdated": hook.updated,
    }


def _fill(call: Call, hook: Hook, body: dict[str, Json], line: Line) -> None:
    """Take over what a body names; the secret stays when it is not named. Raises 400."""
    url = _target(line, body.get("url", hook.url))
    events = _events(body.get("events", hook.events), EVENTS)
    filters = body.get("filters")
    jql = _jql(call, filters.get(SECTION)) if isinstance(filters, dict) else hook.jql
    name = str(body.get("name", hook.name) or "").strip()
    if not name:
        raise bad_field("name", "The name of the webhook must not be empty.")
    hook.name, hook.url, hook.events, hook.jql = name, url, events, jql
    hook.secret = str(body.get("secret", hook.secret) or "")
    hook.enabled = bool(body.get("enabled", hook.enabled))
    hook.exclude_body = bool(body.get("excludeBody", hook.exclude_body))
    hook.owner, hook.updated = call.me().account_id, call.store.now()


def _admin(call: Call, key: str) -> Hook:
    call.me()
    hook = call.store.hooks.table.get(whole(key) or 0)
    if hook is None or hook.app:
        raise missing(f"The webhook with id {key} does not exist.")
    return hook


def listed(call: Call) -> Response:
    """GET webhooks/1.0/webhook."""
    call.me()
    table = call.store.hooks.table.values()
    return call.ok([_shape(call, hook) for hook in table if not hook.app])


def read(call: Call, key: str) -> Response:
    """GET webhooks/1.0/webhook/{id}."""
    return call.ok(_shape(call, _admin(call, key)))


def delete(call: Call, key: str) -> Response:
    """DELETE webhooks/1.0/webhook/{id}."""
    call.store.hooks.forget(_admin(call, key).id)
    return call.done()


def _create(line_of: LineOf) -> Callable[[Call], Response]:
    def create(call: Call) -> Response:
        """POST webhooks/1.0/webhook."""
        me, store = call.me(), call.store
        hook = Hook(0, "", [], "", me.account_id, _site(call), store.now())
        _fill(call, hook, call.json(), line_of())
        hook.id = store.number("webhook", 1)
        store.hooks.table[hook.id] = hook
        return call.ok(_shape(call, hook), 201)

    return create


def _update(line_of: LineOf) -> Callable[..., Response]:
    def update(call: Call, key: str) -> Response:
        """PUT webhooks/1.0/webhook/{id}."""
        hook = _admin(call, key)
        _fill(call, hook, call.json(), line_of())
        return call.ok(_shape(call, hook))

    return update


# dynamic webhooks


def _app(call: Call) -> str:
    """Return the account for which an app calls; raises 403 for who is no app."""
    if call.user is None or "/ex/jira/" not in call.request.base_url:
        raise ApiError(403, _NOT_AN_APP)
    return call.user.account_id


def _own(call: Call) -> list[Hook]:
    _app(call)
    return [hook for hook in call.store.hooks.table.values() if hook.app]


def _clauses(condition: Condition | None) -> Iterator[Clause]:
    if isinstance(condition, Clause):
        yield condition
    elif condition is not None:
        for part in condition.parts:
            yield from _clauses(part)


def _unsupported(jql: str) -> list[str]:
    """Return what a dynamic webhook's filter may not say."""
    found = []
    for clause in _clauses(parse(jql).where if jql else None):
        name = clause.field.lower()
        if name not in _FIELDS and not name.startswith(("cf[", "issue.property")):
            found.append(f"The clause {clause.field} is unsupported")
        elif clause.operator not in _OPERATORS:
            found.append(f"The operator {clause.operator.upper()} is unsupported")
    return found


def _register(line_of: LineOf) -> Callable[[Call], Response]:
    def register(call: Call) -> Response:
        """POST webhook: each of them registered, or refused with its reasons."""
        owner, body = _app(call), call.json()
        url, rows = _target(line_of(), body.get("url")), body.get("webhooks")
        if not isinstance(rows, list) or not rows:
            raise bad("At least one webhook must be given.")
        if any(hook.url != url for hook in _own(call)):
            raise bad("Only a single URL per app is allowed to be registered.")
        results = [_registered(call, owner, url, row) for row in rows]
        return call.ok({"webhookRegistrationResult": results})

    return register


def _registered(call: Call, owner: str, url: str, row: Json) -> dict[str, Json]:
    given = row if isinstance(row, dict) else {}
    events: list[str] = []
    jql = str(given.get("jqlFilter") or "").strip()
    try:
        events, wrong = _events(given.get("events"), FOR_APPS), _unsupported(jql)
        if not wrong:
            _jql(call, jql)
    except ApiError as error:
        wrong = [*error.messages, *error.errors.values()]
    if wrong:
        return {"errors": wrong}
    store = call.store
    hook = Hook(store.number("webhook", 1), url, events, jql, owner, _site(call), store.now())
    hook.app, hook.expires, hook.fields = True, store.now() + LIFE, given.get("fieldIdsFilter")
    store.hooks.table[hook.id] = hook
    return {"createdWebhookId": hook.id}


def _site(call: Call) -> str:
    """Return the site's own address, of which links in bodies are made."""
    return call.request.base_url.partition("/ex/jira/")[0]


def own(call: Call) -> Response:
    """GET webhook."""
    rows = []
    for hook in _own(call):
        row = {"id": hook.id, "url": hook.url, "events": hook.events, "jqlFilter": hook.jql,
               "expirationDate": hook.expires}  # fmt: skip
        rows.append(row if hook.fields is None else {**row, "fieldIdsFilter": hook.fields})
    return call.page_bean(rows, size=100, most=100)


def _named(call: Call) -> list[Hook]:
    found, numbers = {hook.id: hook for hook in _own(call)}, call.json().get("webhookIds")
    if not isinstance(numbers, list) or not numbers:
        raise bad("webhookIds must be given.")
    return [found[number] for number in numbers if isinstance(number, int) and number in found]


def remove(call: Call) -> Response:
    """DELETE webhook: those of other apps, and unknown ones, are ignored."""
    for hook in _named(call):
        call.store.hooks.forget(hook.id)
    return Response(202)


def refresh(call: Call) -> Response:
    """PUT webhook/refresh: 30 days more."""
    until = call.store.now() + LIFE
    for hook in _named(call):
        hook.expires = until
    return call.ok({"expirationDate": until})


def failed(_call: Call) -> Response:
    """GET webhook/failed: of Connect apps only, and there are none here."""
    raise ApiError(403, "Only Connect apps can use this operation.")


def add(routes: Routes, line_of: LineOf) -> None:
    """Add the routes of dynamic webhooks."""
    routes.add("GET", "/webhook", own)
    routes.add("POST", "/webhook", _register(line_of))
    routes.add("DELETE", "/webhook", remove)
    routes.add("PUT", "/webhook/refresh", refresh)
    routes.add("GET", "/webhook/failed", failed)


def add_admin(routes: Routes, line_of: LineOf) -> None:
    """Add the routes under /rest/webhooks/1.0."""
    routes.add("GET", "/webhook", listed)
    routes.add("POST", "/webhook", _create(line_of))
    routes.add("GET", "/webhook/{key}", read)
    routes.add("PUT", "/webhook/{key}", _update(line_of))
    routes.add("DELETE", "/webhook/{key}", delete)
