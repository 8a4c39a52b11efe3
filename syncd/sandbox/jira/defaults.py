"""What a fresh Jira Cloud site has: types, statuses, priorities, fields, link types, a workflow."""

from __future__ import annotations

from syncd.sandbox.jira.model import (
    Field,
    IssueType,
    LinkType,
    Named,
    Status,
    Transition,
    Workflow,
)
from syncd.sandbox.jira.store import Store

CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"
SPRINT = "com.pyxis.greenhopper.jira:gh-sprint"
RANK = "com.pyxis.greenhopper.jira:gh-lexo-rank"

# custom field type -> kind
CUSTOM_KINDS = {
    CUSTOM + "textfield": "string",
    CUSTOM + "textarea": "rich",
    CUSTOM + "float": "number",
    CUSTOM + "datepicker": "date",
    CUSTOM + "datetime": "datetime",
    CUSTOM + "select": "option",
    CUSTOM + "radiobuttons": "option",
    CUSTOM + "multiselect": "options",
    CUSTOM + "multicheckboxes": "options",
    CUSTOM + "url": "url",
    CUSTOM + "userpicker": "user",
    CUSTOM + "multiuserpicker": "users",
    CUSTOM + "labels": "labels",
    CUSTOM + "version": "version",
    CUSTOM + "multiversion": "versions",
    CUSTOM + "project": "project",
    CUSTOM + "readonlyfield": "string",
}

# as the site names the types of custom fields to people
_LABELS = {
    "textfield": "Short text", "textarea": "Paragraph", "float": "Number", "datepicker": "Date",
    "datetime": "Time stamp", "select": "Dropdown", "radiobuttons": "Radio Buttons",
    "multiselect": "Select List (multiple choices)", "multicheckboxes": "Checkboxes",
    "url": "URL Field", "userpicker": "User Picker (single user)",
    "multiuserpicker": "User Picker (multiple users)", "labels": "Labels",
}  # fmt: skip

_TYPES = (
    ("10000", "Epic", 1, "A big user story that needs to be broken down.", 10307),
    ("10001", "Story", 0, "Functionality or a feature expressed as a user goal.", 10315),
    ("10002", "Task", 0, "A small, distinct piece of work.", 10318),
    ("10003", "Sub-task", -1, "A small piece of work that's part of a larger task.", 10316),
    ("10004", "Bug", 0, "A problem or error.", 10303),
)
_STATUSES = (
    ("10000", "To Do", "new"),
    ("3", "In Progress", "indeterminate"),
    ("10001", "In Review", "indeterminate"),
    ("10002", "Done", "done"),
)
_PRIORITIES = (
    ("1", "Highest", "#d04437"),
    ("2", "High", "#f15C75"),
    ("3", "Medium", "#f79232"),
    ("4", "Low", "#707070"),
    ("5", "Lowest", "#999999"),
)
_RESOLUTIONS = (
    ("10000", "Done", "Work has been completed on this issue."),
    ("10001", "Won't Do", "This issue won't be actioned."),
    ("10002", "Duplicate", "The problem is a duplicate of an existing issue."),
    ("10003", "Cannot Reproduce", "All attempts at reproducing this issue failed."),
)
_LINK_TYPES = (
    ("10000", "Blocks", "is blocked by", "blocks"),
    ("10001", "Cloners", "is cloned by", "clones"),
    ("10002", "Duplicate", "is duplicated by", "duplicates"),
    ("10003", "Relates", "relates to", "relates to"),
)
# id, name, kind, clause names, orderable, searchable
_SYSTEM: tuple[tuple[str, str, str, tuple[str, ...], bool, bool], ...] = (
    ("statuscategorychangedate", "Status Category Changed", "stamp",
     ("statusCategoryChangedDate",), False, True),
    ("issuetype", "Issue Type", "issuetype", ("issuetype", "type"), True, True),
    ("parent", "Parent", "parent", ("parent",), True, True),
    ("timespent", "Time Spent", "count", ("timespent",), False, True),
    ("project", "Project", "project", ("project",), False, True),
    ("fixVersions", "Fix versions", "versions", ("fixVersion",), True, True),
    ("statusCategory", "Status Category", "category", ("statusCategory",), False, True),
    ("resolution", "Resolution", "resolution", ("resolution",), True, True),
    ("resolutiondate", "Resolved", "stamp", ("resolutiondate", "resolved"), False, True),
    ("workratio", "Work Ratio", "count", ("workratio",), False, True),
    ("lastViewed", "Last Viewed", "stamp", ("lastViewed",), False, False),
    ("watches", "Watchers", "watches", ("watchers",), False, True),
    ("issuekey", "Key", "key", ("id", "issue", "issuekey", "key"), False, True),
    ("created", "Created", "stamp", ("created", "createdDate"), False, True),
    ("priority", "Priority", "priority", ("priority",), True, True),
    ("labels", "Labels", "labels", ("labels",), True, True),
    ("timeestimate", "Remaining Estimate", "count", ("remainingEstimate", "timeestimate"), False,
     True),
    ("aggregatetimeoriginalestimate", "Σ Original Estimate", "count", (), False, False),
    ("versions", "Affects versions", "versions", ("affectedVersion",), True, True),
    ("issuelinks", "Linked Issues", "links", ("issueLink",), True, True),
    ("assignee", "Assignee", "user", ("assignee",), True, True),
    ("updated", "Updated", "stamp", ("updated", "updatedDate"), False, True),
    ("status", "Status", "status", ("status",), False, True),
    ("components", "Components", "components", ("component",), True, True),
    ("timeoriginalestimate", "Original estimate", "count",
     ("originalEstimate", "timeoriginalestimate"), False, True),
    ("description", "Description", "rich", ("description",), True, True),
    ("security", "Security Level", "count", ("level",), True, True),
    ("aggregatetimeestimate", "Σ Remaining Estimate", "count", (), False, False),
    ("attachment", "Attachment", "attachments", ("attachments",), True, True),
    ("summary", "Summary", "summary", ("summary",), True, True),
    ("creator", "Creator", "user", ("creator",), False, True),
    ("subtasks", "Sub-tasks", "subtasks", ("subtasks",), False, False),
    ("reporter", "Reporter", "user", ("reporter",), True, True),
    ("aggregateprogress", "Σ Progress", "progress", (), False, False),
    ("environment", "Environment", "rich", ("environment",), True, True),
    ("duedate", "Due date", "date", ("due", "duedate"), True, True),
    ("progress", "Progress", "progress", ("progress",), False, False),
    ("votes", "Votes", "votes", ("votes",), False, True),
    ("comment", "Comment", "comments", ("comment",), True, True),
    ("aggregatetimespent", "Σ Time Spent", "count", (), False, False),
    ("timetracking", "Time tracking", "timetracking", (), True, False),
    ("worklog", "Log Work", "worklog", (), True, False),
)  # fmt: skip
_CUSTOM = (
    (10015, "Start date", CUSTOM + "datepicker", "date"),
    (10016, "Story Points", CUSTOM + "float", "number"),
    (10019, "Rank", RANK, "rank"),
    (10020, "Sprint", SPRINT, "sprints"),
)


