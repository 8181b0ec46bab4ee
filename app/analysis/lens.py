"""The path from a picture, a lineup and options to a `Comparison`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from app.analysis.analyses import Analysis
from app.analysis.analysis_store import AnswerCache
from app.analysis.channel_scores import Changes, ChannelScorer
from app.analysis.classes import ChosenBy, find_class
from app.analysis.comparison import Altered, Comparison, Target
from app.analysis.concept_finder import ConceptFinder
from app.analysis.concepts import Concepts, check_count
from app.analysis.contrasts import check_contrast, find_contrast
from app.analysis.networks import check_networks, choose_gated
from app.analysis.options import ConceptOptions, GeometryOptions, TargetOptions
from app.analysis.passes import Waiting
from app.analysis.prepared import PreparedPicture, check_stage, prepare_again, prepare_picture
from app.analysis.questions import (
    AnswerType,
    ChangedMap,
    ChangedNetwork,
    ChangedTrace,
    HeatMaps,
    LearnedMaps,
    OpenedBlock,
    Question,
    RandomisedMaps,
    ResultType,
)
from app.analysis.timing import Timings
from app.decoding.threads import WorkThreads
from app.engine.engine import Engine
from app.engine.traces import Evidence, LineupGradient, LineupTrace, find_first_class
from app.engine.work import PictureWork
from app.errors import InvalidOption, refuse_choice
from app.explain.maps import FloatArray, OpenBlock
from app.explain.methods import Method
from models.attention.interventions import Intervention, list_allowed_changes, parse_interventions
from models.lineups.card import ClassLabel
from models.lineups.lineup import Lineup
from models.names import Attention, NetworkName
from models.networks.randomisation import Randomisation

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

AFTER_THE_TRACE = frozenset({Method.FINERCAM, Method.SCORECAM})
"""Methods that need the networks' answers before they can begin."""


