"""OAuth going wrong: two refreshes at once, consent withdrawn, refresh tokens left idle too long."""

from __future__ import annotations

from syncd.sandbox.injectors.stage import Action, Stage
from syncd.sandbox.oauth import sent
from syncd.sandbox.wire import Response


def rival(stage: Stage) -> Response:
    """Let another process of the client's use the same refresh token just before."""
    if sent(stage.request).get("grant_type") == "refresh_token":
        stage.go_on()
    return stage.go_on()


def consent_withdrawn(stage: Stage) -> Response:
    """End every token of the service, as a person does who removes the app."""
    stage.world.oauth.revoke(stage.service)
    return stage.go_on()


def refresh_expired(stage: Stage) -> Response:
    """Let the refresh tokens of the service be too old."""
    for grant in stage.world.oauth.grants[stage.service]:
        grant.refresh_ends = stage.now
    return stage.go_on()


ACTIONS: dict[str, Action] = {
    "rival": rival,
    "consent_withdrawn": consent_withdrawn,
    "refresh_expired": refresh_expired,
}
