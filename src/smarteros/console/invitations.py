"""One-time links: how people are let in the first time, and again when a password is lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from smarteros.console.access import Access, SignedIn
from smarteros.console.journal import note
from smarteros.console.passwords import Passwords
from smarteros.console.permissions import TENANT_OF_ROLE
from smarteros.console.tokens import new_token, normal_email, parts_of
from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.people import Person, Role
from smarteros.kit.clock import Clock
from smarteros.store import people as stored
from smarteros.store.database import Database
from smarteros.store.people import Link, LinkPurpose, scope_of

LINK_LIFE = timedelta(hours=72)

KnownTenant = Callable[[str], bool]


class Invitations:
    """Makes people and one-time links, and lets in who brings one. Thread-safe."""

    def __init__(
        self, database: Database, clock: Clock, passwords: Passwords, access: Access, known_tenant: KnownTenant
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._access = access
        self._known_tenant = known_tenant

    def invite(
        self,
        email: str,
        role: Role,
        tenant_id: str | None,
        *,
        name: str = "",
        purpose: LinkPurpose = "password",
        by: Person | None = None,
    ) -> tuple[Person, str]:
        """Add a person and return the secret of the link that lets him in.

        ``by`` is who did it in the console; whoever has the command line is nobody it knows.
        RejectedInputError for an address somebody has already, and for a role that does not go with the tenant.
        """
        self._require_tenant(role, tenant_id)
        person = self._new_person(email, role, tenant_id, name)
        with self._database.scoped(scope_of(tenant_id)) as connection:
            self._add(connection, person, by)
            return person, self._link(connection, tenant_id, Link(person_id=person.person_id, purpose=purpose))

    def reset(self, email: str, *, purpose: LinkPurpose = "password", by: Person | None = None) -> tuple[Person, str]:
        """End a person's sessions and return the secret of a new link; works while signing in has to wait.

        RejectedInputError for an unknown or disabled person, and for oneself: nobody would be left to see the link.
        """
        _require_another(email, by)
        scope, person_id = self._whereabouts(email)
        with self._database.scoped(scope) as connection:
            person = stored.find_person(connection, person_id)
            if person is None or person.disabled_at is not None:
                raise RejectedInputError("person_disabled", f"{email} is disabled.")
            if purpose == "password":
                stored.end_sessions(connection, person_id)
                note(connection, self._clock.now(), "console_link_made", person, by=by)
            stored.drop_links(connection, person_id)
            return person, self._link(connection, person.tenant_id, Link(person_id=person_id, purpose=purpose))

    def enter_as(self, email: str, role: Role, *, name: str = "") -> str:
        """Return the secret of a link that signs somebody of the installation in, who is added if he is not there."""
        try:
            _, token = self.reset(email, purpose="enter")
        except RejectedInputError as error:
            if error.code != "person_unknown":
                raise
            _, token = self.invite(email, role, None, name=name, purpose="enter")
        return token

    def first_operator_link(self) -> str | None:
        """Return the secret of a link that makes the first operator; None when there is one."""
        with self._database.unclaimed() as connection:
            if _has_operator(connection):
                return None
            return self._link(connection, None, Link(person_id=None, purpose="password"))

    def disable(self, email: str, *, by: Person | None = None) -> Person:
        """Let a person sign in no more, and end his sessions.

        RejectedInputError for an unknown one, and for oneself: somebody must be left who lets people in.
        """
        _require_another(email, by)
        scope, person_id = self._whereabouts(email)
        with self._database.scoped(scope) as connection:
            stored.change_person(connection, person_id, disabled_at=self._clock.now())
            stored.end_sessions(connection, person_id)
            stored.drop_links(connection, person_id)
            person = stored.find_person(connection, person_id)
            if person is None:
                raise RejectedInputError("person_unknown", f"There is no {email}.", status=404)
            note(connection, self._clock.now(), "console_person_disabled", person, by=by)
            return person

    def people(self, *tenant_ids: str | None) -> list[Person]:
        """List the people of tenants, and for None those of the installation; each in their own scope."""
        found: list[Person] = []
        for tenant_id in tenant_ids:
            with self._database.scoped(scope_of(tenant_id)) as connection:
                found += stored.list_people(connection)
        return found

    def link_of(self, token: str) -> tuple[Link, Person | None] | None:
        """Look at a one-time link without using it; None when it is of no use."""
        scope, secret = parts_of(token)
        if scope is None:
            return None
        with self._database.scoped(scope) as connection:
            return self._usable_link(connection, secret)

    def enter_by_link(
        self,
        token: str,
        *,
        password: str = "",
        email: str = "",
        name: str = "",
        browser: str = "",
        language: Language = "es",
    ) -> SignedIn:
        """Use a one-time link: choose a password where it says so, and be signed in.

        Who comes for the first time finds the console in the ``language`` of the link's page.

        RejectedInputError when the link is of no use, or the password or address is none.
        """
        scope, secret = parts_of(token)
        if scope is None:
            raise _useless_link()
        with self._database.scoped(scope) as connection:
            found = self._usable_link(connection, secret)
            if found is None:
                raise _useless_link()
            link, person = found
            hashed = self._passwords.hash(password) if link.purpose == "password" else None
            if not stored.use_link(connection, secret, self._clock.now()):
                raise _useless_link()
            if person is None:
                person = self._first_operator(connection, email, name)
            if person.signed_in_at is None:
                stored.change_person(connection, person.person_id, language=language)
            if hashed is not None:
                stored.change_person(connection, person.person_id, password_hash=hashed)
                stored.end_sessions(connection, person.person_id)
            entered = self._access.begin(connection, person, browser)
            note(connection, self._clock.now(), "console_link_used", person)
            return entered

    def _require_tenant(self, role: Role, tenant_id: str | None) -> None:
        wanted = TENANT_OF_ROLE[role]
        if tenant_id is None and wanted == "own":
            raise RejectedInputError("tenant_missing", f"The role {role} belongs to a tenant; name one.")
        if tenant_id is not None and wanted == "none":
            raise RejectedInputError("tenant_superfluous", f"The role {role} belongs to no tenant.")
        if tenant_id is not None and not self._known_tenant(tenant_id):
            raise RejectedInputError("tenant_unknown", f"There is no tenant {tenant_id!r} here.", status=404)

    def _add(self, connection: sa.Connection, person: Person, by: Person | None = None) -> None:
        if not stored.add_person(connection, person):
            raise RejectedInputError("email_taken", f"Somebody has the address {person.email} already.", status=409)
        note(connection, self._clock.now(), "console_person_added", person, by=by)

    def _new_person(self, email: str, role: Role, tenant_id: str | None, name: str) -> Person:
        return Person(
            person_id=uuid.uuid4().hex,
            tenant_id=tenant_id,
            email=normal_email(email),
            name=name.strip()[:80],
            role=role,
            created_at=self._clock.now(),
        )

    def _link(self, connection: sa.Connection, tenant_id: str | None, link: Link) -> str:
        token, secret = new_token(scope_of(tenant_id))
        now = self._clock.now()
        stored.add_link(connection, tenant_id, secret, link, now, now + LINK_LIFE)
        return token

    def _usable_link(self, connection: sa.Connection, secret: str) -> tuple[Link, Person | None] | None:
        link = stored.find_link(connection, secret, self._clock.now())
        if link is None:
            return None
        if link.person_id is None:  # of use only while nobody else has become the operator
            return None if _has_operator(connection) else (link, None)
        person = stored.find_person(connection, link.person_id)
        return None if person is None or person.disabled_at is not None else (link, person)

    def _first_operator(self, connection: sa.Connection, email: str, name: str) -> Person:
        person = self._new_person(email, "operator", None, name)
        self._add(connection, person)
        return person

    def _whereabouts(self, email: str) -> tuple[str, str]:
        with self._database.installation() as connection:
            place = stored.whereabouts(connection, normal_email(email))
        if place is None:
            raise RejectedInputError("person_unknown", f"Nobody has the address {email}.", status=404)
        return place


def _require_another(email: str, by: Person | None) -> None:
    if by is not None and by.email == normal_email(email):
        raise RejectedInputError("person_self", "It would end the session in which it is done.", status=409)


def _has_operator(connection: sa.Connection) -> bool:
    return any(
        person.role == "operator" and person.has_password and person.disabled_at is None
        for person in stored.list_people(connection)
    )


def _useless_link() -> RejectedInputError:
    return RejectedInputError("link_useless", "The link was used already, or is too old.", status=410)
