"""The REST API, /api/v1."""

from fastapi import APIRouter

from app.routes import analyses, pairs, pictures

router = APIRouter(prefix="/api/v1")
for resource in (pairs, pictures, analyses):
    router.include_router(resource.router)
