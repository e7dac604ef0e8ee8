"""Short-lived tenant tokens for the tool endpoints: a signed JWT, never one of the tenant's own secrets."""

from __future__ import annotations

from datetime import timedelta

import jwt

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import Clock

AUDIENCE = "smos-tools"
_ALGORITHM = "HS256"


class TenantTokens:
    """Issues and checks tokens with one signing key (at least 32 bytes)."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(self, scope: TenantScope, tool_scope: str = "tools:read", ttl: timedelta = timedelta(minutes=10)) -> str:
        """Return a token for one tenant that ends after ``ttl``."""
        now = self._clock.now()
        claims = {
            "sub": scope.tenant_id,
            "aud": AUDIENCE,
            "scope": tool_scope,
            "iat": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def tenant_of(self, token: str) -> TenantScope:
        """Return the tenant a token was issued for. RejectedInputError 401 when it is forged, old or for others."""
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=AUDIENCE, options={"require": ["exp", "sub"]}
            )
            return TenantScope(tenant_id=claims["sub"])
        except (jwt.InvalidTokenError, ValueError) as error:
            raise RejectedInputError(
                "invalid_token", "The bearer token is missing, expired or not ours.", status=401
            ) from error
