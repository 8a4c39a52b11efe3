"""What an Asana connection is configured with in syncd.yaml, besides its kind and its secret."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Config(BaseModel):
    """One Asana account, by its personal or service account token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        default="https://app.asana.com",
        description="Address of Asana; leave it out unless a proxy stands in front.",
    )
    workspace: str | None = Field(
        default=None,
        description="Name or id of the workspace to work in; needed when the account is in several "
        "and their projects have the same names.",
        examples=["acme.example"],
    )
    requests_per_second: float = Field(
        default=20.0,
        gt=0,
        le=10_000,
        description="Steady pace; Asana allows 1500 requests a minute on paid plans, 150 on free.",
    )
    burst: int = Field(default=20, ge=1, le=10_000, description="Requests at once after a pause.")

    @field_validator("url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write an address like https://app.asana.com")
        if parts.username or parts.password:
            raise ValueError("leave the account out of the address: the token is a secret")
        if parts.scheme == "http" and not _is_this_machine(parts.hostname):
            raise ValueError("write https://, for http would show the token to the network")
        if parts.query or parts.fragment or "/api" in parts.path:
            raise ValueError("write only the address in front of /api/1.0")
        return value.rstrip("/")


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
