"""The metadata of our own safetensors files: texts by name."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.checkpoints.diagnosis import CheckpointError
from models.names import Attention, StridePlacement

FORMAT = "cbam-lens"


class OwnMetadata(BaseModel):
    """The metadata of a file that was written here.

    Attributes:
        architecture: a key of `models.networks.zoo.ARCHITECTURES`.
        attention: what stands at the end of each block.
        class_count: rows of the last layer.
        stride_placement: None in the first files, whose networks have no bottleneck.
        trained: None in the first files.
        recipe: how it was trained, if that is known.
        source: the layout and the file that it was made from, if it was made from one.
    """

    model_config = ConfigDict(frozen=True)

    architecture: str
    attention: Attention
    class_count: int = Field(gt=0)
    stride_placement: StridePlacement | None = None
    trained: bool | None = None
    recipe: str | None = None
    source: str | None = None


def parse_metadata(metadata: Mapping[str, str]) -> OwnMetadata | None:
    """The metadata of a file; None for a file that was not written here.

    Raises:
        CheckpointError: for metadata of ours that makes no sense.
    """
    # The shipped lineup's files are older than the format's name.
    if metadata.get("format") != FORMAT and not {"architecture", "attention", "classes"} <= metadata.keys():
        return None
    try:
        return OwnMetadata.model_validate({"class_count": metadata.get("classes"), **metadata})
    except ValidationError as error:
        problem = error.errors()[0]
        raise CheckpointError(
            f"its metadata makes no sense: {'.'.join(map(str, problem['loc']))}: {problem['msg']}; convert it again"
        ) from error


def format_metadata(metadata: OwnMetadata) -> dict[str, str]:
    """The same as texts."""
    return {"format": FORMAT} | {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in metadata.model_dump(mode="json", exclude_none=True).items()
    }
