"""The application: `create_app()` assembles routes, limits, error handlers and lenses."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.formparsers import MultiPartParser
from starlette.middleware.cors import CORSMiddleware

from app.analysis.analysis_store import AnalysisStore
from app.analysis.kept_analyses import KeptAnalyses
from app.analysis.lenses import Lenses
from app.decoding.parts import decode_parts
from app.decoding.processes import ARE_POSSIBLE, PROCESSES
from app.engine.engine import Engine
from app.pages.templating import STATIC
from app.routes import (
    api,
    camera,
    evidence,
    health,
    kserve,
    pages,
    queue,
    sheets,
    sign_in,
    studies,
    study_creation,
    study_results,
    watch,
)
from app.routes.intake.uploads import SHEETS_PATH, takes_pictures
from app.routes.study_turns import make_places
from app.server.camera import Cameras
from app.server.guard.callers import CallerNames
from app.server.guard.headers import SecurityHeaders
from app.server.guard.hosts import ANY, TrustedHosts
from app.server.guard.origins import CORS_METHODS, OwnOrigin
from app.server.guard.rates import RateLimit, Rates
from app.server.guard.sub_path import SubPath
from app.server.guard.tokens import TokenCheck, Tokens
from app.server.head import HeadAnswers
from app.server.limits import MULTIPART_ALLOWANCE_BYTES, AnswerLimit, BodyLimit, Deadline, DisconnectWatch
from app.server.own_files import OWN_FILES, mount_own_files
from app.server.problems import install_error_handlers
from app.server.readiness import ReadinessCheck
from app.server.watch.metrics import Metrics, read_device_memory, read_process_memory
from app.server.watch.requests import RequestLog
from app.services import ServiceOpener, open_here
from app.settings import Settings
from app.study.access.opening import StudyAccess
from app.study.report_cache import ReportCache
from app.study.tickets import Tickets
from app.version import VERSION
from models.lineups.lineup import Lineup

DESCRIPTION = """\
Where does a network look, and what does attention change? Send a picture, and get Grad-CAM maps of a baseline and of
the same network with attention, such as CBAM, and all of its gates' maps.

