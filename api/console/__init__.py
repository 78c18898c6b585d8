"""The console: pages for people at their desks, rendered here, readable without JavaScript.

English with 中文; every label stands in `words.csv`. It asks projections and replays; it decides
nothing, and writes only through the one road of commands.
"""

from api.console.routes import router

__all__ = ["router"]
