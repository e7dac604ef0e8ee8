"""An installation of the first version is brought to today's tables."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from smarteros.domain.tenants import TenantScope
from smarteros.store import migrations
from smarteros.store.database import Database, migrate
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.turns import take_fence

_BACK_TO_THE_FIRST = (
    "ALTER TABLE smos.conversations DROP COLUMN fence, DROP COLUMN fence_turn, DROP COLUMN muted_reason,"
    " DROP COLUMN led_at",
    "ALTER TABLE smos.replies DROP COLUMN failed_at, DROP COLUMN failed_reason",
    "DROP INDEX smos.replies_by_conversation",
)


def make_first_version(connection: sa.Connection) -> None:
    connection.execute(sa.text("CREATE SCHEMA smos"))
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


def test_the_fence_works_in_a_database_that_was_made_without_it(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres") as server:
        owner = sa.create_engine(server.url(), poolclass=sa.NullPool)
        with owner.begin() as connection:
            make_first_version(connection)
            for statement in _BACK_TO_THE_FIRST:
                connection.execute(sa.text(statement))
        migrate(server.url())
        database = Database(server.url(), server.url("smos_app"))
        with database.tenant(TenantScope(tenant_id="UPGRADED_SHOP")) as connection:
            tokens = [take_fence(connection, "UPGRADED_SHOP", 1, f"turn-{number}") for number in (1, 2)]
        database.dispose()

    assert tokens == [1, 2]