def fill(store: Store) -> None:
    """Give a store everything a fresh site has, except people and projects."""
    store.types = {i: IssueType(i, name, level, text, avatar)
                   for i, name, level, text, avatar in _TYPES}  # fmt: skip
    store.statuses = {i: Status(i, name, category) for i, name, category in _STATUSES}
    store.priorities = {i: Named(i, name, color=color) for i, name, color in _PRIORITIES}
    store.resolutions = {i: Named(i, name, text) for i, name, text in _RESOLUTIONS}
    store.link_types = {i: LinkType(i, *rest) for i, *rest in _LINK_TYPES}
    for field_id, name, kind, clauses, orderable, searchable in _SYSTEM:
        store.fields[field_id] = Field(
            field_id, name, kind, clauses, orderable=orderable, searchable=searchable
        )
    for number, name, custom, kind in _CUSTOM:
        add_field(store, number, name, custom, kind)
    for table in (store.types, store.statuses, store.resolutions, store.link_types):
        for known in table:
            store.reserve(_counter(table, store), int(known))
    store.reserve("field", 10020)


def _counter(table: object, store: Store) -> str:
    names = {
        id(store.types): "type",
        id(store.statuses): "status",
        id(store.resolutions): "resolution",
        id(store.link_types): "linktype",
    }
    return names[id(table)]


def clause_names(number: int, name: str, custom: str) -> tuple[str, ...]:
    """Return what JQL may call a custom field; most types may stand behind the name."""
    label = _LABELS.get(custom.rpartition(":")[2])
    return (f"cf[{number}]", name, *([f"{name}[{label}]"] if label else []))


def add_field(store: Store, number: int, name: str, custom: str, kind: str) -> Field:
    """Add a custom field with one global context."""
    field = Field(
        f"customfield_{number}",
        name,
        kind,
        clause_names(number, name, custom),
        custom=custom,
        context_id=str(number + 100),
        orderable=kind != "rank",
    )
    store.fields[field.id] = field
    store.setup += 1
    return field


def workflow(statuses: tuple[str, ...], names: dict[str, str]) -> Workflow:
    """Return a workflow whose every status is reachable from every other by a global step."""
    steps = tuple(
        Transition(str(11 + 10 * place), names[status], status)
        for place, status in enumerate(statuses)
    )
    return Workflow("Software Simplified Workflow", statuses, steps)


def standard_workflow(store: Store) -> Workflow:
    """Return To Do, In Progress, In Review, Done."""
    ids = tuple(status for status, _name, _category in _STATUSES)
    return workflow(ids, {status: store.statuses[status].name for status in ids})
