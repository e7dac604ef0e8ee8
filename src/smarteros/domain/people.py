"""People of the service operator and of the shops, who look after the bots."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from smarteros.domain.decisions import Language
from smarteros.domain.model import Model

Role = Literal[
    "operator",      # the service operator: every tenant, everything
    "tenant_admin",  # a shop's owner: everything of one tenant
    "agent",         # a shop's person: the conversations and texts of one tenant
    "auditor",       # reads everything of one tenant, or of all, and changes nothing
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)
Theme = Literal["auto", "light", "dark"]


class Person(Model):
    """Somebody who may sign in. ``tenant_id`` is None for people of the installation, who see every tenant.

    ``has_password`` is False until one was chosen through a one-time link.
    """

    person_id: str
    tenant_id: str | None
    email: str
    name: str = ""
    role: Role
    language: Language = "es"
    theme: Theme = "auto"
    has_password: bool = False
    created_at: datetime
    disabled_at: datetime | None = None
    signed_in_at: datetime | None = None

    @property
    def called(self) -> str:
        """How to address the person."""
        return self.name or self.email
