"""What a Notion connection needs in syncd.yaml, besides its kind and its token."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Config(BaseModel):
    """A Notion connection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        default="https://api.notion.com",
        description="Address of the API; only other than Notion's own for a proxy or a sandbox.",
    )
    requests_per_second: float = Field(
        default=2.9,
        gt=0,
        le=10_000,
        description="Requests a second in the long run. Notion allows 180 a minute (600 on "
        "Business and Enterprise plans) to everything that uses the same token.",
    )
    burst: int = Field(default=170, ge=1, le=10_000, description="Requests at once after a pause.")

    @field_validator("url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write an address like https://api.notion.com")
        if parts.username or parts.password:
            raise ValueError("leave the token out of the address and give it as the secret")
        if parts.scheme == "http" and not _is_this_machine(parts.hostname):
            raise ValueError("write https://, for http would show the token to the network")
        if parts.query or parts.fragment:
            raise ValueError(f"write only the address: {parts.scheme}://{parts.netloc}{parts.path}")
        return value.strip().rstrip("/").removesuffix("/v1")


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
