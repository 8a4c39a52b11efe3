"""Northwind Cycles, the demonstration company: what it wants, plans and builds. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Initiative:
    """An initiative: title, goal, owner, status, days from today to due and committed dates, Asana section."""

    title: str
    goal: str
    owner: str
    status: str
    start: int
    due: int
    committed: int | None
    section: str | None


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature: title, Jira project, initiative (None: not assigned yet), owner, share done, due in days."""

    title: str
    project: str
    initiative: str | None
    owner: str
    done: float
    due: int | None
    size: int
    in_notion: bool = True


VISION = "Every trip under ten kilometres by bike"

STRATEGIES = ("Win the daily commuter", "Grow with partners and fleets")

GOALS = (
    ("40 % of riders ride every week", "Win the daily commuter"),
    ("Halve the time from order to first ride", "Win the daily commuter"),
    ("120 fleet customers by summer", "Grow with partners and fleets"),
)

INITIATIVES = (
    Initiative("Checkout in one minute", GOALS[1][0], "ana", "In progress", -60, 30, 28, "Doing"),
    Initiative("Ride planning that knows hills", GOALS[0][0], "priya", "In progress", -80, 45, 40,
               "Doing"),
    Initiative("Service without waiting", GOALS[1][0], "tomas", "In progress", -50, 12, 5, "Doing"),
    Initiative("Fleet cockpit", GOALS[2][0], "sofia", "In progress", -70, 75, 75, "Doing"),
    Initiative("Anti-theft, end to end", GOALS[0][0], "alex.k", "Planned", 10, 120, None, "Backlog"),
    Initiative("Platform ready for ×10", GOALS[2][0], "oluwaseun", "In progress", -90, 20, 20,
               "Doing"),
    Initiative("Größen und Geometrie: the right frame", GOALS[1][0], "jonas", "Idea", 30, 150, None,
               "Ideas"),
    Initiative("Family & cargo", GOALS[0][0], "hana", "Blocked", -30, 60, 45, "Blocked"),
)  # fmt: skip

FEATURES = (
    Feature("One-page checkout", "WEB", "Checkout in one minute", "ana", 0.9, 14, 11),
    Feature("Apple Pay & Google Pay", "WEB", "Checkout in one minute", "jonas", 0.6, 21, 8),
    Feature("Address completion for 14 countries", "WEB", "Checkout in one minute", "mei", 0.3, 28, 9),
    Feature("Financing and job-bike leasing", "WEB", "Checkout in one minute", "ana", 0.1, 40, 10),
    Feature("Hill-aware routing", "APP", "Ride planning that knows hills", "priya", 0.7, 20, 14),
    Feature("Range forecast with weather", "APP", "Ride planning that knows hills", "priya", 0.5, 35, 9),
    Feature("Offline maps", "APP", "Ride planning that knows hills", "hana", 0.2, 42, 9),
    Feature("Turn-by-turn on the handlebar", "APP", "Ride planning that knows hills", "alex.k", 0.0, 45,
            6),
    Feature("Online workshop booking", "WEB", "Service without waiting", "tomas", 1.0, -5, 9),
    Feature("Mobile mechanic", "APP", "Service without waiting", "tomas", 0.4, 12, 8),
    Feature("Parts catalogue search", "WEB", "Service without waiting", "jonas", 0.75, 10, 10),
    Feature("Self-service warranty", "WEB", "Service without waiting", "mei", 0.2, 25, 7),
    Feature("Fleet map", "WEB", "Fleet cockpit", "sofia", 0.6, 30, 10),
    Feature("Driver roles and rights", "PLAT", "Fleet cockpit", "sofia", 0.5, 40, 9),
    Feature("Billing by kilometre", "PLAT", "Fleet cockpit", "oluwaseun", 0.1, 70, 11),
    Feature("Damage report with photos", "APP", "Fleet cockpit", "alex.kim", 0.3, 50, 8),
    Feature("Battery health report", "PLAT", "Fleet cockpit", "sofia", 0.0, 75, 6),
    Feature("Digital key", "APP", "Anti-theft, end to end", "alex.k", 0.0, 100, 7),
    Feature("GPS theft tracking", "PLAT", "Anti-theft, end to end", "alex.kim", 0.0, 110, 9),
    Feature("Insurance hand-over", "WEB", "Anti-theft, end to end", "jonas", 0.0, None, 0),
    Feature("Event stream for telemetry", "PLAT", "Platform ready for ×10", "oluwaseun", 0.8, 10, 13),
    Feature("Zero-downtime deploys", "PLAT", "Platform ready for ×10", "tomas", 1.0, -10, 8),
    Feature("Cost dashboard", "PLAT", "Platform ready for ×10", "oluwaseun", 0.3, 20, 7),
    Feature("Size advisor", "WEB", "Größen und Geometrie: the right frame", "jonas", 0.0, None, 5),
    Feature("3D geometry viewer – Überblick", "WEB", "Größen und Geometrie: the right frame", "mei",
            0.0, 140, 4),
    Feature("Cargo trailer coupling 🚲", "PLAT", "Family & cargo", "hana", 0.3, 55, 8),
    Feature("Child seat configurator", "WEB", "Family & cargo", "hana", 0.1, 60, 8, in_notion=False),
    Feature("School run routes", "APP", "Family & cargo", "priya", 0.0, 60, 6, in_notion=False),
    Feature("Accessibility pass (WCAG 2.2)", "WEB", None, "mei", 0.4, 33, 9, in_notion=False),
    Feature("Crash-free sessions ≥ 99.8 %", "APP", None, "alex.k", 0.6, 15, 9, in_notion=False),
)  # fmt: skip

TASKS = (
    "Write the acceptance examples", "Sketch the flow with three riders", "Data model and migration",
    "API endpoint", "First screen behind a flag", "Error states", "Empty states", "Analytics events",
    "Translations (de, fr, 日本語)", "Load test", "Security review", "Edge cases from support",
    "Roll-out to 5 %", "Roll-out to everyone", "Clean up the flag", "Help page", "Alerting",
    "Retry when the network is slow",
)  # fmt: skip

BUGS = (
    "Button stays grey after back",
    "Totals differ by one cent",
    "Crash on an old phone",
    "Umlauts turn into question marks",
)

LABELS = ("commuter", "fleet", "quick-win", "compliance", "ux")
PRIORITIES = ("High", "Medium", "Low")
POINTS = (1.0, 2.0, 3.0, 5.0, 8.0, None)
