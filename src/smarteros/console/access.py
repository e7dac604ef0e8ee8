"""Signing in and out, and who comes with a request. What changes anything is in the audit."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

import sqlalchemy as sa

from smarteros.console.journal import note, note_refusal
from smarteros.console.passwords import Passwords
from smarteros.console.tokens import new_token, normal_email, parts_of
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.model import Model
from smarteros.domain.people import Person
from smarteros.kit.clock import Clock
from smarteros.store import people as stored
from smarteros.store.database import Database
from smarteros.store.people import Session, scope_of
from smarteros.store.people_attempts import count_attempt, forgive

IDLE = timedelta(hours=2)
LONGEST_SESSION = timedelta(hours=12)
# Failures that cost no waiting; behind one address there may be a whole shop.
FREE_OF_ACCOUNT, FREE_OF_ADDRESS = 5, 20
_TOUCH_EVERY = timedelta(minutes=1)
_BROWSER_LENGTH = 120


class Visitor(Model):
    """Somebody who is signed in, and the session he came with."""

    person: Person
    session: Session


class SignedIn(Model):
    """A new session: the cookie's value, which is shown only here, and whose it is."""

    token: str
    person: Person


class Access:
    """Who may come in. Thread-safe; several processes on one database know the same people and sessions."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords

    def sign_in(self, email: str, password: str, *, address: str, browser: str = "") -> SignedIn:
        """Sign in by password. RejectedInputError 429 while there is to wait, 401 when it does not fit.

        The answer is the same, and takes as long, for an unknown person, a disabled one, and a wrong password.
        """
        email = normal_email(email)
        now = self._clock.now()
        account_key, address_key = stored.digest(f"account:{email}"), stored.digest(f"address:{address}")
        with self._database.installation() as connection:
            wait_s = count_attempt(connection, address_key, now, free=FREE_OF_ADDRESS) or count_attempt(
                connection, account_key, now, free=FREE_OF_ACCOUNT
            )
            place = stored.whereabouts(connection, email)
        if wait_s:
            raise RejectedInputError("sign_in_wait", f"Too many attempts; wait {wait_s:.0f} s.", status=429)
        person, kept = self._person_and_hash(place)
        if not self._passwords.fits(kept, password) or person is None or kept is None:
            with self._database.unclaimed() as connection:
                note_refusal(connection, now, account=account_key, address=address_key)
            raise RejectedInputError("sign_in_refused", "Address or password do not fit.", status=401)
        with self._database.installation() as connection:
            forgive(connection, account_key, address_key, now)
        with self._database.scoped(scope_of(person.tenant_id)) as connection:
            if self._passwords.outdated(kept):
                stored.change_person(connection, person.person_id, password_hash=self._passwords.hash(password))
            entered = self.begin(connection, person, browser)
            note(connection, now, "console_signed_in", person)  # last: the chain is locked from here on
            return entered

    def visitor(self, token: str, *, touch: bool = True) -> Visitor | None:
        """Return who comes with a cookie; None when its session is none, too old, or was not used for too long.

        ``touch`` counts the request as use; what a page asks by itself does not.
        """
        scope, secret = parts_of(token)
        if scope is None:
            return None
        now = self._clock.now()
        with self._database.scoped(scope) as connection:
            session = stored.find_session(connection, stored.digest(secret))
            if session is None or session.expires_at <= now or session.used_at + IDLE <= now:
                return None
            person = stored.find_person(connection, session.person_id)
            if person is None or person.disabled_at is not None:
                return None
            if touch and session.used_at + _TOUCH_EVERY <= now:
                stored.touch_session(connection, session.token_hash, now)
        return Visitor(person=person, session=session)

    def sign_out(self, visitor: Visitor, token_hash: str | None = None, *, others: bool = False) -> int:
        """End the visitor's session, another of his by its name, or all ``others``; returns how many."""
        own = visitor.session.token_hash
        with self._of(visitor) as connection:
            if others:
                return stored.end_sessions(connection, visitor.person.person_id, but=own)
            return stored.end_sessions(connection, visitor.person.person_id, token_hash=token_hash or own)

    def sessions(self, visitor: Visitor) -> tuple[Session, ...]:
        """List the visitor's sessions."""
        with self._of(visitor) as connection:
            found = stored.list_sessions(connection, visitor.person.person_id, self._clock.now())
        return tuple(session for session in found if session.used_at + IDLE > self._clock.now())

    def change_password(self, visitor: Visitor, old: str, new: str) -> None:
        """Change the visitor's password and end his other sessions. RejectedInputError when the old one is wrong."""
        person = visitor.person
        now, account = self._clock.now(), stored.digest(f"account:{person.email}")
        with self._database.installation() as connection:
            wait_s = count_attempt(connection, account, now, free=FREE_OF_ACCOUNT)
        if wait_s:
            raise RejectedInputError("sign_in_wait", f"Too many attempts; wait {wait_s:.0f} s.", status=429)
        with self._of(visitor) as connection:
            kept = stored.password_hash(connection, person.person_id)
        if kept is not None and not self._passwords.fits(kept, old):
            raise RejectedInputError("password_wrong", "The present password is another one.")
        hashed = self._passwords.hash(new)
        with self._database.installation() as connection:
            forgive(connection, account, "", now)
        with self._of(visitor) as connection:
            stored.change_person(connection, person.person_id, password_hash=hashed)
            stored.end_sessions(connection, person.person_id, but=visitor.session.token_hash)
            note(connection, self._clock.now(), "console_password_changed", person)

    def prefer(self, visitor: Visitor, **preferences: str) -> None:
        """Remember the visitor's language or theme."""
        with self._of(visitor) as connection:
            stored.change_person(connection, visitor.person.person_id, **preferences)

    def begin(self, connection: sa.Connection, person: Person, browser: str) -> SignedIn:
        """Begin a session in the person's scope; its token is new, whatever the browser came with."""
        token, secret = new_token(scope_of(person.tenant_id))
        now = self._clock.now()
        session = Session(
            token_hash=stored.digest(secret),
            person_id=person.person_id,
            created_at=now,
            used_at=now,
            expires_at=now + LONGEST_SESSION,
            browser=browser[:_BROWSER_LENGTH],
        )
        stored.add_session(connection, person.tenant_id, session)
        stored.change_person(connection, person.person_id, signed_in_at=now)
        return SignedIn(token=token, person=person)

    def _of(self, visitor: Visitor) -> AbstractContextManager[sa.Connection]:
        return self._database.scoped(scope_of(visitor.person.tenant_id))

    def _person_and_hash(self, place: tuple[str, str] | None) -> tuple[Person | None, str | None]:
        if place is None:
            return None, None
        scope, person_id = place
        with self._database.scoped(scope) as connection:
            return stored.find_person(connection, person_id), stored.password_hash(connection, person_id)
