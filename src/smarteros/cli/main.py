"""The ``smos`` command."""

from __future__ import annotations

import sys

import typer

from smarteros.cli import (
    agent,
    alerts,
    audit,
    brain,
    catalogue,
    contact,
    contract,
    demo,
    documents,
    kb,
    kb_source,
    people,
    secrets,
    tenant,
    token,
)
from smarteros.cli.backup import backup
from smarteros.cli.bench import bench
from smarteros.cli.doctor import doctor
from smarteros.cli.explain import explain
from smarteros.cli.init import init
from smarteros.cli.kb_gaps import gaps
from smarteros.cli.kb_upkeep import activate, questions, refuse, report, settings, waiting
from smarteros.cli.migrate import migrate
from smarteros.cli.prove import prove
from smarteros.cli.replay import replay
from smarteros.cli.restore import restore
from smarteros.cli.serve import serve
from smarteros.cli.sla import sla
from smarteros.cli.slo import slo
from smarteros.cli.status import status
from smarteros.cli.tenant_dedicate import dedicate
from smarteros.cli.trace import trace
from smarteros.cli.usage import usage
from smarteros.domain.errors import SmosError
from smarteros.observability.logs import configure_logs

app = typer.Typer(
    name="smos",
    help="SmarterOS: bots that sell and support for small shops, behind Chatwoot.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(demo.app, name="demo")
app.add_typer(contact.app, name="contact")
app.add_typer(contract.app, name="contract")
app.add_typer(agent.app, name="agent")
app.add_typer(alerts.app, name="alerts")
app.add_typer(audit.app, name="audit")
app.add_typer(brain.app, name="brain")
app.add_typer(catalogue.app, name="catalogue")
for kb_command in (gaps, waiting, activate, refuse, questions, report, settings):
    kb.app.command()(kb_command)
kb.app.add_typer(kb_source.app, name="source")
app.add_typer(kb.app, name="kb")
app.add_typer(documents.app, name="documents")
app.add_typer(people.app, name="people")
app.add_typer(secrets.app, name="secrets")
tenant.app.command()(dedicate)
app.add_typer(tenant.app, name="tenant")
app.add_typer(token.app, name="token")
app.command()(init)
app.command()(serve)
app.command()(migrate)
app.command()(doctor)
app.command()(status)
app.command()(sla)
app.command()(slo)
app.command()(backup)
app.command()(restore)
app.command()(bench)
app.command()(prove)
app.command()(replay)
app.command()(explain)
app.command()(trace)
app.command()(usage)


def main() -> None:
    """Run a command; an error we know, or a database that goes away, ends in one sentence and exit code 1."""
    configure_logs()
    try:
        app()
    except SmosError as error:
        sys.stderr.write(f"smos: {error.operator_message}\n")
        raise SystemExit(1) from None
    except Exception as error:
        from sqlalchemy.exc import OperationalError  # most commands do without a database: it takes long to import

        from smarteros.store.database import cause_of

        if not isinstance(error, OperationalError):
            raise
        sys.stderr.write(f"smos: PostgreSQL has stopped answering: {cause_of(error)}. Try again when it is back.\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
