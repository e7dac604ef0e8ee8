"""What must be able to keep the tenants' examples."""

from __future__ import annotations

from typing import Protocol

from smarteros.domain.examples import LabelledExample, ModelReport, ModelVersion
from smarteros.domain.tenants import TenantScope

VERSIONS_KEPT = 20


class ExampleStore(Protocol):
    """Keeps the versions of each tenant's examples, one of them active.

    Every call takes the scope; a store must not return what was published under another scope. A store that cannot
    be reached raises TransientError.
    """

    def revision(self, scope: TenantScope) -> int:
        """Return a number that differs after every change, 0 before the first.

        It is read before most decisions, so it must be cheap: another process may have changed the examples.
        """
        ...

    def active(self, scope: TenantScope) -> ModelVersion | None:
        """Return the active version; None when nothing was ever published."""
        ...

    def versions(self, scope: TenantScope) -> tuple[ModelVersion, ...]:
        """List the versions that are kept, the last ``VERSIONS_KEPT`` and the active one, newest first."""
        ...

    def publish(
        self,
        scope: TenantScope,
        examples: tuple[LabelledExample, ...],
        report: ModelReport,
        *,
        note: str,
        revision: int,
    ) -> ModelVersion:
        """Make a new version of these examples and activate it.

        RejectedInputError(code ``examples_changed``) when the revision is no longer the one given.
        """
        ...

    def activate(self, scope: TenantScope, version: int) -> ModelVersion:
        """Activate a version that is kept. RejectedInputError(code ``version_unknown``) when there is none."""
        ...
