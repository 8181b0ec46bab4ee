"""The metadata of our own safetensors files, as texts by name."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.checkpoints.diagnosis import CheckpointError
from models.names import Attention, StridePlacement

FORMAT = "cbam-lens"


class OwnMetadata(BaseModel):
    """The metadata of a file that this program wrote.

    Attributes:
        architecture: a key of `models.networks.zoo.ARCHITECTURES`.
        attention: the attention at the end of each block.
        class_count: the number of classes.
        stride_placement: None in the first files, whose networks have no bottleneck.
        trained: None in the first files.
        recipe: the training recipe, if known.
        source: the layout and name of the file that it was converted from, if any.
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
    """Parse a file's metadata; None for a file that this program did not write.

    Raises:
        CheckpointError: the metadata is ours and not valid.
    """
    # The shipped lineup's files are older than the format's name.
    if metadata.get("format") != FORMAT and not {"architecture", "attention", "classes"} <= metadata.keys():
        return None
    try:
        return OwnMetadata.model_validate({"class_count": metadata.get("classes"), **metadata})
    except ValidationError as error:
        problem = error.errors()[0]
        raise CheckpointError(
            f"its metadata is not valid: {'.'.join(map(str, problem['loc']))}: {problem['msg']}; convert it again"
        ) from error


def format_metadata(metadata: OwnMetadata) -> dict[str, str]:
    """Format metadata as texts by name."""
    return {"format": FORMAT} | {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in metadata.model_dump(mode="json", exclude_none=True).items()
    }
