"""Functions that `--lineup NAME=python:...` can name."""

from torch import nn

import cbam_lens as cl
from models.lineups.own_networks import OwnNetwork
from tests.models.foreign.attention import Luuuyi
from tests.models.foreign.networks import SmallNetwork

CIFAR = {"mean": (0.5, 0.5, 0.5), "standard_deviation": (0.25, 0.25, 0.25), "resolution": 32}


def make_baseline() -> OwnNetwork:
    return cl.network(SmallNetwork(), preprocessing=CIFAR)


def make_cbam() -> OwnNetwork:
    return cl.network(SmallNetwork(Luuuyi), preprocessing=CIFAR)


def make_plain() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=16), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def make_nothing() -> None:
    """Forgets to return its network."""


def fail() -> nn.Module:
    raise RuntimeError("no weights here")
