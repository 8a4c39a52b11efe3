"""One API call: who asks, in which version, with what; and the checks every handler needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import NoReturn

from syncd.sandbox.jira.jql_values import Viewer
from syncd.sandbox.jira.model import Issue, Json, Project, User
from syncd.sandbox.jira.problems import NOT_SIGNED_IN, ApiError, bad, missing, parse_object
from syncd.sandbox.jira.shapes import Shapes
from syncd.sandbox.jira.store import Store
from syncd.sandbox.wire import Request, Response, json_response

TRUE = {"true", "1", "yes"}


@dataclass(slots=True)
class Call:
    """A request to the site, with the caller (None: anonymous) and the shapes to answer in."""

    request: Request
    store: Store
    user: User | None
    shapes: Shapes
    viewer: Viewer = attribute(init=False)

    def __post_init__(self) -> None:
        """Note who asks, as JQL and permissions see them."""
        self.viewer = Viewer(self.store, self.user)

    # input

    def json(self) -> dict[str, Json]:
        """Return the body, an object."""
        return parse_object(self.request.body)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean query parameter."""
        value = self.request.one(name)
        return default if value is None else value.lower() in TRUE

    def number(self, name: str, default: int, *, most: int = 1 << 31) -> int:
        """Return a whole number from the query, capped; raises 400."""
        text = self.request.one(name)
        if text is None or text == "":
            return default
        try:
            value = int(text)
        except ValueError:
            raise bad(f"The value '{text}' of parameter '{name}' is not a number.") from None
        if value < 0:
            raise bad(f"The value of parameter '{name}' must not be negative.")
        return min(value, most)

    def names(self, name: str) -> list[str]:
        """Return the parts of a comma-separated, possibly repeated query parameter."""
        return [part for text in self.request.many(name) for part in text.split(",") if part]

    # who may what

    def me(self) -> User:
        """Return the caller; raises 401 for nobody."""
        if self.user is None:
            raise ApiError(401, NOT_SIGNED_IN)
        return self.user

    def sees_project(self, project: Project) -> bool:
        """Tell whether the caller may browse a project."""
        return self.viewer.sees_project(project)

    def sees(self, issue: Issue) -> bool:
        """Tell whether the caller may see an issue."""
        return self.viewer.sees(issue)

    def may_change(self, project: Project) -> bool:
        """Tell whether the caller may write in a project."""
        return self.user is not None and self.user.account_id not in project.readers

    def issue(self, id_or_key: Json) -> Issue:
        """Return an issue that the caller may see; raises 404."""
        issue = self.store.find_issue(id_or_key)
        if issue is None or not self.sees(issue):
            raise missing()
        return issue

    def issue_to_change(self, id_or_key: Json) -> Issue:
        """Return an issue that the caller may change; raises 401, 403, 404."""
        self.me()
        issue = self.issue(id_or_key)
        project = self.store.projects[issue.project_id]
        if not self.may_change(project):
            raise ApiError(403, "You do not have permission to edit issues in this project.")
        return issue

    def project(self, id_or_key: Json) -> Project:
        """Return a project that the caller may browse; raises 404."""
        project = self.store.find_project(id_or_key)
        if project is None or not self.sees_project(project):
            raise missing(f"No project could be found with key '{id_or_key}'.")
        return project

    # output

    def ok(self, value: Json, status: int = 200) -> Response:
        """Return an answer with a JSON body."""
        return json_response(value, status)

    def done(self) -> Response:
        """Return the empty 204."""
        return Response(204)

    def page_bean(self, values: list[Json], *, size: int = 50, most: int = 1000) -> Response:
        """Return one page of a list as a `PageBean`."""
        start = self.number("startAt", 0)
        size = self.number("maxResults", size, most=most)
        rows = values[start : start + size]
        body: dict[str, Json] = {
            "self": self.address(start, size),
            "maxResults": size,
            "startAt": start,
            "total": len(values),
            "isLast": start + len(rows) >= len(values),
            "values": rows,
        }
        if not body["isLast"]:
            body["nextPage"] = self.address(start + size, size)
        return self.ok(body)

    def address(self, start: int, size: int) -> str:
        """Return the address of a page of the present listing."""
        return f"{self.request.base_url}{self.request.path}?maxResults={size}&startAt={start}"

    def filtered(self, issues: Iterable[Issue]) -> list[Issue]:
        """Return the issues that the caller may see."""
        return [issue for issue in issues if self.sees(issue)]


def gone(message: str) -> NoReturn:
    """Raise a 404."""
    raise missing(message)
