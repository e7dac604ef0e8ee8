"""A tenant moves from one installation to another, while its customers write.

Each step may be interrupted and done again: what was done is told by the two databases, never remembered. Until the
tenant's row is in the target's directory it works at the source, or stands still there; from then on at the target.
"""

from __future__ import annotations

import secrets as random_numbers
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.channels.chatwoot.registration import withdraw
from smarteros.dedicated.copying import Copied, make_alike
from smarteros.dedicated.passing_on import PassingOn
from smarteros.dedicated.sides import Side, copy_secrets
from smarteros.dedicated.standing_still import StandingStill
from smarteros.domain.audit_chain import ChainFinding
from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.model import Model
from smarteros.domain.tenants import Move, Tenant
from smarteros.kit.clock import Clock
from smarteros.kit.http import HttpClient
from smarteros.store.audit_chain import reseal_chain, verify_chain
from smarteros.store.database import owner_engine
from smarteros.store.locks import OneProcess
from smarteros.store.moves import begin_ids_at
from smarteros.store.tables import tenants
from smarteros.tenants.application import application
from smarteros.tenants.enrolment import Enroller, webhook_url
from smarteros.tenants.erasure import Eraser, Erasure
from smarteros.tenants.noting import note_change
from smarteros.tenants.owners_view import OwnersView, owners_view

Step = Literal["check", "copy", "hold", "drain", "freeze", "catch_up", "switch", "begin", "pass_on", "point", "end"]
_POLICY = "moving_rows"
_ROUNDS = 5
_IDENTITY = sa.text(
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'smos' AND is_identity = 'YES'"
)
# Numbers the target gives begin beyond all that were copied, and at a place no other move has likely chosen: so the
# tenant can come back to where others live, whose numbers go on from the old ones. JavaScript counts to 2^53.
_ID_PLACES, _ID_PLACE_BITS = 8191, 40
_WHICH_DATABASE = sa.text("SELECT system_identifier::text || '/' || current_database() FROM pg_control_system()")


