"""How much of a cluster is used: environment variables that begin with `CBAM_LENS_RAY_`. Nothing here imports Ray."""

import math
from typing import Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import InvalidOption
from app.settings import Settings


class RaySettings(BaseSettings):
    """Each has a default that suits one machine; `RAY_ADDRESS`, Ray's own variable, names a cluster."""

    model_config = SettingsConfigDict(env_prefix="CBAM_LENS_RAY_", frozen=True)

    min_replicas: PositiveInt = Field(default=1, description="processes with the networks, at least")
    max_replicas: PositiveInt = Field(default=4, description="the same, at most; by queue length in between")
    target_works: PositiveFloat = Field(
        default=8.0, description="works for each such process, waiting or computed, above which another one starts"
    )
    replica_cpus: PositiveFloat = Field(default=1.0, description="cores of each; so many threads has its torch")
    replica_gpus: NonNegativeFloat = Field(default=0.0, description="GPUs of each; 0.5 lets two share one")
    min_ingresses: PositiveInt = Field(default=1, description="processes that read and draw pictures, at least")
    max_ingresses: PositiveInt = Field(default=2, description="the same, at most")
    ingress_cpus: NonNegativeFloat = Field(default=0.0, description="cores that each of them reserves")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for name in ("replicas", "ingresses"):
            least, most = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if least > most:
                raise ValueError(f"CBAM_LENS_RAY_MIN_{name.upper()} is {least}, more than the {most} of the most")
        return self

    def fit(self, settings: Settings) -> Settings:
        """The settings of one process with the networks: threads for its cores, CUDA only where it has a share."""
        threads = settings.threads or max(1, math.floor(self.replica_cpus))
        device = settings.device if self.replica_gpus or settings.device != "auto" else "cpu"
        return settings.model_copy(update={"threads": threads, "device": device})


def read_ray_settings() -> RaySettings:
    """The settings of the environment; raises `InvalidOption`."""
    try:
        return RaySettings()
    except ValueError as error:
        raise InvalidOption(str(error), option="on") from error
