"""The REST API, /api/v1."""

from fastapi import APIRouter

from app.api import links
from app.routes import analyses, blocks, concepts, lineups, pictures, sanity
from app.routes.answers import GUARD_PROBLEMS

router = APIRouter(prefix=links.PREFIX, responses=GUARD_PROBLEMS)
for resource in (lineups, pictures, analyses, sanity, concepts, blocks):
    router.include_router(resource.router)
