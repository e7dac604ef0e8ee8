"""People who may sign in to the console; created by migration 0016, with row-level security.

A person belongs to a tenant, or to the installation (scope ``-``, see ``database.NO_TENANT``): whoever reads a
tenant's people, sessions or invitations does so in the tenant's scope.
"""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.store.columns import INSTANT, own_metadata

metadata = own_metadata()

people = sa.Table(
    "people",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("role", sa.Text, nullable=False),
    # Null until a password was chosen: nobody can sign in with one before.
    sa.Column("password_hash", sa.Text),
    sa.Column("language", sa.Text, nullable=False, server_default="es"),
    sa.Column("theme", sa.Text, nullable=False, server_default="auto"),
    sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("disabled_at", INSTANT),
    sa.Column("signed_in_at", INSTANT),
)

people_sessions = sa.Table(
    "people_sessions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    # SHA-256 of the cookie's secret: who reads the table cannot sign in with what he reads.
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("used_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("browser", sa.Text, nullable=False, server_default=""),
    sa.Index("people_sessions_by_person", "tenant_id", "person_id"),
)

people_links = sa.Table(
    "people_links",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("token_hash", sa.Text, primary_key=True),
    # Null: whoever opens the link first becomes the installation's first operator.
    sa.Column("person_id", sa.Text),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("used_at", INSTANT),
)

TENANT_TABLES = (people, people_sessions, people_links)

# Which scope an address belongs to, asked before anybody is known. It holds a digest and no personal data.
people_directory = sa.Table(
    "people_directory",
    metadata,
    sa.Column("email_digest", sa.Text, primary_key=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
)

# Failed sign-ins by account and by address (digests), shared by all processes.
sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", INSTANT, nullable=False),
    sa.Column("blocked_until", INSTANT, nullable=False),
    sa.Index("sign_in_attempts_by_last_at", "last_at"),
)

INSTALLATION_TABLES = (people_directory, sign_in_attempts)
