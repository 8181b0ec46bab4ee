"""What can be asked about a picture, whoever computes it: the engine of this process, or networks elsewhere."""

from abc import ABC, abstractmethod
from typing import cast

from app.engine.work import (
    AlteredAnswer,
    AlteredWork,
    EngineWork,
    ForgottenAnswer,
    ForgottenWork,
    NetworkTrace,
    OpenedWork,
    PairGradient,
    PairTrace,
    PictureAnswer,
    PictureWork,
    Question,
    TraceWork,
)
from app.explain.maps import FloatArray, OpenBlock
from models.attention.interventions import Intervention
from models.lineups.pair import NetworkPair
from models.networks.randomisation import Randomisation


class Answerer(ABC):
    """Takes works and answers them; each question is one work, taken or refused as a whole."""

    @property
    @abstractmethod
    def is_ready(self) -> bool:
        """Whether works are taken and answered, and every pair has answered a first one."""

    @property
    @abstractmethod
    def has_failed(self) -> bool:
        """Whether a pair did not answer its first picture."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """How many works wait."""

    @abstractmethod
    def close(self) -> None:
        """Take no more works, answer those that wait, and end what was started for them."""

    @abstractmethod
    async def submit(self, work: EngineWork) -> object:
        """The answer to one work, of the type that belongs to the work's.

        Raises:
            QueueFull: when too many works wait.
            EngineFailed: when the computation went wrong.
        """

    async def trace(self, pair: NetworkPair, values: FloatArray) -> PairTrace:
        """One forward pass of both networks.

        Args:
            pair: the networks.
            values: a normalised picture, (3, H, W).

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        answer = await self.submit(PictureWork(pair, values, None))
        return cast("PictureAnswer", answer)[0]

    async def differentiate(self, pair: NetworkPair, traces: PairTrace, question: Question) -> PairGradient:
        """Both networks' gradients on a picture that was traced before.

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return cast("PairGradient", await self.submit(TraceWork(pair, traces, question)))

    async def trace_and_differentiate(
        self, pair: NetworkPair, values: FloatArray, question: Question
    ) -> tuple[PairTrace, PairGradient]:
        """`trace` and `differentiate` as one job, so that a request is taken or refused as a whole.

        Args:
            pair: the networks.
            values: a normalised picture, (3, H, W).
            question: what is to be explained.

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        answer = await self.submit(PictureWork(pair, values, question))
        return cast("tuple[PairTrace, PairGradient]", answer)

    async def trace_altered(
        self,
        pair: NetworkPair,
        values: FloatArray,
        interventions: tuple[Intervention, ...],
        question: Question | None,
    ) -> tuple[NetworkTrace, FloatArray | None]:
        """One forward pass of the network with attention, its gates changed, and the gradient where one is wanted.

        Args:
            pair: the networks.
            values: a normalised picture, (3, H, W).
            interventions: what is done to the gates.
            question: what is to be explained, with a class; None for the trace alone.

        Returns:
            The trace, and d logit / d features of the question's stage, (C, H, W).

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return cast("AlteredAnswer", await self.submit(AlteredWork(pair, values, question, interventions)))

    async def trace_forgotten(
        self, pair: NetworkPair, values: FloatArray, question: Question, extent: Randomisation
    ) -> ForgottenAnswer:
        """Both networks' features and gradients after part of their weights became random.

        Args:
            pair: the networks; they are left as they are.
            values: a normalised picture, (3, H, W).
            question: what is to be explained, with a class.
            extent: how much of each network is random.

        Returns:
            The question's stage's output and d logit / d output by network, each (C, H, W).

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return cast("ForgottenAnswer", await self.submit(ForgottenWork(pair, values, question, extent)))

    async def open_block(
        self, pair: NetworkPair, values: FloatArray, block: str, interventions: tuple[Intervention, ...]
    ) -> OpenBlock:
        """What the attention of one block saw and did.

        Args:
            pair: the networks.
            values: a normalised picture, (3, H, W).
            block: the block's name, one of the network's.
            interventions: what is done to the gates.

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return cast("OpenBlock", await self.submit(OpenedWork(pair, values, block, interventions)))
