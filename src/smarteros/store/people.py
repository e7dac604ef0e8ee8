"""People, their sessions and one-time links. Every call sees one scope: a tenant, or the installation (``NO_TENANT``).

Secrets are kept as digests only: whoever reads these tables cannot sign in with what he reads.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.model import Model
from smarteros.domain.people import Person
from smarteros.store.database import NO_TENANT
from smarteros.store.people_tables import people, people_directory, people_links, people_sessions

LinkPurpose = Literal[
    "password",  # the person chooses a password and is signed in
    "enter",     # the person is signed in
]  # fmt: skip


class Session(Model):
    """One browser somebody is signed in with. ``token_hash`` names it; the secret itself is in the cookie only."""

    token_hash: str
    person_id: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    browser: str = ""


class Link(Model):
    """A one-time link. Without ``person_id`` it makes the installation's first operator."""

    person_id: str | None
    purpose: LinkPurpose


def scope_of(tenant_id: str | None) -> str:
    """Name the scope of a tenant's people, or of the installation's."""
    return tenant_id or NO_TENANT


def digest(secret: str) -> str:
    """Return what is kept of a secret or an e-mail address."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_person(connection: sa.Connection, person: Person) -> bool:
    """Add a person; False when somebody of any scope has the e-mail address already."""
    scope = scope_of(person.tenant_id)
    taken = insert(people_directory).values(email_digest=digest(person.email), scope=scope, person_id=person.person_id)
    if connection.execute(taken.on_conflict_do_nothing().returning(people_directory.c.scope)).first() is None:
        return False
    columns = {"person_id", "email", "name", "role", "language", "theme", "created_at"}
    connection.execute(sa.insert(people).values(tenant_id=scope, **person.model_dump(include=columns)))
    return True


def whereabouts(connection: sa.Connection, email: str) -> tuple[str, str] | None:
    """Return scope and id of the person with an e-mail address; needs no scope."""
    statement = sa.select(people_directory.c.scope, people_directory.c.person_id)
    row = connection.execute(statement.where(people_directory.c.email_digest == digest(email))).one_or_none()
    return None if row is None else (row.scope, row.person_id)


def find_person(connection: sa.Connection, person_id: str) -> Person | None:
    """Return a person of the scope."""
    row = connection.execute(sa.select(people).where(people.c.person_id == person_id)).mappings().one_or_none()
    return None if row is None else _person(row)


def list_people(connection: sa.Connection) -> tuple[Person, ...]:
    """List the people of the scope by e-mail address."""
    return tuple(_person(row) for row in connection.execute(sa.select(people).order_by(people.c.email)).mappings())


def password_hash(connection: sa.Connection, person_id: str) -> str | None:
    """Return the hash of a person's password; None for nobody, for the disabled, and where none was chosen."""
    active = sa.and_(people.c.person_id == person_id, people.c.disabled_at.is_(None))
    return connection.execute(sa.select(people.c.password_hash).where(active)).scalar_one_or_none()


def change_person(connection: sa.Connection, person_id: str, **values: Any) -> bool:
    """Change columns of a person of the scope; False when there is no such person."""
    statement = sa.update(people).where(people.c.person_id == person_id).values(**values)
    return connection.execute(statement).rowcount == 1


def add_session(connection: sa.Connection, tenant_id: str | None, session: Session) -> None:
    """Write a session down, and forget the person's expired ones."""
    connection.execute(
        sa.delete(people_sessions).where(
            people_sessions.c.person_id == session.person_id, people_sessions.c.expires_at < session.created_at
        )
    )
    connection.execute(sa.insert(people_sessions).values(tenant_id=scope_of(tenant_id), **session.model_dump()))


def find_session(connection: sa.Connection, token_hash: str) -> Session | None:
    """Return a session of the scope, expired or not."""
    statement = sa.select(people_sessions).where(people_sessions.c.token_hash == token_hash)
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _session(row)


def list_sessions(connection: sa.Connection, person_id: str, now: datetime) -> tuple[Session, ...]:
    """List a person's sessions that have not expired, those used last first."""
    statement = sa.select(people_sessions).where(
        people_sessions.c.person_id == person_id, people_sessions.c.expires_at > now
    )
    rows = connection.execute(statement.order_by(people_sessions.c.used_at.desc())).mappings()
    return tuple(_session(row) for row in rows)


def touch_session(connection: sa.Connection, token_hash: str, at: datetime) -> None:
    """Remember that a session was used."""
    connection.execute(sa.update(people_sessions).where(people_sessions.c.token_hash == token_hash).values(used_at=at))


def end_sessions(
    connection: sa.Connection, person_id: str, *, token_hash: str | None = None, but: str | None = None
) -> int:
    """End one session of a person, or all, or all ``but`` one; returns how many."""
    wanted = [people_sessions.c.person_id == person_id]
    if token_hash is not None:
        wanted.append(people_sessions.c.token_hash == token_hash)
    if but is not None:
        wanted.append(people_sessions.c.token_hash != but)
    return connection.execute(sa.delete(people_sessions).where(*wanted)).rowcount


def add_link(
    connection: sa.Connection, tenant_id: str | None, secret: str, link: Link, now: datetime, expires_at: datetime
) -> None:
    """Write a one-time link down, and forget the expired ones of the scope."""
    connection.execute(sa.delete(people_links).where(people_links.c.expires_at < now))
    values = {"token_hash": digest(secret), "expires_at": expires_at, **link.model_dump()}
    connection.execute(sa.insert(people_links).values(tenant_id=scope_of(tenant_id), **values))


def find_link(connection: sa.Connection, secret: str, now: datetime) -> Link | None:
    """Return a link of the scope that can still be used."""
    statement = sa.select(people_links.c.person_id, people_links.c.purpose).where(_usable(secret, now))
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else Link.model_validate(dict(row))


def use_link(connection: sa.Connection, secret: str, now: datetime) -> bool:
    """Use a link up; of several at once one succeeds."""
    return connection.execute(sa.update(people_links).where(_usable(secret, now)).values(used_at=now)).rowcount == 1


def drop_links(connection: sa.Connection, person_id: str) -> None:
    """Make the links of a person useless."""
    connection.execute(sa.delete(people_links).where(people_links.c.person_id == person_id))


def _usable(secret: str, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        people_links.c.token_hash == digest(secret),
        people_links.c.used_at.is_(None),
        people_links.c.expires_at > now,
    )


def _person(row: sa.RowMapping) -> Person:
    own = set(Person.model_fields) - {"tenant_id", "has_password"}
    tenant_id = None if row["tenant_id"] == NO_TENANT else row["tenant_id"]
    values: dict[str, Any] = {name: row[name] for name in own}
    return Person.model_validate(values | {"tenant_id": tenant_id, "has_password": row["password_hash"] is not None})


def _session(row: sa.RowMapping) -> Session:
    return Session.model_validate({name: row[name] for name in Session.model_fields})
