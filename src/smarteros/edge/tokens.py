"""Short-lived tenant tokens for the tool endpoints: a signed JWT, never one of the tenant's own secrets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import jwt

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.model import Model
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock

AUDIENCE = "smos-tools"
READ, WRITE = "tools:read", "tools:write"
SCOPES = (READ, WRITE)
LONGEST = timedelta(hours=24)
_ALGORITHM = "HS256"
_MOST_CHECKED = 1000
_REQUIRED = ["exp", "iat", "sub", "aud"]


class Grant(Model):
    """What a token allows: the tools of one tenant, those that read or those that write or both."""

    tenant: TenantScope
    scopes: frozenset[str]


class TenantTokens:
    """Issues and checks tokens with one signing key (at least 32 bytes)."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._checked: dict[str, tuple[Grant, int]] = {}

    def issue(
        self, scope: TenantScope, tool_scopes: Iterable[str] = (READ,), ttl: timedelta = timedelta(minutes=10)
    ) -> str:
        """Return a token for one tenant that ends after ``ttl``.

        RejectedInputError for a scope there is not, and for a life of nothing or more than a day.
        """
        scopes = list(dict.fromkeys(tool_scopes))
        if not scopes or not set(scopes) <= set(SCOPES):
            raise RejectedInputError("unknown_scope", f"The scopes are {' and '.join(SCOPES)}, not {scopes}.")
        if not timedelta() < ttl <= LONGEST:
            raise RejectedInputError("ttl_out_of_bounds", "A token lives at most 24 hours.")
        now = self._clock.now()
        claims = {
            "sub": scope.tenant_id,
            "aud": AUDIENCE,
            "scope": " ".join(scopes),
            "iat": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def grant_of(self, token: str) -> Grant:
        """Return what a token was issued for. RejectedInputError 401 when it is forged, old or for others."""
        checked = self._checked.get(token)
        if checked is not None and self._clock.now().timestamp() < checked[1]:
            return checked[0]
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=AUDIENCE, options={"require": _REQUIRED}
            )
            scopes = frozenset(str(claims.get("scope", "")).split()) & set(SCOPES)
            grant = Grant(tenant=TenantScope(tenant_id=claims["sub"]), scopes=scopes)
        except (jwt.InvalidTokenError, ValueError) as error:
            raise RejectedInputError(
                "invalid_token", "The bearer token is missing, expired or not ours.", status=401
            ) from error
        # Only what was signed by us comes here, so strangers cannot fill it; a caller sends the same token often.
        if len(self._checked) >= _MOST_CHECKED:
            self._checked.clear()
        self._checked[token] = (grant, int(claims["exp"]))
        return grant
