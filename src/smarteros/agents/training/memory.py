"""An example store that forgets: for tests and for a runtime without a database."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from smarteros.agents.training.protocol import VERSIONS_KEPT
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import LabelledExample, ModelReport, ModelVersion
from smarteros.domain.tenants import TenantScope


@dataclass
class _Kept:
    versions: tuple[ModelVersion, ...] = ()
    active: int = 0
    revision: int = 0


class MemoryExampleStore:
    """ExampleStore in a dictionary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tenants: dict[str, _Kept] = {}

    def revision(self, scope: TenantScope) -> int:
        """Return how many changes there were."""
        return self._of(scope).revision

    def active(self, scope: TenantScope) -> ModelVersion | None:
        """Return the active version."""
        return next((version for version in self.versions(scope) if version.active), None)

    def versions(self, scope: TenantScope) -> tuple[ModelVersion, ...]:
        """List the versions, newest first."""
        kept = self._of(scope)
        return tuple(version.model_copy(update={"active": version.version == kept.active}) for version in kept.versions)

    def publish(
        self,
        scope: TenantScope,
        examples: tuple[LabelledExample, ...],
        report: ModelReport,
        *,
        note: str,
        revision: int,
    ) -> ModelVersion:
        """Make and activate a new version."""
        kept = self._of(scope)
        with self._lock:
            if kept.revision != revision:
                raise RejectedInputError("examples_changed", "The examples were changed meanwhile; try again")
            number = kept.versions[0].version + 1 if kept.versions else 1
            made = ModelVersion(
                version=number, examples=examples, report=report, note=note, created_at=datetime.now(UTC), active=True
            )
            kept.versions = (made, *kept.versions)[:VERSIONS_KEPT]
            kept.active, kept.revision = number, kept.revision + 1
            return made

    def activate(self, scope: TenantScope, version: int) -> ModelVersion:
        """Activate a version."""
        kept = self._of(scope)
        with self._lock:
            found = next((each for each in kept.versions if each.version == version), None)
            if found is None:
                raise RejectedInputError("version_unknown", f"There is no version {version} of the examples")
            kept.active, kept.revision = version, kept.revision + 1
            return found.model_copy(update={"active": True})

    def _of(self, scope: TenantScope) -> _Kept:
        with self._lock:
            return self._tenants.setdefault(scope.tenant_id, _Kept())
