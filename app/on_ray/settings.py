"""The size of the server on a cluster: environment variables `CBAM_LENS_RAY_...`. Nothing here imports Ray."""

import math
from typing import Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import InvalidOption
from app.settings import Settings


class RaySettings(BaseSettings):
    """Settings with defaults for one machine; `RAY_ADDRESS`, Ray's own variable, names a cluster."""

    model_config = SettingsConfigDict(env_prefix="CBAM_LENS_RAY_", frozen=True)

    min_replicas: PositiveInt = Field(default=1, description="smallest number of processes with the networks")
    max_replicas: PositiveInt = Field(
        default=4, description="largest number of these processes; the queue's length decides"
    )
    target_works: PositiveFloat = Field(
        default=8.0, description="pieces of work per process, waiting or computed, above which another process starts"
    )
    replica_cpus: PositiveFloat = Field(default=1.0, description="cores per process, and threads of its torch")
    replica_gpus: NonNegativeFloat = Field(default=0.0, description="GPUs per process; with 0.5 two share one")
    min_ingresses: PositiveInt = Field(
        default=1, description="smallest number of processes that read and draw pictures"
    )
    max_ingresses: PositiveInt = Field(default=2, description="largest number of these processes")
    queue_size: PositiveInt = Field(
        default=512,
        description="computations that may wait at each of these processes, above which 503 is answered, as when one "
        "would wait too long",
    )
    ingress_cpus: NonNegativeFloat = Field(default=0.0, description="cores that each of these processes reserves")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for name in ("replicas", "ingresses"):
            least, most = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if least > most:
                raise ValueError(
                    f"CBAM_LENS_RAY_MIN_{name.upper()} is {least}; it must not exceed the maximum of {most}"
                )
        return self

    def fit(self, settings: Settings) -> Settings:
        """Adapt the settings to one process with the networks: threads for its cores, CUDA only with a GPU share."""
        threads = settings.threads or max(1, math.floor(self.replica_cpus))
        device = settings.device if self.replica_gpus or settings.device != "auto" else "cpu"
        return settings.model_copy(update={"threads": threads, "device": device})


def read_ray_settings() -> RaySettings:
    """Read the settings of the environment; raises `InvalidOption`."""
    try:
        return RaySettings()
    except ValueError as error:
        raise InvalidOption(str(error), option="on") from error