class Lens:
    """Answers questions about pictures with one lineup.

    Args:
        engine: a started engine.
        lineup: the networks.
        max_pixels: the largest width times height that may be decoded.
        answers: the cache of answers, usually the store's; by default a new one for this lens alone.
        threads: the threads that decode and draw; by default as many as cores, for this lens alone, which decode in
            this process.
        waiting: how long callers wait for a map of many passes, and how they hear of them; by default as long as it
            takes.
    """

    def __init__(  # noqa: PLR0913  # its parts, most of which have a default
        self,
        engine: Engine,
        lineup: Lineup,
        *,
        max_pixels: int,
        answers: AnswerCache | None = None,
        threads: WorkThreads | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self.engine = engine
        self.lineup = lineup
        self._max_pixels = max_pixels
        self._answers = AnswerCache() if answers is None else answers
        self._threads = threads or WorkThreads()
        self._scorer = ChannelScorer(engine, lineup, waiting or Waiting())
        self._concepts = ConceptFinder(engine, lineup, self._threads, self._prepare_again)

    async def analyse(self, data: bytes, geometry: GeometryOptions, timings: Timings) -> Analysis:
        """Decode a picture and trace it through every network.

        Args:
            data: the uploaded bytes.
            geometry: how the picture becomes the input; the lineup's defaults where nothing is chosen.
            timings: the request's timings; the steps are added to them.

        Raises:
            LensError: see `decode_picture` and `Engine.submit`.
        """
        prepared = await self._prepare(data, geometry, timings)
        with timings.measure("networks"):
            traced = await self.engine.submit(PictureWork(self.lineup, prepared.values))
        return prepared.complete(traced.traces)

    async def ask(self, analysis: Analysis, question: Question[ResultType, AnswerType], timings: Timings) -> AnswerType:
        """Answer a question about an analysis from the cache, or compute the answer and keep it.

        Raises:
            LensError: see `Engine.submit`.
        """
        answer = self._answers.find(analysis, question)
        if answer is not None:
            return answer
        with timings.measure("networks"):
            work = await question.make_work(self.lineup, analysis, self._prepare_again)
            result = await self.engine.submit(work)
        return await self._read(analysis, question, result, timings)

    async def compare(self, analysis: Analysis, options: TargetOptions, timings: Timings) -> Comparison:
        """Compare the networks' heat maps for one class, without another forward pass unless gates are changed.

        Args:
            analysis: from `analyse`.
            options: class, method and stage.
            timings: the request's timings; the steps are added to them.

        Raises:
            InvalidOption: for an unknown class, for a stage that the networks lack, for a contrast that is none, and
                for an intervention that names no gate.
            DeadlinePassed: for Score-CAM that would take longer than callers wait.
            LensError: see `ask`.
        """
        check_stage(self.lineup.card, options.stage)
        interventions = self.find_interventions(analysis, options.interventions)
        label, chosen_by = self.find_class(options.target)
        target = Target(label or self.lineup.labels[find_first_class(analysis.traces)], chosen_by)
        against = find_contrast(self.lineup.labels, analysis.traces, target.label, options)
        asked = Comparison(
            analysis, self.lineup.labels, target, options.method, options.stage, heat_maps={}, against=against
        )
        learned = replace(asked, heat_maps=await self._explain(asked, timings))
        return await self._alter(learned, interventions, timings) if interventions else learned

    async def compare_classes(
        self, analysis: Analysis, options: TargetOptions, versus: str, timings: Timings
    ) -> list[Comparison]:
        """Compare for the explained class and, if `versus` names another one, for that one too.

        Raises:
            InvalidOption: for an unknown class, an unknown network, and an intervention that names no gate.
            LensError: see `ask`.
        """
        # A wrong name is refused before anything is computed.
        check_networks(analysis.card, options)
        self.find_class(versus, option="versus")
        return await self.add_class(await self.compare(analysis, options, timings), options, versus, timings)

    async def add_class(
        self, comparison: Comparison, options: TargetOptions, versus: str, timings: Timings
    ) -> list[Comparison]:
        """Add the comparison for a second class, if `versus` names another one; raises as `compare_classes`.

        Finer-CAM contrasts the two classes with each other, unless the options say against which.
        """
        other, _ = self.find_class(versus, option="versus")
        if other is None or other == comparison.target.label:
            return [comparison]
        # Traces of changed gates have no features to explain.
        learned = comparison.learned
        second = options.model_copy(update={"target": versus})
        if options.method is Method.FINERCAM:
            second = second.model_copy(update={"against": str(comparison.target.label.index)})
            if not options.against:
                contrasted = options.model_copy(update={"against": versus})
                comparison = await self.compare(learned.analysis, contrasted, timings)
        return [comparison, await self.compare(learned.analysis, second, timings)]

    async def compare_picture(
        self, data: bytes, geometry: GeometryOptions, options: TargetOptions, timings: Timings
    ) -> Comparison:
        """Do `analyse` and `compare` as one job of the engine; changed gates take a second one.

        Args:
            data: the uploaded bytes.
            geometry: how the picture becomes the input; the lineup's defaults where nothing is chosen.
            options: class, method and stage.
            timings: the request's timings; the steps are added to them.

        Raises:
            InvalidOption: for an unknown class and a stage that the networks lack, before anything is computed.
            LensError: see `decode_picture` and `Engine.submit`.
        """
        check_stage(self.lineup.card, options.stage)
        label, chosen_by = self.find_class(options.target)
        check_contrast(self.lineup.labels, options)
        if options.interventions or options.method in AFTER_THE_TRACE:
            # The names of the blocks come from the learned network's trace, and so does what is contrasted.
            return await self.compare(await self.analyse(data, geometry, timings), options, timings)
        prepared = await self._prepare(data, geometry, timings)
        class_index = None if label is None else label.index
        with timings.measure("networks"):
            work = PictureWork(self.lineup, prepared.values, options.stage, class_index)
            traced = await self.engine.submit(work)
        analysis = prepared.complete(traced.traces)
        target = Target(self.lineup.labels[traced.gradient.class_index], chosen_by)
        asked = Comparison(analysis, self.lineup.labels, target, options.method, options.stage, heat_maps={})
        heat_maps = await self._read(analysis, LearnedMaps(asked.explanation), traced.gradient, timings)
        return replace(asked, heat_maps=heat_maps)

    async def alter(self, analysis: Analysis, interventions: Sequence[str], timings: Timings) -> Analysis:
        """Change gates of an analysis's networks; no intervention returns the same analysis.

        Raises:
            InvalidOption: for an invalid intervention.
            LensError: see `ask`.
        """
        changed = {
            network: await self.ask(analysis, ChangedTrace(network, own), timings)
            for network, own in _by_network(self.find_interventions(analysis, interventions))
        }
        return _exchange(analysis, changed) if changed else analysis

    async def open_block(
        self, analysis: Analysis, network: str | None, block: str, interventions: Sequence[str], timings: Timings
    ) -> OpenBlock:
        """Open one block's attention: its input, its gates and its output.

        Args:
            analysis: the picture.
            network: the name of a network with gates; None for the last one of the lineup.
            block: the block's name.
            interventions: changes to gates; those of other networks are ignored.
            timings: the request's timings; the steps are added to them.

        Raises:
            InvalidOption: for a network without gates, for a block that it does not have, and for a text that names no
                intervention.
            LensError: see `ask`.
        """
        name = choose_gated(analysis.card, network)
        names = [known.name for known in analysis.traces[name].blocks]
        if block not in names:
            raise refuse_choice("block", block, names)
        own = dict(_by_network(self.find_interventions(analysis, interventions))).get(name, ())
        return await self.ask(analysis, OpenedBlock(name, block, own), timings)

    async def randomise(self, learned: Comparison, extent: Randomisation, timings: Timings) -> Comparison:
        """Compare the networks again with part of their weights random.

        Args:
            learned: the comparison from `compare`, without changed gates.
            extent: the part of each network that becomes random.
            timings: the request's timings; the steps are added to them.

        Raises:
            InvalidOption: for Score-CAM, see `check_sanity_method`.
            LensError: see `ask`.
        """
        check_sanity_method(learned.method)
        question = RandomisedMaps(learned.explanation, extent)
        return replace(learned, heat_maps=await self.ask(learned.analysis, question, timings))

    async def find_concepts(self, analysis: Analysis, options: ConceptOptions, timings: Timings) -> Concepts:
        """Divide each network's features into concepts, and classify each of them.

        Args:
            analysis: the picture; gates are as learned.
            options: the number of concepts and the stage.
            timings: the request's timings; the steps are added to them.

        Raises:
            InvalidOption: for a stage that the networks lack, and for more concepts than it can be divided into.
            LensError: see `Engine.submit`.
        """
        check_stage(self.lineup.card, options.stage)
        check_count(analysis, options)
        return await self._concepts.find(analysis, options, timings)

    @property
    def picture_seconds(self) -> float | None:
        """The time that a picture takes with all networks, as measured; None where nothing was."""
        return self.engine.find_seconds(PictureWork, self.lineup)

    def find_interventions(self, analysis: Analysis, texts: Sequence[str]) -> tuple[Intervention, ...]:
        """Read interventions from texts.

        Raises:
            InvalidOption: for a text that is no intervention or would change nothing, and for unknown blocks.
        """
        attentions = {name: network.attention for name, network in analysis.card.networks.items()}
        blocks = {
            name: [block.name for block in trace.blocks]
            for name, trace in analysis.traces.items()
            if list_allowed_changes(attentions[name])
        }
        for text in texts:
            if attentions.get(text.partition(":")[0]) is Attention.BAM:
                raise InvalidOption(
                    f"intervention {text!r}: BAM applies its two branches together, so that none of its gates can be "
                    f"changed alone; choose another network ({', '.join(blocks) or 'none here'})",
                    option="interventions",
                )
        try:
            return parse_interventions(texts, blocks, attentions)
        except ValueError as error:
            raise InvalidOption(str(error), option="interventions") from error

    def find_class(self, target: str, *, option: str = "target") -> tuple[ClassLabel | None, ChosenBy]:
        """Find a class of this lineup; see `find_class` in `classes`."""
        return find_class(self.lineup.labels, target, option=option)

    async def run(self, work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Run decoding, drawing or encoding in a thread; see `WorkThreads`."""
        return await self._threads.run(work, *args, **kwargs)

    async def _prepare(self, data: bytes, options: GeometryOptions, timings: Timings) -> PreparedPicture:
        with timings.measure("decode"):
            return await self.run(prepare_picture, data, self.lineup.card, options, max_pixels=self._max_pixels)

    async def _prepare_again(self, analysis: Analysis) -> FloatArray:
        return await self.run(prepare_again, analysis, max_pixels=self._max_pixels)

    async def _read(
        self, analysis: Analysis, question: Question[ResultType, AnswerType], result: ResultType, timings: Timings
    ) -> AnswerType:
        """Make an answer from the engine's result, and keep it."""
        if question.makes_maps:
            with timings.measure("maps"):
                answer = await self.run(question.read, analysis, result)
        else:
            answer = question.read(analysis, result)
        self._answers.keep(analysis, question, answer)
        return answer

    async def _explain(self, asked: Comparison, timings: Timings) -> HeatMaps:
        """Every network's map, with all gates as learned."""
        question = LearnedMaps(asked.explanation)
        if asked.method is not Method.SCORECAM or self._answers.find(asked.analysis, question) is not None:
            return await self.ask(asked.analysis, question, timings)
        weights = await self._weigh(asked, dict.fromkeys(asked.names, ()), timings)
        return await self._read(asked.analysis, question, LineupGradient(asked.target.label.index, weights), timings)

    async def _explain_changed(self, learned: Comparison, question: ChangedMap, timings: Timings) -> ChangedNetwork:
        """One network's map with changed gates."""
        analysis, network = learned.analysis, question.network
        if learned.method is not Method.SCORECAM or self._answers.find(analysis, question) is not None:
            return await self.ask(analysis, question, timings)
        with timings.measure("networks"):
            work = await question.make_work(self.lineup, analysis, self._prepare_again)
            trace, evidence = await self.engine.submit(work)
        # The masks are the changed network's features.
        features = replace(trace, features={learned.stage: evidence.features})
        changed = replace(learned, analysis=_exchange(analysis, {network: features}))
        weights = await self._weigh(changed, {network: question.interventions}, timings)
        return await self._read(analysis, question, (trace, Evidence(evidence.features, weights[network])), timings)

    async def _weigh(self, asked: Comparison, changes: Changes, timings: Timings) -> dict[NetworkName, FloatArray]:
        with timings.measure("networks"):
            return await self._scorer.weigh(asked.analysis, asked.explanation, self._prepare_again, changes)

    async def _alter(
        self, learned: Comparison, interventions: tuple[Intervention, ...], timings: Timings
    ) -> Comparison:
        """Compare with changed gates."""
        traces, heat_maps = {}, {}
        for network, own in _by_network(interventions):
            changed = await self._explain_changed(learned, ChangedMap(learned.explanation, network, own), timings)
            # The page calls `alter` next; the same trace answers that.
            self._answers.keep(learned.analysis, ChangedTrace(network, own), changed.trace)
            traces[network], heat_maps[network] = changed.trace, changed.heat_map
        return replace(
            learned,
            analysis=_exchange(learned.analysis, traces),
            heat_maps={**learned.heat_maps, **heat_maps},
            altered=Altered(interventions, learned),
        )


def check_sanity_method(method: Method) -> None:
    """Refuse a sanity check that would take minutes; raises `InvalidOption`."""
    if method is Method.SCORECAM:
        raise InvalidOption(
            f"the sanity check computes every map {len(Randomisation)} times more, and Score-CAM takes a forward pass "
            "per channel for each; choose another method for it",
            option="method",
            allowed=[known.value for known in Method if known is not method],
        )


def _by_network(
    interventions: Sequence[Intervention],
) -> Iterator[tuple[NetworkName, tuple[Intervention, ...]]]:
    """Sort the interventions by the network whose gates they change."""
    for network in dict.fromkeys(intervention.network for intervention in interventions):
        yield network, tuple(intervention for intervention in interventions if intervention.network == network)


def _exchange(analysis: Analysis, changed: LineupTrace) -> Analysis:
    """The same analysis, with the changed networks' traces in place of the learned ones'."""
    return replace(analysis, traces={**analysis.traces, **changed})