All networks are asked about one class: `target`, by index or name, or the one that they together find likeliest. Heat
maps keep their own units and lie on the pixels that produced them. Errors are problem+json (RFC 9457); their `detail`
states the rule, the value and the remedy.
"""

BEARER = HTTPBearer(auto_error=False, description="One of the server's tokens.")


MAP_SHARE = 0.9
"""The share of the deadline that one map may take; the rest is for decoding and drawing."""


def create_app(
    settings: Settings | None = None,
    *,
    lineups: Sequence[Lineup] = (),
    open_services: ServiceOpener = open_here,
    session_key: bytes | None = None,
) -> FastAPI:
    """Create the application.

    Args:
        settings: the settings; from the environment by default.
        lineups: the lineups; by default the settings' lineups, loaded when the application starts.
        open_services: opens the engine and the stores; in this process by default.
        session_key: the secret of the session cookies, which all processes of one server must share; a random one by
            default.
    """
    settings = settings or Settings()
    # FastAPI's own documentation page loads its scripts from another host; this class serves them from its package.
    app = FastAPIOffline(
        title="CBAM Lens",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=_live,
        redoc_url=None,
        # Relative to /docs, so that it is found below a path of a proxy too.
        favicon_url=f"{OWN_FILES[1:]}/favicon.svg",
    )
    app.state.settings = settings
    app.state.lineups = lineups
    app.state.open_services = open_services
    app.state.cameras = Cameras(settings.camera_connections)
    app.state.readiness_check = ReadinessCheck()
    app.state.metrics = Metrics()
    app.state.tokens = Tokens(settings.api_tokens, key=session_key)
    app.state.rates = Rates(settings.rate, app.state.tokens)
    app.state.study_places = make_places(settings.study_address)
    app.state.study_tickets = Tickets()
    app.state.study_reports = ReportCache()
    app.state.studies = StudyAccess(settings.study_address, max_people=settings.study_people)
    # Uploads stay in memory: Starlette's parser would write those over 1 MB to a temporary file.
    # All applications of a process share this number, so it only grows.
    largest = settings.sheet_bytes + MULTIPART_ALLOWANCE_BYTES + 1
    MultiPartParser.spool_max_size = max(MultiPartParser.spool_max_size, largest)
    # The innermost comes first.
    app.add_middleware(HeadAnswers)
    app.add_middleware(AnswerLimit, answer_bytes=settings.answer_bytes)
    app.add_middleware(
        BodyLimit,
        max_upload_bytes=settings.max_upload_bytes,
        max_total_bytes={SHEETS_PATH: settings.sheet_bytes},
        takes_pictures=takes_pictures,
        intake_bytes=settings.intake_bytes,
    )
    app.add_middleware(DisconnectWatch)
    app.add_middleware(Deadline, seconds=settings.deadline_seconds)
    app.add_middleware(TokenCheck, tokens=app.state.tokens)
    app.add_middleware(CallerNames, rates=app.state.rates)
    app.add_middleware(RateLimit, rates=app.state.rates)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=CORS_METHODS,
            allow_headers=["Authorization"],
            expose_headers=["*"],
        )
    app.add_middleware(OwnOrigin, allowed=settings.allowed_origins)
    app.add_middleware(TrustedHosts, names=settings.trusted_hosts or (ANY,))
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    app.add_middleware(
        SecurityHeaders, is_shared=bool(settings.allowed_origins), frame_ancestors=settings.frame_ancestors
    )
    app.add_middleware(SubPath, path=settings.root_path)
    install_error_handlers(app)
    # First: a class sends more requests than anybody else, and each route before theirs is looked at.
    for routes in (studies, study_results):
        app.include_router(routes.router)
    # This documents the token in OpenAPI; `TokenCheck` checks it, before a body is read.
    for interface in (api, kserve):
        app.include_router(interface.router, dependencies=[Security(BEARER)] if app.state.tokens else [])
    for routes in (camera, evidence, health, pages, queue, sheets, sign_in, study_creation, watch):
        app.include_router(routes.router)
    mount_own_files(app, STATIC)
    return app


@asynccontextmanager
async def _live(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    # Beside the networks, which take longer.
    if ARE_POSSIBLE:
        PROCESSES.start()
    async with app.state.open_services(app) as services:
        app.state.lenses = Lenses(
            services.engine,
            services.lineups,
            max_pixels=settings.max_picture_pixels,
            answers=services.store.answers,
            decoder=partial(PROCESSES.decode, seconds=settings.deadline_seconds) if ARE_POSSIBLE else decode_parts,
            map_seconds=MAP_SHARE * settings.deadline_seconds,
        )
        app.state.store = services.store
        app.state.kept = KeptAnalyses(services.store, services.sheets, app.state.lenses, services.folder)
        _watch(app, services.engine)
        try:
            yield
        finally:
            app.state.studies.close()


def _watch(app: FastAPI, engine: Engine) -> None:
    """Let the metrics read the engine's, the store's and the process's numbers."""
    store: AnalysisStore = app.state.store
    cameras: Cameras = app.state.cameras
    metrics: Metrics = app.state.metrics
    metrics.watch(
        gauges=(
            ("cbam_lens_queue_depth", "Jobs waiting for the networks.", lambda: engine.waiting),
            ("cbam_lens_cache_bytes", "Memory of the kept analyses.", lambda: store.size_bytes),
            ("cbam_lens_cache_analyses", "Kept analyses.", lambda: len(store)),
            ("cbam_lens_cameras", "Connected cameras.", lambda: cameras.connected),
            ("cbam_lens_device_memory_bytes", "Memory that torch holds on CUDA devices.", read_device_memory),
            ("cbam_lens_resident_memory_bytes", "This process's memory.", read_process_memory),
        ),
        counters=(
            ("cbam_lens_cache_hits", "Lookups of analyses that were found.", lambda: store.hits),
            ("cbam_lens_cache_misses", "Lookups of analyses that were gone.", lambda: store.misses),
        ),
    )
