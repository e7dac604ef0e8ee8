"""What an examination consists of: groups of steps, one for each outside system, each step one line and its remedy.

A new system is one module with a function that returns a Group, and one line in ``registry.groups``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from smarteros.domain.errors import SmosError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant

Status = Literal["ok", "warning", "failed", "skipped"]
# What is looked at: a Tenant, or the installation itself.
SubjectT = TypeVar("SubjectT")


class Finding(Model):
    """One line of the report. ``remedy`` is what the operator can do; None when there is nothing to do.

    ``tenant_id`` is None for what belongs to the installation.
    """

    tenant_id: str | None
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
class Step(Generic[SubjectT]):
    """One look at a system. ``look`` raises the SmosError of what is wrong.

    ``of_credentials`` marks the steps that tell whether what an operator gives us is right: they are also taken
    before a shop becomes a tenant.
    """

    name: str
    look: Callable[[SubjectT], Observed]
    remedy: str
    of_credentials: bool = False


@dataclass(frozen=True)
class Group(Generic[SubjectT]):
    """The steps of one system, each resting on those before it; ``applies`` tells whether the subject has it."""

    system: str
    applies: Callable[[SubjectT], bool]
    steps: tuple[Step[SubjectT], ...]

    def of_credentials(self) -> Group[SubjectT]:
        """Return the group with those steps only that look at credentials."""
        return Group(self.system, self.applies, tuple(step for step in self.steps if step.of_credentials))


def examine(groups: Iterable[Group[Tenant]], tenant: Tenant) -> tuple[Finding, ...]:
    """Go through all groups; what rests on a failed step is not looked at."""
    return tuple(findings(groups, tenant, tenant.tenant_id))


def findings(groups: Iterable[Group[SubjectT]], subject: SubjectT, tenant_id: str | None = None) -> Iterator[Finding]:
    """Go through all groups of a tenant, or of what no tenant has for itself, and tell each finding as it is made.

    Raises SQLAlchemyError when the database goes away meanwhile: nothing can be found any more.
    """
    for group in groups:
        yield from _examined(group, subject, tenant_id)


def _examined(group: Group[SubjectT], subject: SubjectT, tenant_id: str | None) -> Iterator[Finding]:
    if not group.applies(subject):
        yield Finding(tenant_id=tenant_id, check=group.system, status="skipped", said="not configured")
        return
    for step in group.steps:
        check = f"{group.system}.{step.name}"
        try:
            seen = step.look(subject)
        except SmosError as error:
            yield Finding(
                tenant_id=tenant_id,
                check=check,
                status="failed",
                said=f"{error.code}: {error.operator_message}",
                remedy=step.remedy,
            )
            return
        yield Finding(
            tenant_id=tenant_id,
            check=check,
            status="warning" if seen.warning else "ok",
            said=seen.said,
            remedy=step.remedy if seen.warning else None,
        )
