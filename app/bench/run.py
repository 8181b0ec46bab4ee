"""A whole benchmark: the chosen parts in order, in one report."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rich.console import Console

from app.analysis.lens import Lens
from app.bench import service
from app.bench.contestants.analysis import OtherClass, PictureAnalysis, open_lens
from app.bench.contestants.forward import ForwardPasses, build_forward_passes, find_fastest, summarise_forward
from app.bench.contestants.in_worker import InWorker, Timed, Worker
from app.bench.contestants.peers import (
    TORCHCAM_IS_MISSING,
    Peer,
    build_peer,
    explain_with_grad_cam,
    find_torchcam,
    is_residual,
)
from app.bench.contestants.pictures import LARGE, SMALL, make_jpeg, prepare_jpeg, write_jpegs
from app.bench.contestants.rounds import Contestant, run_rounds
from app.bench.figures import VARIANTS, build_figures
from app.bench.progress import Phases
from app.bench.results.parts import BenchOptions, Part
from app.bench.results.plot import draw_report
from app.bench.results.report import BenchReport, Setup
from app.bench.results.statistics import Samples
from app.bench.servers.server import serve_command
from app.bench.servers.startup import RUNS, list_weights, measure_startup
from app.bench.setup import read_setup
from app.errors import InvalidOption
from app.explain.maps import FloatArray
from app.render.overlay import Render
from app.settings import Settings
from models.lineups.choice import parse_lineups
from models.lineups.lineup import Lineup, load_lineup

console = Console(stderr=True)

IN_PROCESS = (Part.FORWARD, Part.ANALYSIS, Part.STEPS, Part.GRAD_CAM, Part.TORCHCAM, Part.OTHER_CLASS)

OUR_PARTS = (Part.ANALYSIS, Part.STEPS)
"""The parts that the same runs measure."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The networks and the input of the bare passes and the peers.

    Attributes:
        plain: the trained lineup, not folded; the lens's own is folded.
        values: a normalised picture, (3, H, W).
    """

    plain: Lineup
    values: FloatArray


@dataclass(slots=True)
class Findings:
    """The results so far.

    Attributes:
        setup: the report's head.
        samples: the measured values.
        notes: the omissions and errors.
        loop: runs the fastest bare loop for some seconds, and returns lineups per second; once it is known.
    """

    setup: Setup
    samples: Samples = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    loop: Callable[[float], float] | None = None


def run_bench(settings: Settings, options: BenchOptions) -> BenchReport:
    """Measure, with progress bars on standard error.

    Args:
        settings: the lineup, the device, and the settings of the server and of our engine.
        options: the parts and their extent.

    Raises:
        ChildProcessError: when the server or the load client fails.
        InvalidOption: when the plot's folder does not exist.
        OSError: when the plot cannot be written.
        LineupError: when the networks cannot be loaded.
    """
    _check_plot(options.plot)
    with ExitStack() as stack:
        lens = stack.enter_context(open_lens(settings))
        # The trained lineup itself, beside the folded one that answers requests.
        (choice,) = parse_lineups(settings.lineups, settings.labels, store=settings.weight_store)
        plain = load_lineup(choice, device=lens.lineup.device)
        options = leave_out_peers(options, plain)
        subject = Subject(plain, prepare_jpeg(make_jpeg(SMALL), plain.card.preprocessing))
        findings = Findings(read_setup(settings, options, plain, subject.values))
        phases = stack.enter_context(Phases(_count_steps(options)))
        if options.has(*IN_PROCESS):
            _measure_in_process(lens, subject, options, findings, phases.begin("rounds"))
        _measure_service(settings, options, findings, phases)
        if options.has(Part.STARTUP):
            advance = phases.begin("start")
            findings.samples |= measure_startup(serve_command(settings), list_weights(choice), advance)
    report = _report(findings, options)
    if options.plot is not None:
        options.plot.write_bytes(draw_report(report))
    return report


def leave_out_peers(options: BenchOptions, plain: Lineup) -> BenchOptions:
    """Leave out the packages that hook a residual network's last block, where there is none and nobody named them."""
    peers = frozenset({Part.GRAD_CAM, Part.TORCHCAM})
    if options.are_chosen or all(map(is_residual, plain.networks.values())):
        return options
    console.print(
        "grad-cam and torchcam are left out: they hook the last block of a residual network, and this lineup has none "
        "(--lineup resnet18-110 has)",
        highlight=False,
        soft_wrap=True,
    )
    return replace(options, parts=options.parts - peers)


