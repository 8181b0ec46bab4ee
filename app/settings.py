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

from app.study.people import MOST_PEOPLE
from models.lineups.catalogue import SHIPPED
from models.lineups.fetching.cache import find_cache_directory
from models.lineups.fetching.connection import check_mirror
from models.lineups.fetching.download import FetchOptions
from models.lineups.fetching.store import WeightStore
from models.names import Precision


class LogFormat(StrEnum):
    """The format of log lines."""

    TEXT = "text"
    JSON = "json"


QUEUE_SHARE = 0.8

SUB_PATH = r"(/[A-Za-z0-9._~-]+)+"
"""A path below which the server is reached; nothing in it has to be escaped in a page or an address."""

SHORTEST_TOKEN = 16

DAY_SECONDS = 86_400

COMPUTED_BYTES = 9_000_000
"""The memory for a large picture without its upload: the shipped lineup's traces and the copy for the screen."""


class Settings(BaseSettings):
    """The server's settings, with defaults for a laptop."""

    model_config = SettingsConfigDict(
        env_prefix="CBAM_LENS_",
        frozen=True,
        # A mirror's address may have a password in it.
        hide_input_in_errors=True,
    )

    lineups: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(SHIPPED,),
        description="lineups to serve, separated by semicolons: known names, TOML files, NAME=SOURCE,SOURCE",
    )
    labels: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="class names of lineups without a TOML file, separated by semicolons: files, or imagenet",
    )
    cache_dir: Path | None = Field(
        default=None, description="folder of published weights; by default in the platform's cache directory"
    )
    mirror: str | None = Field(
        default=None, description="scheme, host and path in place of a publisher's, for example https://mirror.example"
    )
    offline: bool = Field(default=False, description="fetch no published weights, and say which are missing")
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:0")
    threads: PositiveInt | None = Field(default=None, description="CPU threads of torch; all cores by default")
    precision: Precision = Field(default=Precision.FP32, description="fp32, bf16 or fp16")
    max_upload_bytes: ByteSize = Field(default=ByteSize(20_000_000), gt=0, description="limit of one picture's bytes")
    max_picture_pixels: PositiveInt = Field(default=51_000_000, description="limit of one picture's pixels")
    sheet_pictures: int = Field(default=200, ge=1, le=200, description="limit of pictures per sheet")
    queue_size: PositiveInt = Field(
        default=512,
        description="limit of waiting requests, above which 503 is answered, as when a request would wait too long",
    )
    batch_size: PositiveInt = Field(
        default=8, description="limit of pictures per forward pass; on a CPU of several cores never more than 2"
    )
    batch_wait_seconds: NonNegativeFloat = Field(
        default=0.0,
        description="time that a picture waits for others to share its pass; waiting ones share it even at 0",
    )
    deadline_seconds: PositiveFloat = Field(
        default=30.0, description="time limit of a request, after which 504 is answered"
    )
    camera_connections: NonNegativeInt = Field(
        default=4, description="limit of live cameras at once; 0 switches the camera off"
    )
    cache_bytes: ByteSize = Field(default=ByteSize(2_000_000_000), gt=0, description="memory for analyses")
    cache_seconds: PositiveFloat = Field(default=3600.0, description="time that an analysis is kept")
    store: Path | None = Field(
        default=None,
        description="folder for uploads and their settings, so that links outlive a restart; by default nothing is "
        "written to disk",
    )
    store_bytes: ByteSize = Field(default=ByteSize(2_000_000_000), gt=0, description="limit of that folder's bytes")
    store_days: PositiveFloat = Field(default=30.0, description="days that an upload is kept in that folder")
    study_database: SecretStr | None = Field(
        default=None,
        description="path of an SQLite file, or postgresql://USER@HOST/NAME, for studies; by default a file in the "
        "platform's data directory, which cbam-lens study create makes",
    )
    study_people: PositiveInt = Field(
        default=MOST_PEOPLE, description="limit of people per study; whoever comes later is told so, and cannot vote"
    )
    page_studies: NonNegativeInt = Field(
        default=20,
        description="limit of studies, above which the page creates no other; 0 leaves creation to the command",
    )
    intake_bytes: ByteSize = Field(
        default=ByteSize(256_000_000), gt=0, description="memory for the uploads in progress of all clients"
    )
    answer_bytes: ByteSize = Field(
        default=ByteSize(256_000_000), gt=0, description="memory for the answers that clients have not taken yet"
    )
    api_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="tokens, separated by semicolons, one of which a request needs; none by default"
    )
    rate_limit: str | None = Field(
        default=None, description="limit of each client's requests, for example 600/minute; none by default"
    )
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="host names of the server, separated by semicolons; by default this machine's own if only this "
        "machine can reach it, otherwise any",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="other origins whose pages may send requests, such as https://example.org, by semicolons",
    )
    frame_ancestors: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="origins whose pages may show this page in a frame, by semicolons, or self; by default none",
    )
    evidence_pictures: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="folders with the data of the recorded evaluations, each in a folder of its name, by semicolons; "
        "the evidence page shows their pictures",
    )
    root_path: str = Field(
        default="", description="path of a proxy below which the server is reached, such as /lens; none by default"
    )
    drain_seconds: NonNegativeFloat = Field(
        default=0.0, description="time after SIGTERM in which requests are still accepted, while /readyz says 503"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="info logs one line per request"
    )
    log_format: LogFormat = Field(default=LogFormat.TEXT, description="text for people, json for programs")

    @property
    def sheet_bytes(self) -> int:
        """The limit of the bytes of a sheet's pictures together.

        A sheet may take half of the memory for uploads, which leaves the other half to other clients. Then its pictures
        are kept in the cache with their traces; more than fits there would push out the sheet's own first rows.
        """
        room = self.cache_bytes - self.sheet_pictures * COMPUTED_BYTES
        most = min(self.sheet_pictures * self.max_upload_bytes, room, self.intake_bytes // 2)
        return max(self.max_upload_bytes, most)

    @property
    def kept_seconds(self) -> float:
        """The longest time that an analysis can be opened."""
        return self.cache_seconds if self.store is None else max(self.cache_seconds, DAY_SECONDS * self.store_days)

    @property
    def study_address(self) -> str | None:
        """The path or URL of the studies' database; None for the default one."""
        return None if self.study_database is None else self.study_database.get_secret_value() or None

    @property
    def weight_store(self) -> WeightStore:
        """The store of published weights, with the options of fetching them."""
        return WeightStore(
            find_cache_directory() if self.cache_dir is None else self.cache_dir.expanduser().absolute(),
            options=FetchOptions(mirror=self.mirror, offline=self.offline),
        )

    @field_validator(
        "lineups",
        "labels",
        "api_tokens",
        "trusted_hosts",
        "allowed_origins",
        "frame_ancestors",
        "evidence_pictures",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        """Split an environment variable's text; the command line gives a list."""
        return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value

    @field_validator("lineups")
    @classmethod
    def _want_one(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("has no lineups; leave it out for the shipped one")
        return value

    @property
    def queue_seconds(self) -> float:
        """The time of a request for the queue and the networks; the rest is for decoding and drawing."""
        return QUEUE_SHARE * self.deadline_seconds

    @property
    def rate(self) -> RateLimitItem | None:
        """The rate limit; None if there is none."""
        return None if self.rate_limit is None else parse(self.rate_limit)

    @field_validator("api_tokens")
    @classmethod
    def _check_tokens(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if short := [len(token) for token in value if len(token) < SHORTEST_TOKEN]:
            raise ValueError(
                f"a token has {short[0]} characters; give {SHORTEST_TOKEN} or more, for example from python -c "
                "'import secrets; print(secrets.token_urlsafe())'"
            )
        # Headers carry nothing else reliably.
        if not all(token.get_secret_value().isascii() for token in value):
            raise ValueError("a token has a character that is not ASCII; headers cannot carry it reliably")
        return value

    @field_validator("mirror")
    @classmethod
    def _check_mirror(cls, value: str | None) -> str | None:
        if value is not None:
            check_mirror(value)
        return value or None

    @field_validator("frame_ancestors")
    @classmethod
    def _check_ancestors(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name != "self" and not re.fullmatch(r"https?://[A-Za-z0-9.*-]+(:\d+)?", name):
                raise ValueError(f"{name!r} is no origin; write for example https://example.org, or self")
        return value

    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str) -> str:
        path = value.rstrip("/")
        if path and not re.fullmatch(SUB_PATH, path):
            raise ValueError(f"{value!r} is no path; write for example /lens")
        return path

    @field_validator("rate_limit")
    @classmethod
    def _check_rate(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse(value)
            except ValueError as error:
                raise ValueError(f"{value!r} is not a rate; write for example 600/minute") from error
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[^/\s]+", origin):
                raise ValueError(f"{origin!r} is not an origin; write scheme and host, for example https://example.org")
        return value
