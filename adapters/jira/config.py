"""What a Jira connection is configured with in syncd.yaml, besides its kind and its secret."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Config(BaseModel):
    """A Jira Cloud site and the account that works there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        description="Address of the API: https://YOURSITE.atlassian.net, or "
        "https://api.atlassian.com/ex/jira/CLOUDID for a token with scopes.",
        examples=["https://acme.atlassian.net"],
    )
    email: str = Field(description="E-mail address of the account that owns the API token.")
    site_url: str | None = Field(
        default=None,
        description="Address people open in a browser, where it is not `url`; used for links.",
    )
    requests_per_second: float = Field(
        default=40.0,
        gt=0,
        le=10_000,
        description="Steady pace; Jira allows 50 changes a second to all clients of a site.",
    )
    burst: int = Field(default=40, ge=1, le=10_000, description="Requests at once after a pause.")

    # Atlassian promises no time: seconds are usual, some minutes after changes in bulk. As long as
    # an incremental read goes back (`OVERLAP` of the adapter), for the same reason.
    index_lag: float = Field(
        default=300.0,
        ge=0,
        le=3600,
        description="Seconds Jira's search may be behind its writes; only after that does a search "
        "that finds nothing prove that a creation without an answer did not happen.",
    )

    @property
    def browse_url(self) -> str:
        """Return the address in front of `/browse/KEY`."""
        return self.site_url or self.url

    @field_validator("url", "site_url")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write an address like https://acme.atlassian.net")
        if parts.username or parts.password:
            raise ValueError("leave the account out of the address and write it as `email`")
        if parts.scheme == "http" and not _is_this_machine(parts.hostname):
            raise ValueError("write https://, for http would show the token to the network")
        if parts.query or parts.fragment or "/browse" in parts.path or "/rest" in parts.path:
            raise ValueError(f"write only the address of the site: {parts.scheme}://{parts.netloc}")
        return value.rstrip("/")

    @field_validator("email")
    @classmethod
    def _looks_like_email(cls, value: str) -> str:
        name, _, host = value.strip().partition("@")
        if not name or not host or ":" in value:
            raise ValueError("write the account's e-mail address, like robot@acme.example")
        return value.strip()


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
