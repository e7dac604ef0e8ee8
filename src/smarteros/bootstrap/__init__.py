"""The only place that chooses implementations: one line per role.

``open_services`` gives commands the parts they need; ``open_runtime`` adds the durable engine and the web application.
"""

from typing import TYPE_CHECKING, Any

from smarteros.bootstrap.services import Services, open_services

if TYPE_CHECKING:
    from smarteros.bootstrap.runtime import Runtime, open_runtime

__all__ = ["Runtime", "Services", "open_runtime", "open_services"]


def __getattr__(name: str) -> Any:
    """Import what serves the web only for those who ask for it: 20 MB that a command does without."""
    if name in {"Runtime", "open_runtime"}:
        from smarteros.bootstrap import runtime

        return getattr(runtime, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
