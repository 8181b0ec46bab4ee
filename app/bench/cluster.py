"""(j) The same server plain, on Ray with one process that has the networks, and on Ray with two.

All servers run at once and get requests by turns, so that other load on the machine affects them alike; the others
are idle meanwhile. Each process with the networks has one thread of torch.
"""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from app.bench import service
from app.bench.contestants.pictures import SMALL, make_jpeg, prepare_jpeg, write_jpegs
from app.bench.figures import build_figures, specify_cluster
from app.bench.progress import Phases
from app.bench.results.parts import BenchOptions
from app.bench.results.report import BenchReport
from app.bench.results.statistics import Samples, merge
from app.bench.servers.capacity import measure_capacity
from app.bench.servers.load import LoadResult
from app.bench.servers.ways import CLIENTS, WAYS
from app.bench.setup import read_setup
from app.engine.loading import load_chosen_lineup
from app.settings import Settings


def bench_cluster(settings: Settings, options: BenchOptions) -> BenchReport:
    """Measure, with a progress bar on standard error.

    Args:
        settings: the lineup and the device.
        options: the seconds of load.

    Raises:
        ChildProcessError: when a server or the load client fails.
        LineupError: when the networks cannot be loaded.
    """
    alone = settings.model_copy(update={"threads": 1})
    lineup = load_chosen_lineup(alone)
    setup = read_setup(alone, options, lineup, prepare_jpeg(make_jpeg(SMALL), lineup.card.preprocessing))
    steps = {"starting": len(WAYS), "load": service.SWEEPS * len(CLIENTS) * len(WAYS)}
    with ExitStack() as stack:
        phases = stack.enter_context(Phases(steps))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_jpegs(directory, service.PICTURES)
        samples = measure_capacity(settings, directory, options.seconds)
        advance = phases.begin("starting")
        services = {}
        for way in WAYS:
            services[way.key] = service.Service(stack.enter_context(way.open(settings)), directory)
            advance()
        samples |= _measure(services, options.seconds, phases.begin("load"))
    notes = [f"{key} answered with errors: {problem}" for key, one in services.items() for problem in one.problems]
    return BenchReport(setup=setup, figures=build_figures(samples, specify_cluster()), notes=notes)


def _measure(services: Mapping[str, service.Service], seconds: float, advance: Callable[[], None]) -> Samples:
    results: dict[tuple[str, int], list[LoadResult]] = {}
    samples: Samples = {}
    for one in services.values():
        # The first requests fill memory and caches; they are not counted.
        one.ask(max(CLIENTS), requests=2 * max(CLIENTS))
    for _ in range(service.SWEEPS):
        for clients in CLIENTS:
            for key, one in services.items():
                begin = one.server.read_cpu_seconds()
                asked = one.ask(clients, seconds=seconds / service.SWEEPS)
                spent = one.server.read_cpu_seconds() - begin
                results.setdefault((key, clients), []).append(asked)
                if answered := len(asked.latencies_milliseconds):
                    merge(samples, {f"{key}.{clients}.cpu": 1000 * spent / answered})
                advance()
    for (key, clients), sweeps in results.items():
        samples |= service.summarise_load(f"{key}.{clients}", sweeps)
    return samples
