"""The vendor's JSON shapes of everything that issues refer to, for one base URL and API version."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from syncd.sandbox.jira.kinds import field_schema
from syncd.sandbox.jira.model import (
    CATEGORIES,
    Component,
    Field,
    Group,
    Issue,
    IssueType,
    Json,
    Link,
    LinkType,
    Named,
    Project,
    Status,
    User,
    Version,
)
from syncd.sandbox.jira.store import Store
from syncd.sandbox.jira.times import human_day, stamp

SIZES = (
    ("48x48", ""),
    ("24x24", "?size=small"),
    ("16x16", "?size=xsmall"),
    ("32x32", "?size=medium"),
)
Made = TypeVar("Made")


class Shapes:
    """Makes shapes, keeping those of shared things until the site's set-up changes."""

    def __init__(self, store: Store, base_url: str, version: str, zone: str) -> None:
        self.store = store
        self.base = base_url
        self.version = version
        self.zone = zone
        self.api = f"{base_url}/rest/api/{version}"
        self.rich_is_document = version == "3"
        self._kept: dict[tuple[str, Json], Json] = {}
        self._setup = -1

    def keep(self, kind: str, key: Json, make: Callable[[], Made]) -> Made:
        """Return a kept shape, or make and keep it."""
        if self._setup != self.store.setup:
            self._kept.clear()
            self._setup = self.store.setup
        place = (kind, key)
        found: Made | None = self._kept.get(place)
        if found is None:
            found = self._kept[place] = make()
        return found

    def time(self, moment: int) -> str:
        """Return a time in the zone of the calling user."""
        return stamp(moment, self.zone)

    def avatars(self, kind: str, avatar: int) -> dict[str, str]:
        """Return avatar addresses of a project or issue type."""
        address = f"{self.api}/universal_avatar/view/type/{kind}/avatar/{avatar}"
        return {size: address + query for size, query in SIZES}

    def user(self, account_id: str | None) -> Json:
        """Return a `UserDetails`; e-mail only where the person shows it."""
        if account_id is None:
            return None
        return self.keep("user", account_id, lambda: self._user(self.store.users[account_id]))

    def _user(self, user: User) -> Json:
        shape = {
            "self": f"{self.api}/user?accountId={quote(user.account_id, safe='')}",
            "accountId": user.account_id,
        }
        if user.email_visible and user.email:
            shape["emailAddress"] = user.email
        initials = "".join(part[0] for part in user.name.split()[:2]) or "U"
        picture = f"{self.base}/avatars/initials/{quote(initials.upper())}.png"
        return {
            **shape,
            "avatarUrls": {size: picture for size, _ in SIZES},
            "displayName": user.name,
            "active": user.active,
            "timeZone": user.time_zone,
            "accountType": user.account_type,
        }

    def group(self, group: Group) -> Json:
        """Return a `GroupName`."""
        address = f"{self.api}/group?groupId={group.id}"
        return {"name": group.name, "groupId": group.id, "self": address}

    def groups_of(self, user: User, *, items: bool) -> Json:
        """Return the groups of a person: how many, and if asked which."""
        groups = self.store.groups_of(user)
        return {"size": len(groups), "items": [self.group(g) for g in groups] if items else []}

    def category(self, key: str) -> Json:
        """Return a `StatusCategory`."""
        number, name, color = CATEGORIES[key]
        return {
            "self": f"{self.api}/statuscategory/{number}",
            "id": number,
            "key": key,
            "colorName": color,
            "name": name,
        }

    def status(self, status_id: str) -> Json:
        """Return a `StatusDetails`."""
        return self.keep("status", status_id, lambda: self._status(self.store.statuses[status_id]))

    def _status(self, status: Status) -> Json:
        return {
            "self": f"{self.api}/status/{status.id}",
            "description": status.description,
            "iconUrl": f"{self.base}/images/icons/statuses/generic.png",
            "name": status.name,
            "id": status.id,
            "statusCategory": self.category(status.category),
        }

    def type(self, type_id: str) -> Json:
        """Return an `IssueTypeDetails`."""
        return self.keep("type", type_id, lambda: self._type(self.store.types[type_id]))

    def _type(self, kind: IssueType) -> Json:
        icon = f"{self.api}/universal_avatar/view/type/issuetype/avatar/{kind.avatar_id}"
        return {
            "self": f"{self.api}/issuetype/{kind.id}",
            "id": kind.id,
            "description": kind.description,
            "iconUrl": f"{icon}?size=medium",
            "name": kind.name,
            "subtask": kind.level < 0,
            "avatarId": kind.avatar_id,
            "hierarchyLevel": kind.level,
        }

    def priority(self, priority_id: str) -> Json:
        """Return a `Priority` as issues show it."""
        return self.keep(
            "priority", priority_id, lambda: self._priority(self.store.priorities[priority_id])
        )

    def _priority(self, priority: Named) -> Json:
        icon = quote(priority.name.lower())
        return {
            "self": f"{self.api}/priority/{priority.id}",
            "iconUrl": f"{self.base}/images/icons/priorities/{icon}_new.svg",
            "name": priority.name,
            "id": priority.id,
        }

    def resolution(self, resolution_id: str) -> Json:
        """Return a `Resolution`."""
        found = self.store.resolutions[resolution_id]
        return {
            "self": f"{self.api}/resolution/{found.id}",
            "id": found.id,
            "description": found.description,
            "name": found.name,
        }

    def project(self, project_id: int) -> Json:
        """Return a project as issues show it."""
        return self.keep(
            "project", project_id, lambda: self._project(self.store.projects[project_id])
        )

    def _project(self, project: Project) -> Json:
        return {
            "self": f"{self.api}/project/{project.id}",
            "id": str(project.id),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": "software",
            "simplified": project.simplified,
            "avatarUrls": self.avatars("project", 10400 + project.id % 24),
        }

    def project_row(self, project: Project) -> Json:
        """Return a project as lists of projects show it."""
        return {
            "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
            **self.project(project.id),
            "style": "next-gen" if project.simplified else "classic",
            "isPrivate": project.members is not None,
            "properties": {},
            "entityId": f"00000000-0000-4000-8000-{project.id:012d}",
            "uuid": f"00000000-0000-4000-8000-{project.id:012d}",
        }

    def project_whole(self, project: Project) -> Json:
        """Return a `Project` as GET of one project gives it."""
        return {
            **self.project_row(project),
            "description": project.description,
            "lead": self.user(project.lead),
            "components": [self.component(c) for c in self.store.components_of(project)],
            "issueTypes": [self.type(type_id) for type_id in project.type_ids],
            "assigneeType": "UNASSIGNED",
            "versions": [self.version_row(v) for v in self.store.versions_of(project)],
            "roles": {"Administrators": f"{self.api}/project/{project.id}/role/10002"},
        }

    def version_in_issue(self, version: Version) -> Json:
        """Return a version as issues show it."""
        shape: dict[str, Json] = {
            "self": f"{self.api}/version/{version.id}",
            "id": version.id,
            "description": version.description or "",
            "name": version.name,
            "archived": version.archived,
            "released": version.released,
        }
        if version.release_date:
            shape["releaseDate"] = version.release_date
        return shape

    def version_row(self, version: Version) -> Json:
        """Return a `Version`."""
        shape = self.version_in_issue(version)
        if version.description is None:
            del shape["description"]
        if version.start_date:
            shape["startDate"] = version.start_date
            shape["userStartDate"] = human_day(version.start_date)
        if version.release_date:
            shape["userReleaseDate"] = human_day(version.release_date)
            late = version.release_date < stamp(self.store.now(), self.zone)[:10]
            shape["overdue"] = late and not version.released
        return {**shape, "projectId": version.project_id}

    def component(self, component: Component) -> Json:
        """Return a `ProjectComponent`."""
        shape: dict[str, Json] = {
            "self": f"{self.api}/component/{component.id}",
            "id": component.id,
            "name": component.name,
        }
        if component.description:
            shape["description"] = component.description
        if component.lead:
            shape["lead"] = self.user(component.lead)
        return shape

    def component_row(self, component: Component) -> Json:
        """Return a component as lists of a project's components show it."""
        return {
            **self.component(component),
            "assigneeType": "PROJECT_DEFAULT",
            "realAssigneeType": "PROJECT_DEFAULT",
            "isAssigneeTypeValid": False,
            "project": self.store.projects[component.project_id].key,
            "projectId": component.project_id,
        }

    def option(self, field: Field, option_id: str) -> Json:
        """Return a select field's choice."""
        option = field.options[option_id]
        return {
            "self": f"{self.api}/customFieldOption/{option.id}",
            "value": option.value,
            "id": option.id,
        }

    def related(self, issue: Issue) -> Json:
        """Return an issue as parents, sub-tasks and links show it."""
        values = issue.values
        fields = {"summary": values["summary"], "status": self.status(values["status"])}
        if values.get("priority"):
            fields["priority"] = self.priority(values["priority"])
        fields["issuetype"] = self.type(values["issuetype"])
        return {
            "id": str(issue.id),
            "key": issue.key,
            "self": f"{self.api}/issue/{issue.id}",
            "fields": fields,
        }

    def link_type(self, link_type: LinkType) -> Json:
        """Return an `IssueLinkType`."""
        return {
            "id": link_type.id,
            "name": link_type.name,
            "inward": link_type.inward,
            "outward": link_type.outward,
            "self": f"{self.api}/issueLinkType/{link_type.id}",
        }

    def link_seen_from(self, link: Link, issue: Issue) -> Json:
        """Return a link as the issue at one end shows it: only the other end is named."""
        far = ("outwardIssue", link.outward) if link.inward == issue.id else (
            "inwardIssue", link.inward)  # fmt: skip
        return {
            "id": link.id,
            "self": f"{self.api}/issueLink/{link.id}",
            "type": self.link_type(self.store.link_types[link.type_id]),
            far[0]: self.related(self.store.issues[far[1]]),
        }

    def field(self, field: Field) -> Json:
        """Return a `FieldDetails`."""
        return self.keep("field", field.id, lambda: self._field(field))

    def _field(self, field: Field) -> Json:
        shape: dict[str, Json] = {"id": field.id, "key": field.id, "name": field.name}
        if field.custom:
            shape["untranslatedName"] = field.name
        shape |= {
            "custom": field.custom is not None,
            "orderable": field.orderable,
            "navigable": field.navigable,
            "searchable": field.searchable,
            "clauseNames": list(field.clauses),
        }
        schema = field_schema(field)
        return {**shape, "schema": schema} if schema else shape
