"""The documentation page: every operation of the OpenAPI document, without scripts from elsewhere.

The document itself is served beside it, for tools.
"""

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader

from api.parts import Parts

_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True
)
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def register(app: FastAPI, parts: Parts) -> None:
    """Add the page."""
    del parts

    @app.get("/docs", include_in_schema=False)
    async def reference() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        """Show what can be asked for, for people."""
        page = _PAGES.get_template("reference.html").render(document=app.openapi(), ways=_ways(app))
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


def _ways(app: FastAPI) -> list[dict[str, Any]]:
    """List the operations in the document's order, each with its method and path."""
    return [
        {"method": method.upper(), "path": path} | operation
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    ]
