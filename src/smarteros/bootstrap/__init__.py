"""The only place that chooses implementations: one line per role.

``open_services`` gives commands the parts they need; ``open_runtime`` adds the durable engine and the web application.
"""

from smarteros.bootstrap.runtime import Runtime, open_runtime
from smarteros.bootstrap.services import Services, open_services

__all__ = ["Runtime", "Services", "open_runtime", "open_services"]