class Moved(Model):
    """Where a move stands.

    ``prepared``: the history is copied, and the target must be started. ``moved``: the tenant works at the target.
    ``rows`` are the tenant's, ``held_s`` is how long it stood still in this run, ``turns`` waited meanwhile; ``kept``
    webhooks are still to be passed on. ``by_hand`` is left to be done.
    """

    tenant_id: str
    state: Literal["prepared", "moved"]
    place: str
    url: str
    rows: int = 0
    secrets: int = 0
    turns: int = 0
    held_s: float = 0.0
    kept: int = 0
    by_hand: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mover:
    """Moves one tenant from ``source`` to ``target``. ``tell`` hears of every step before it is done."""

    source: Side
    target: Side
    http: HttpClient
    clock: Clock
    passing: PassingOn
    tell: Callable[[Step], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep

    def move(self, tenant_id: str) -> Moved:
        """Move the tenant, as far as it can be moved now.

        ConfigError, PermanentError or TransientError say why not; the tenant goes on working where it worked, or
        stands still with its webhooks kept until this is asked again, or ``stay``.
        """
        with self._opened(tenant_id) as (here, there):
            self.tell("check")
            tenant = self._tenant(tenant_id)
            rows = held_s = 0
            if not self._works_there(tenant):
                self._require_possible(tenant, here.view)
                there.thaw(tenant_id)  # where it has lived before
                self.tell("copy")
                rows = make_alike(here.view, there.view, with_turns=False).rows
                copy_secrets(self.source.secrets, self.target.secrets, tenant.scope, self.clock.now())
                if not self.target.serves(self.http):
                    return self._told(tenant, "prepared", rows=rows)
                began = time.monotonic()
                rows = self._switch(tenant, here, there)
                held_s = time.monotonic() - began
            return self._told(tenant, "moved", rows=rows, held_s=round(held_s, 2), **self._settle(tenant, there))

    def stay(self, tenant_id: str) -> bool:
        """Give up a move that has not come to its switch; False when the tenant works at the target already."""
        with self._opened(tenant_id) as (here, _):
            tenant = self._tenant(tenant_id)
            if self._works_there(tenant):
                return False
            here.work_again(tenant)
            note_change(self.source.database, tenant.scope, "tenant_stays")
        return True

    def finish(self, tenant_id: str) -> Erasure:
        """Erase what is left of the tenant at the source. ConfigError(code ``not_moved``, ``webhooks_kept``)."""
        with self._opened(tenant_id) as (here, _):
            tenant = self._tenant(tenant_id)
            if tenant.move is None or not tenant.move.done or not self._works_there(tenant):
                raise ConfigError("not_moved", f"{tenant_id} does not work at {self.target.place}; nothing was erased.")
            left = self.passing.tenant(tenant).left
            if left:
                raise ConfigError("webhooks_kept", f"{left} webhooks of {tenant_id} are still to be passed on.")
            here.thaw(tenant_id)
        return Eraser(self.source.database, self.source.tenants, self.source.secrets, self.http).erase_moved(tenant)

    def _switch(self, tenant: Tenant, here: StandingStill, there: StandingStill) -> int:
        """Bring the tenant to a stand and its rows over; it works at the target when this returns."""
        self.tell("hold")
        tenant = here.hold(tenant, self.target.url)
        self.tell("drain")
        here.drain(tenant)
        self.tell("freeze")
        tenant = here.freeze(tenant)
        self.tell("catch_up")
        copied = self._catch_up(tenant, here.view, there.view)
        self.tell("switch")
        self._enter(tenant, here.view, there.view)
        return copied.rows

    def _catch_up(self, tenant: Tenant, here: OwnersView, there: OwnersView) -> Copied:
        """Copy until a comparison of all rows finds nothing, and see that the audit is whole at the target."""
        for _ in range(_ROUNDS):
            copied = make_alike(here, there, with_turns=True)
            if not copied.changed:
                break
        else:
            raise TransientError("rows_differ", f"Rows of {tenant.tenant_id} are changed all the time; ask again.")
        copy_secrets(self.source.secrets, self.target.secrets, tenant.scope, self.clock.now())
        self._require_whole(tenant, there, self.target)
        return copied

    def _enter(self, tenant: Tenant, here: OwnersView, there: OwnersView) -> None:
        """Write the tenant into the target's directory: from now on it works there."""
        home = tenant.model_copy(update={"active": True, "move": None})
        with here.transaction() as connection:
            seen = sa.select(tenants.c.v1_signature_seen).where(tenants.c.tenant_id == tenant.tenant_id)
            v1_seen = connection.execute(seen).scalar_one()
        values = {
            "tenant_key": home.tenant_key,
            "settings": home.model_dump(mode="json"),
            "v1_signature_seen": v1_seen,
            "updated_at": sa.func.now(),
        }
        statement = insert(tenants).values(tenant_id=home.tenant_id, **values)
        with there.transaction() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=values))

    def _settle(self, tenant: Tenant, there: StandingStill) -> dict[str, int | tuple[str, ...]]:
        """Do what follows from the switch: seal, begin the turns that wait, pass webhooks on, point Chatwoot there."""
        self.tell("begin")
        target, scope = self.target, tenant.scope
        if self._findings(tenant, there.view, target):
            reseal_chain(there.view.engine, tenant.tenant_id, target.seal, self.clock.now())
        turns = there.begin_turns(tenant.tenant_id)
        # With the copy of the source's row that says where to, and that it is done.
        gone = tenant.model_copy(update={"active": False, "move": Move(to=target.url, done=True)})
        if tenant.move is None or not tenant.move.done:
            note_change(target.database, scope, "tenant_arrived", from_url=self.source.url)
            self.source.tenants.save(gone, moving=True)
        self.tell("pass_on")
        self.passing.tenant(gone)  # before Chatwoot posts there itself: they were written earlier
        self.tell("point")
        by_hand = self._point(tenant)
        kept = self.passing.tenant(gone).left
        self.tell("end")
        return {"turns": turns, "kept": kept, "secrets": len(target.secrets.entries(scope)), "by_hand": by_hand}

    def _point(self, tenant: Tenant) -> tuple[str, ...]:
        """Point the tenant's Chatwoot at the target; returns what somebody must do instead."""
        target = self.target
        home = target.tenant(tenant.tenant_id)
        if home is None or not webhook_url(home, target.url).startswith(target.url):
            return (f"Let n8n ask {target.url} (docs/n8n.md).",)
        try:
            for account_id in home.chatwoot_account_ids:
                given = home.model_dump(include={"tenant_id", "name", "rut", "chatwoot_url"})
                enroller = Enroller(self.http, target.tenants, target.secrets, target.database, target.url)
                enroller.enrol(application({**given, "account_id": account_id}))
                if self.source.url and self.source.url != target.url:
                    withdraw(
                        self.http,
                        chatwoot_url=home.chatwoot_url,
                        account_id=account_id,
                        user_token=target.secrets.read(home.scope, "chatwoot/user_token"),
                        webhook_url=webhook_url(home, self.source.url),
                    )
        except SmosError as error:
            said = f"Point the bot in {home.chatwoot_url} at {webhook_url(home, target.url)} ({error.code})."
            return (said,)
        return ()

    def _require_possible(self, tenant: Tenant, here: OwnersView) -> None:
        source, target = self.source, self.target
        if tenant.move is not None and tenant.move.to != target.url:
            raise ConfigError("moves_elsewhere", f"{tenant.tenant_id} goes to {tenant.move.to}; see --back.")
        if not tenant.active and tenant.move is None:
            raise ConfigError("tenant_suspended", f"{tenant.tenant_id} is suspended: `smos tenant resume` it first.")
        known = target.tenant(tenant.tenant_id)
        if known is None:
            others = [other.tenant_id for other in target.tenants.all()]
            if others:
                raise ConfigError("not_dedicated", f"{target.place} has tenants already: {', '.join(others[:5])}.")
            self._set_ids_apart()
        self._require_whole(tenant, here, source)

    def _require_two(self) -> None:
        source, target = self.source, self.target
        with source.database.installation() as one, target.database.installation() as other:
            if one.execute(_WHICH_DATABASE).scalar_one() == other.execute(_WHICH_DATABASE).scalar_one():
                raise ConfigError("same_database", f"{target.place} uses the database of {source.place}.")
        if source.store == target.store:
            raise ConfigError("same_secrets", f"{target.place} keeps its secrets where {source.place} does.")

    def _set_ids_apart(self) -> None:
        first = random_numbers.randbelow(_ID_PLACES) + 1 << _ID_PLACE_BITS
        owner = owner_engine(self.target.database.owner_url)
        try:
            with owner.begin() as connection:
                columns = [(row.table_name, row.column_name) for row in connection.execute(_IDENTITY)]
                begin_ids_at(connection, first, columns, unless_above=1 << _ID_PLACE_BITS)
        finally:
            owner.dispose()

    def _require_whole(self, tenant: Tenant, view: OwnersView, side: Side) -> None:
        findings = [one for one in self._findings(tenant, view, side) if one.kind not in ("seal_broken", "unsealed")]
        if findings:
            said = f"The audit of {tenant.tenant_id} is not whole at {side.place}: {findings[0].said}."
            raise PermanentError("audit_broken", said)

    def _findings(self, tenant: Tenant, view: OwnersView, side: Side) -> tuple[ChainFinding, ...]:
        with view.engine.begin() as connection:
            return verify_chain(connection, tenant.tenant_id, side.seal, self.clock.now()).findings

    def _tenant(self, tenant_id: str) -> Tenant:
        self.source.tenants.forget()
        return self.source.tenants.get(tenant_id)

    def _works_there(self, tenant: Tenant) -> bool:
        """Tell whether the move has come to its switch. ConfigError when what is found there is not of this move."""
        found = self.target.tenant(tenant.tenant_id)
        if found is not None and found.move is None:
            if tenant.move is None or found.tenant_key != tenant.tenant_key:
                raise ConfigError("tenant_id_taken", f"{self.target.place} has a tenant {tenant.tenant_id} of its own.")
            return True
        if tenant.move is not None and tenant.move.done:
            raise ConfigError("tenant_left", f"{tenant.tenant_id} has left {self.source.place}, or is coming back.")
        return False

    def _told(self, tenant: Tenant, state: Literal["prepared", "moved"], **figures: object) -> Moved:
        said = {"tenant_id": tenant.tenant_id, "state": state, "place": self.target.place, "url": self.target.url}
        return Moved.model_validate({**said, **figures})

    @contextmanager
    def _opened(self, tenant_id: str) -> Generator[tuple[StandingStill, StandingStill]]:
        """See both sides as their owners do, the only one who moves a tenant from or to them."""
        self._require_two()
        with ExitStack() as stack:
            views: list[StandingStill] = []
            for side in (self.source, self.target):
                only = OneProcess(owner_engine(side.database.owner_url), "moving")
                stack.callback(only.close)
                if not only.is_this():
                    raise TransientError("moving_already", f"Another command moves a tenant of {side.place} just now.")
                view = stack.enter_context(owners_view(side.database.owner_url, tenant_id, _POLICY))
                views.append(StandingStill(side, view, self.sleep))
            yield views[0], views[1]
