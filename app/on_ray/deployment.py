"""The deployments on Ray Serve, and how they are connected."""

import secrets
from typing import Any

from ray import serve
from ray.serve.config import AutoscalingConfig
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import DeploymentStatus, LoggingConfig

from app.errors import EngineFailed
from app.on_ray.cluster import LOG_LEVEL
from app.on_ray.ingress import Ingress
from app.on_ray.replica import ROOM_BATCHES, LineupReplica
from app.on_ray.settings import RaySettings
from app.server.guard.tokens import KEY_BYTES
from app.settings import Settings

APPLICATION = "cbam-lens"

NETWORKS = "networks"
INGRESS = "ingress"

INGRESS_REQUESTS = 1000
"""Requests at once in one replica of the application, so many that the application's own limits refuse first."""

TARGET_REQUESTS = 16
"""Requests at once in one replica of the application, above which another replica starts."""

HEALTH_SECONDS = 2.0
"""The time between two health checks of a replica."""

HEALTH_PATIENCE_SECONDS = 30.0

LOGGING = LoggingConfig(log_level=LOG_LEVEL, enable_access_log=False)
"""Ray's access lines have whole addresses, and an analysis is protected only by its address; ours have the route."""


def deploy(settings: Settings, ray_settings: RaySettings, store_actor: Any) -> DeploymentHandle:  # noqa: ANN401
    """Start the application's replicas and wait until they answer.

    Args:
        settings: the server's settings.
        ray_settings: the number and size of the replicas.
        store_actor: the actor that keeps analyses and sheets.

    Returns:
        The application's handle.

    Raises:
        EngineFailed: when a replica does not start.
    """
    settings = settings.model_copy(update={"queue_size": ray_settings.queue_size})
    common = {
        "health_check_period_s": HEALTH_SECONDS,
        "health_check_timeout_s": HEALTH_PATIENCE_SECONDS,
        "graceful_shutdown_timeout_s": settings.deadline_seconds,
    }
    networks = serve.deployment(
        LineupReplica,
        name=NETWORKS,
        max_ongoing_requests=ROOM_BATCHES * settings.batch_size,
        max_queued_requests=settings.queue_size,
        autoscaling_config=AutoscalingConfig(
            min_replicas=ray_settings.min_replicas,
            max_replicas=ray_settings.max_replicas,
            target_ongoing_requests=ray_settings.target_works,
        ),
        ray_actor_options={"num_cpus": ray_settings.replica_cpus, "num_gpus": ray_settings.replica_gpus},
        **common,
    )
    ingress = serve.deployment(
        serve.ingress()(Ingress),
        name=INGRESS,
        max_ongoing_requests=INGRESS_REQUESTS,
        autoscaling_config=AutoscalingConfig(
            min_replicas=ray_settings.min_ingresses,
            max_replicas=ray_settings.max_ingresses,
            target_ongoing_requests=TARGET_REQUESTS,
        ),
        ray_actor_options={"num_cpus": ray_settings.ingress_cpus},
        **common,
    )
    application = ingress.bind(
        networks.bind(ray_settings.fit(settings)), store_actor, settings, secrets.token_bytes(KEY_BYTES)
    )
    try:
        return serve.run(application, name=APPLICATION, route_prefix="/", logging_config=LOGGING)
    except RuntimeError as error:
        raise EngineFailed(_explain_failure()) from error


def _explain_failure() -> str:
    """The reason why replicas do not start: the last line of the failed deployment's message."""
    deployments = serve.status().applications[APPLICATION].deployments
    for name, deployment in deployments.items():
        lines = [line.strip() for line in deployment.message.splitlines() if line.strip()]
        if deployment.status is DeploymentStatus.DEPLOY_FAILED and lines:
            return f"the processes of {name} do not start on Ray: {lines[-1]}"
    return "processes do not start on Ray; its logs say why"
