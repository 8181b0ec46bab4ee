"""The networks' answers to a batch, their accuracy and their calibration."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch

from app.evaluation.measures.calibration import measure_calibration
from app.evaluation.measures.pictures import PictureBatch
from app.evaluation.results.intervals import estimate_mean
from app.evaluation.results.report import Interval, NetworkAccuracy
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage
from models.networks.trace import Trace
from models.probabilities import Activation, find_probabilities


@dataclass(frozen=True, slots=True)
class RankedTruth:
    """One network's answer to one picture.

    Attributes:
        rank: the true class's rank; 0 is the network's top guess.
        confidence: P of the top guess, 0..1.
        probability: P of the true class, 0..1.
    """

    rank: int
    confidence: float
    probability: float

    @property
    def is_right(self) -> bool:
        """Whether the top guess is the true class."""
        return self.rank == 0


def trace_batch(lineup: Lineup, name: NetworkName, batch: PictureBatch, stages: Collection[Stage]) -> Trace:
    """Run one network's forward pass, on its device."""
    network = lineup.networks[name]
    with torch.no_grad():
        return network.trace(torch.from_numpy(batch.values).to(lineup.device, network.dtype), stages=stages)


def read_answers(
    logits: torch.Tensor,
    classes: Sequence[int],
    temperature: float = 1.0,
    activation: Activation = Activation.SOFTMAX,
) -> list[RankedTruth]:
    """Read one network's answers to pictures.

    Args:
        logits: (N, K).
        classes: the true classes, N of them.
        temperature: the network's temperature.
        activation: how logits become probabilities.
    """
    truth = torch.tensor(classes, device=logits.device)[:, None]  # (N, 1)
    ranks = (logits > logits.gather(1, truth)).sum(dim=1)  # (N,)
    probabilities = find_probabilities(logits.double().cpu().numpy(), temperature, activation)  # (N, K)
    confidences = probabilities.max(axis=1)  # (N,)
    of_truth = probabilities[range(len(classes)), list(classes)]  # (N,)
    return [
        RankedTruth(int(rank), float(confidence), float(probability))
        for rank, confidence, probability in zip(ranks.tolist(), confidences.tolist(), of_truth.tolist(), strict=True)
    ]


def summarise_answers(answers: Sequence[RankedTruth]) -> NetworkAccuracy:
    """Compute accuracy and calibration over all pictures."""
    top1, top5 = sum(answer.rank < 1 for answer in answers), sum(answer.rank < 5 for answer in answers)
    count = max(1, len(answers))
    return NetworkAccuracy(
        top1=top1 / count,
        top5=top5 / count,
        top1_count=top1,
        top5_count=top5,
        calibration=measure_calibration(
            [answer.confidence for answer in answers], [answer.is_right for answer in answers]
        ),
    )


def compare_answers(answers: Mapping[NetworkName, Sequence[RankedTruth]]) -> dict[NetworkName, Interval]:
    """How much more often each other network is right than the first, with the interval over pictures.

    Args:
        answers: each network's answers to the same pictures, in their order.

    Returns:
        The differences of top-1 accuracy, -1..1; empty without pictures.
    """
    (_, baseline), *others = answers.items()
    if not baseline:
        return {}
    return {
        name: estimate_mean(
            [float(one.is_right) - float(base.is_right) for one, base in zip(own, baseline, strict=True)]
        )
        for name, own in others
    }
