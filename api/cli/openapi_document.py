"""The HTTP API's document, made from the routes without a database: nobody is answered."""

from typing import Any

from api.app import create_app
from api.metrics import Metrics
from api.parts import Parts
from infra.settings import Limits, Settings


def openapi_document() -> dict[str, Any]:
    """Make the OpenAPI 3.1 document of the application with the limits as they are delivered."""
    absent: Any = None
    parts = Parts(
        settings=Settings.model_construct(),
        limits=Limits.model_construct(),
        store=absent,
        service=absent,
        reads=absent,
        desk=absent,
        tokens=absent,
        business_date=absent,
        metrics=Metrics(lambda: 0, lambda: 0.0),
        workshop=absent,
    )
    return create_app(parts).openapi()
