"""What an orchestrator carries of a turn: a key that opens this turn alone, and its story so far under our seal.

The key comes with the receipt of a signed webhook, so an orchestrator holds no lasting secret of ours or of a tenant.
"""

from __future__ import annotations

from datetime import timedelta

import jwt

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import conversation_key, tenant_of
from smarteros.domain.model import Model
from smarteros.flow.orchestrated import LedTurn
from smarteros.kit.clock import Clock

_LIFE = timedelta(minutes=10)
_ALGORITHM = "HS256"
_KEY, _STORY = "smos-turn", "smos-turn-story"


class TurnKey(Model):
    """The right to lead one turn of one tenant."""

    tenant_id: str
    turn_id: str


class TurnTokens:
    """Issues and checks both with one signing key (at least 32 bytes). They live for ten minutes.

    Both checks raise RejectedInputError 401 (``invalid_turn_token``) for what is forged, old or another turn's.
    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def key_of(self, turn_id: str) -> str:
        """Return the key of a turn, to be sent as a bearer."""
        return self._sealed(_KEY, {"sub": turn_id})

    def opened(self, bearer: str) -> TurnKey:
        """Return which turn a bearer opens."""
        turn_id = str(self._claims(_KEY, bearer)["sub"])
        return TurnKey(tenant_id=tenant_of(turn_id), turn_id=turn_id)

    def opens(self, bearer: str, tenant_id: str, conversation_id: int) -> bool:
        """Tell whether a bearer is the key of a turn of this conversation."""
        try:
            key = self.opened(bearer)
        except RejectedInputError:
            return False
        return key.turn_id.rpartition(":")[0] == conversation_key(tenant_id, conversation_id)

    def sealed_story(self, led: LedTurn) -> str:
        """Return a turn's story so far, for the orchestrator to bring along; it can be read, not changed."""
        return self._sealed(_STORY, {"sub": led.turn.start.turn_id, "led": led.model_dump_json()})

    def story_of(self, key: TurnKey, sealed: str) -> LedTurn:
        """Return the story of the turn the key opens."""
        claims = self._claims(_STORY, sealed)
        if claims["sub"] != key.turn_id:
            raise _refused()
        return LedTurn.model_validate_json(str(claims["led"]))

    def _sealed(self, audience: str, claims: dict[str, object]) -> str:
        until = int((self._clock.now() + _LIFE).timestamp())
        return jwt.encode({**claims, "aud": audience, "exp": until}, self._key, algorithm=_ALGORITHM)

    def _claims(self, audience: str, token: str) -> dict[str, object]:
        required = {"require": ["exp", "sub", "aud"]}
        try:
            return jwt.decode(token, self._key, algorithms=[_ALGORITHM], audience=audience, options=required)  # pyright: ignore[reportArgumentType]
        except (jwt.InvalidTokenError, ValueError) as error:
            raise _refused() from error


def _refused() -> RejectedInputError:
    return RejectedInputError(
        "invalid_turn_token", "The turn's key or story is missing, expired or not ours.", status=401
    )
