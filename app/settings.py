"""Settings: environment variables that begin with `CBAM_LENS_`, or options of the command line."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from limits import RateLimitItem, parse
from pydantic import (
    ByteSize,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.lineups.catalogue import SHIPPED
from models.lineups.fetching.cache import find_cache_directory
from models.lineups.fetching.download import FetchOptions
from models.lineups.fetching.store import WeightStore
from models.names import Precision


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


SHORTEST_TOKEN = 16

COMPUTED_BYTES = 8_000_000
"""Memory for a large picture beside its upload: the shipped lineup's traces and the copy for the screen."""


class Settings(BaseSettings):
    """The server's settings; each has a default that suits a laptop."""

    model_config = SettingsConfigDict(env_prefix="CBAM_LENS_", frozen=True)

    lineups: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(SHIPPED,),
        description="lineups to serve, separated by semicolons: shipped, TOML files, NAME=SOURCE,SOURCE",
    )
    labels: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="class names of lineups without a TOML file, separated by semicolons: files, or imagenet",
    )
    cache_dir: Path | None = Field(
        default=None, description="where published weights are kept; by default the platform's cache directory"
    )
    mirror: str | None = Field(
        default=None, description="scheme, host and path in place of a publisher's, for example https://mirror.example"
    )
    offline: bool = Field(default=False, description="fetch no published weights, and say which are missing")
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:0")
    threads: PositiveInt | None = Field(default=None, description="CPU threads of torch; all cores by default")
    precision: Precision = Field(default=Precision.FP32, description="fp32, bf16 or fp16")
    max_upload_bytes: ByteSize = Field(default=ByteSize(20_000_000), gt=0, description="one picture's bytes")
    max_picture_pixels: PositiveInt = Field(default=50_000_000, description="one picture's pixels")
    sheet_pictures: int = Field(default=24, ge=1, le=100, description="the most pictures of one sheet")
    queue_size: PositiveInt = Field(default=32, description="waiting requests before 503")
    batch_size: PositiveInt = Field(default=8, description="the most pictures of one forward pass")
    batch_wait_seconds: NonNegativeFloat = Field(
        default=0.0, description="how long a picture may wait for others; those that wait anyway share a pass at 0 too"
    )
    deadline_seconds: PositiveFloat = Field(default=30.0, description="the longest a request may take before 504")
    camera_connections: NonNegativeInt = Field(default=4, description="live cameras at once; 0 switches them off")
    cache_bytes: ByteSize = Field(default=ByteSize(512_000_000), gt=0, description="memory for analyses")
    cache_seconds: PositiveFloat = Field(default=3600.0, description="how long an analysis is kept")
    intake_bytes: ByteSize = Field(
        default=ByteSize(256_000_000), gt=0, description="memory for uploads that are under way, of all clients"
    )
    api_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="who has one of these may ask, separated by semicolons; without any, everyone may"
    )
    rate_limit: str | None = Field(default=None, description="of one client, for example 600/minute; none by default")
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="names that the server answers under, separated by semicolons; by default those of this machine "
        "where it listens on it alone, else any",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="other origins whose pages may ask, https://example.org, separated by semicolons"
    )
    drain_seconds: NonNegativeFloat = Field(
        default=0.0, description="how long after SIGTERM requests are still taken while /readyz says 503"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="info has a line for each request"
    )
    log_format: LogFormat = Field(default=LogFormat.TEXT, description="text for people, json for programs")

    @property
    def sheet_bytes(self) -> int:
        """The most bytes of a sheet's pictures together.

        They stay in memory while they come in, which leaves half of what uploads may take to others, and are then kept
        in the cache with what was computed of them: what does not fit into that would push out its own first rows.
        """
        room = self.cache_bytes - self.sheet_pictures * COMPUTED_BYTES
        most = min(self.sheet_pictures * self.max_upload_bytes, room, self.intake_bytes // 2)
        return max(self.max_upload_bytes, most)

    @property
    def store(self) -> WeightStore:
        """Where published weights are, and how they get there."""
        return WeightStore(
            find_cache_directory() if self.cache_dir is None else self.cache_dir.expanduser().absolute(),
            options=FetchOptions(mirror=self.mirror, offline=self.offline),
        )

    @field_validator("lineups", "labels", "api_tokens", "trusted_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """A variable's text is a list; the command line gives one."""
        return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value

    @field_validator("lineups")
    @classmethod
    def _want_one(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("names no lineup; leave it out for the shipped one")
        return value

    @property
    def rate(self) -> RateLimitItem | None:
        """The rate limit; None for none."""
        return None if self.rate_limit is None else parse(self.rate_limit)

    @field_validator("api_tokens")
    @classmethod
    def _check_tokens(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if short := [len(token) for token in value if len(token) < SHORTEST_TOKEN]:
            raise ValueError(
                f"a token has {short[0]} characters; give {SHORTEST_TOKEN} or more, for example from python -c "
                "'import secrets; print(secrets.token_urlsafe())'"
            )
        return value

    @field_validator("mirror")
    @classmethod
    def _check_mirror(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", value):
            raise ValueError(f"{value!r} is no mirror; write scheme, host and path, for example https://mirror.example")
        return value or None

    @field_validator("rate_limit")
    @classmethod
    def _check_rate(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse(value)
            except ValueError as error:
                raise ValueError(f"{value!r} is no rate; write for example 600/minute") from error
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[^/\s]+", origin):
                raise ValueError(f"{origin!r} is no origin; write scheme and host, for example https://example.org")
        return value