def _measure_in_process(
    lens: Lens, subject: Subject, options: BenchOptions, findings: Findings, advance: Callable[[], None]
) -> None:
    passes = build_forward_passes(subject.plain, subject.values) if options.has(Part.FORWARD) else []
    contestants = _build_ours(lens, options)
    worker = Worker(lens.engine, lens.lineup)
    others: list[Timed] = [*passes, *_build_peers(subject, options, findings)]
    contestants += [InWorker(other, worker) for other in others]
    findings.samples |= asyncio.run(run_rounds(contestants, options.rounds, advance))
    if passes:
        single, loop = find_fastest(passes, findings.samples)
        findings.setup.forward_setting, findings.setup.loop_setting = single.setting, loop.setting
        findings.loop = partial(_loop, loop, worker)
        findings.samples |= summarise_forward(passes, findings.samples)


def _build_ours(lens: Lens, options: BenchOptions) -> list[Contestant]:
    contestants: list[Contestant] = []
    if options.has(*OUR_PARTS):
        jpegs = {"small": make_jpeg(SMALL), "large": make_jpeg(LARGE)}
        for key in VARIANTS:
            size, _, render = key.partition(".")
            contestants.append(PictureAnalysis(lens, jpegs[size], Render(render), key))
    if options.has(Part.OTHER_CLASS):
        contestants.append(OtherClass(lens, make_jpeg(SMALL)))
    return contestants


def _build_peers(subject: Subject, options: BenchOptions, findings: Findings) -> list[Peer]:
    peers: list[Peer] = []
    if options.has(Part.GRAD_CAM):
        peers.append(build_peer("gradcam", explain_with_grad_cam, subject.plain, subject.values))
    if options.has(Part.TORCHCAM):
        explain = find_torchcam()
        if explain is not None:
            peers.append(build_peer("torchcam", explain, subject.plain, subject.values))
        else:
            findings.notes.append(TORCHCAM_IS_MISSING)
    return peers


def _measure_service(settings: Settings, options: BenchOptions, findings: Findings, phases: Phases) -> None:
    if not options.has(Part.HTTP, Part.MEMORY):
        return
    with tempfile.TemporaryDirectory() as directory, service.start(settings) as server:
        write_jpegs(Path(directory), service.PICTURES)
        asked = service.Service(server, Path(directory))
        # Memory comes first: it needs a server that has had no requests.
        if options.has(Part.MEMORY):
            findings.samples |= service.measure_memory(asked, options.requests, phases.begin("memory"))
        if options.has(Part.HTTP):
            advance = phases.begin("load")
            findings.samples |= service.measure_throughput(asked, findings.loop, options.seconds, advance)
    findings.notes += [f"the server answered with errors: {problem}" for problem in asked.problems]


def _loop(passes: ForwardPasses, worker: Worker, seconds: float) -> float:
    return worker.wait_for(partial(passes.loop, seconds))


def _count_steps(options: BenchOptions) -> dict[str, int]:
    steps = {
        "rounds": options.rounds if options.has(*IN_PROCESS) else 0,
        "memory": 2 if options.has(Part.MEMORY) else 0,
        "load": service.SWEEPS * (1 + len(service.CLIENTS)) if options.has(Part.HTTP) else 0,
        "start": 2 * RUNS if options.has(Part.STARTUP) else 0,
    }
    return {name: count for name, count in steps.items() if count}


def _report(findings: Findings, options: BenchOptions) -> BenchReport:
    figures = [figure for figure in build_figures(findings.samples) if figure.part in options.parts]
    return BenchReport(setup=findings.setup, figures=figures, notes=findings.notes)


def _check_plot(path: Path | None) -> None:
    """Refuse a plot that cannot be written before minutes of measuring, not after."""
    if path is not None and not path.absolute().parent.is_dir():
        raise InvalidOption(f"{path.parent} is not a directory; create it, or choose another --plot", option="plot")
