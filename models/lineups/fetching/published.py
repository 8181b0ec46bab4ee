"""A file of weights that somebody publishes. Nothing here imports torch."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.errors import LineupError

FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.pth$"
"""A plain name: it becomes a file in the cache directory."""

BYTES_PER_PARAMETER = 4
"""float32. The statistics of BatchNorm and the names add less than one per cent."""

SPARE_BYTES = 1_000_000


class FetchError(LineupError):
    """A published file is not on this machine and cannot be had; one line says which file, why and what to do."""


class PublishedFile(BaseModel):
    """A file of weights and where it is published.

    Attributes:
        file: its name.
        url: of a zip with this file inside; None for a file that people get by hand.
        page: the page that links to it, for people.
        sha1: of the file itself, not of the zip. A file that is fetched has one.
        parameters: trainable values of the network, from which the size is known before anything is fetched.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(pattern=FILE_NAME)
    url: str | None = Field(default=None, pattern=r"^https://\S+\.zip$")
    page: str | None = None
    sha1: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    parameters: int = Field(gt=0)

    @model_validator(mode="after")
    def _want_a_hash(self) -> Self:
        if self.url is not None and self.sha1 is None:
            raise ValueError(f"{self.file} has a url and no sha1; what is fetched is checked")
        if self.url is None and self.page is None:
            raise ValueError(f"{self.file} has neither a url nor a page; say where it is from")
        return self

    @property
    def archive(self) -> str:
        """The name of the zip around it."""
        return f"{self.file}.zip"

    @property
    def expected_bytes(self) -> int:
        """Its size, as far as its parameters tell it."""
        return BYTES_PER_PARAMETER * self.parameters

    @property
    def most_bytes(self) -> int:
        """A file beyond this size is another one; nothing of it is read."""
        return 2 * self.expected_bytes + SPARE_BYTES
