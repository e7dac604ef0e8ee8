"""Who may do what in the console. The table is the rule: routes name a permission, never a role."""

from __future__ import annotations

from typing import Literal

from smarteros.domain.people import Role

Permission = Literal[
    "read_conversations", "steer_conversations", "read_tenants", "read_knowledge", "write_knowledge",
    "read_contracts", "read_audit", "read_alerts", "silence_alerts", "manage_people",
]  # fmt: skip

ROLES_WITH: dict[Permission, frozenset[Role]] = {
    "read_conversations": frozenset({"operator", "tenant_admin", "agent", "auditor"}),
    "steer_conversations": frozenset({"operator", "tenant_admin", "agent"}),
    "read_tenants": frozenset({"operator", "tenant_admin", "auditor"}),
    "read_knowledge": frozenset({"operator", "tenant_admin", "agent", "auditor"}),
    "write_knowledge": frozenset({"operator", "tenant_admin"}),
    "read_contracts": frozenset({"operator", "tenant_admin", "auditor"}),
    "read_audit": frozenset({"operator", "tenant_admin", "auditor"}),
    "read_alerts": frozenset({"operator", "tenant_admin", "auditor"}),
    "silence_alerts": frozenset({"operator", "tenant_admin"}),
    "manage_people": frozenset({"operator"}),
}

# Whether a role is one of a tenant's people: it must be ("own"), must not be ("none"), or may be ("either").
TENANT_OF_ROLE: dict[Role, Literal["own", "none", "either"]] = {
    "operator": "none",
    "tenant_admin": "own",
    "agent": "own",
    "auditor": "either",
}


def may(role: Role, permission: Permission) -> bool:
    """Tell whether a role has a permission."""
    return role in ROLES_WITH[permission]
