"""What an examination consists of: groups of steps, one for each outside system, each step one line and its remedy.

A new system is one module with a function that returns a Group, and one line in ``registry.groups``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from smarteros.domain.errors import SmosError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant

Status = Literal["ok", "warning", "failed", "skipped"]


class Finding(Model):
    """One line of the report. ``remedy`` is what the operator can do; None when there is nothing to do."""

    tenant_id: str
    check: str
    status: Status
    said: str
    remedy: str | None = None


@dataclass(frozen=True)
class Observed:
    """What a step saw that is in order, or, as a ``warning``, will not be so for ever."""

    said: str
    warning: bool = False


@dataclass(frozen=True)
class Step:
    """One look at a system. ``look`` raises the SmosError of what is wrong."""

    name: str
    look: Callable[[Tenant], Observed]
    remedy: str


@dataclass(frozen=True)
class Group:
    """The steps of one system, each resting on those before it. ``applies`` tells whether the tenant has the system."""

    system: str
    applies: Callable[[Tenant], bool]
    steps: tuple[Step, ...]


def examine(groups: Iterable[Group], tenant: Tenant) -> tuple[Finding, ...]:
    """Go through all groups; what rests on a failed step is not looked at."""
    return tuple(finding for group in groups for finding in _examined(group, tenant))


def _examined(group: Group, tenant: Tenant) -> Iterator[Finding]:
    if not group.applies(tenant):
        yield Finding(tenant_id=tenant.tenant_id, check=group.system, status="skipped", said="not configured")
        return
    for step in group.steps:
        check = f"{group.system}.{step.name}"
        try:
            seen = step.look(tenant)
        except SmosError as error:
            yield Finding(
                tenant_id=tenant.tenant_id,
                check=check,
                status="failed",
                said=f"{error.code}: {error.operator_message}",
                remedy=step.remedy,
            )
            return
        yield Finding(
            tenant_id=tenant.tenant_id,
            check=check,
            status="warning" if seen.warning else "ok",
            said=seen.said,
            remedy=step.remedy if seen.warning else None,
        )
