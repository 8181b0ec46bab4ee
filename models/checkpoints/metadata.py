"""The metadata of our own safetensors files, as texts by name."""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from models.calibration import FitThreshold, NetworkCalibration, TemperatureRecord
from models.checkpoints.diagnosis import CheckpointError
from models.names import Attention, StridePlacement

FORMAT = "cbam-lens"


def parse_json(value: object) -> object:
    """Parse a text as JSON; other values stay as they are. Raises `ValueError`."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except RecursionError as error:
        raise ValueError("JSON of too many levels") from error


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
        temperature, calibration, fit: as in `NetworkCalibration`; the latter two are JSON in the file.
    """

    model_config = ConfigDict(frozen=True)

    architecture: str
    attention: Attention
    class_count: int = Field(gt=0)
    stride_placement: StridePlacement | None = None
    trained: bool | None = None
    recipe: str | None = None
    source: str | None = None
    temperature: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    calibration: Annotated[TemperatureRecord | None, BeforeValidator(parse_json)] = None
    fit: Annotated[FitThreshold | None, BeforeValidator(parse_json)] = None

    @property
    def network_calibration(self) -> NetworkCalibration:
        """The file's calibration."""
        return NetworkCalibration(temperature=self.temperature, calibration=self.calibration, fit=self.fit)


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
    return {"format": FORMAT} | format_values(metadata)


def format_values(values: BaseModel) -> dict[str, str]:
    """Format a model's fields as texts by name; parts with fields of their own as JSON, None not at all."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in values.model_dump(mode="json", exclude_none=True).items()
    }
