"""The questions of ``smos tenant add`` without flags, and their order; what is answered is tried at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import typer

from smarteros.cli.doctor import print_findings
from smarteros.doctor.examination import Finding
from smarteros.domain.errors import ConfigError
from smarteros.tenants.application import Application, application

# Looks whether the credentials of one system are right.
Check = Callable[[Application, str], Sequence[Finding]]


class Question(NamedTuple):
    """One question; a name with a slash is the path of a secret."""

    name: str
    text: str
    hidden: bool = False
    default: str | None = None


class System(NamedTuple):
    """Questions that are checked together. An ``optional`` one is left out by an empty first answer."""

    name: str
    questions: tuple[Question, ...]
    optional: bool = True


_OPTIONAL = ""
_BUSINESS = (
    Question("rut", "RUT of the business"),
    Question("name", "Its name, as customers know it"),
    Question("tone", "How its bot should sound (may be empty)", default=_OPTIONAL),
    Question("tier", "Tier: free, pro or enterprise", default="free"),
)
_SYSTEMS = (
    System(
        "chatwoot",
        (
            Question("chatwoot_url", "Address of its Chatwoot, like https://chat.example.cl"),
            Question("account_id", "Number of its account there"),
            Question("chatwoot/user_token", "Access token of an administrator", hidden=True),
        ),
        optional=False,
    ),
    System(
        "shopify",
        (
            Question("shopify/store_domain", "Shopify: <name>.myshopify.com (empty: no shop)", default=_OPTIONAL),
            Question("shopify/client_id", "Client id of the app"),
            Question("shopify/client_secret", "Client secret of the app", hidden=True),
        ),
    ),
    System(
        "odoo",
        (
            Question("odoo/instance_url", "Odoo: https://<host> (empty: none)", default=_OPTIONAL),
            Question("odoo/api_key", "API key of its user", hidden=True),
            Question("odoo/login", "Login of that user (for Odoo 14 to 18; may be empty)", default=_OPTIONAL),
            Question("odoo_company_id", "Number of the company"),
            Question("odoo_database", "Name of the database (may be empty)", default=_OPTIONAL),
        ),
    ),
    System(
        "ocr",
        (
            Question(
                "ocr_engine",
                "Photos: vision, vision_then_local or local_then_vision (empty: this machine)",
                default=_OPTIONAL,
            ),
            Question("ocr/api_key", "Key with the Cloud Vision API", hidden=True),
        ),
    ),
)


def ask(check: Check) -> Application:
    """Ask for everything. What is wrong is said and asked again; typer.Abort when somebody gives up."""
    given: dict[str, Any] = {}
    _until_right(given, _BUSINESS, lambda _: ())
    for system in _SYSTEMS:
        _until_right(given, system.questions, lambda draft, name=system.name: check(draft, name), system.optional)
    return application(_shaped(given))


def _until_right(
    given: dict[str, Any],
    questions: tuple[Question, ...],
    look: Callable[[Application], Sequence[Finding]],
    may_be_left_out: bool = False,
) -> None:
    answers: dict[str, str] = {}
    while True:
        answers = _answers(questions, answers, may_be_left_out=may_be_left_out)
        if not answers:
            return
        findings: Sequence[Finding] = ()
        try:
            # What is not asked yet stands in, so that what was answered is looked at now and not in the end.
            findings = look(application(_shaped({**_UNASKED, **given, **answers})))
        except ConfigError as error:
            typer.echo(f"✗ {error.operator_message}")
        else:
            print_findings(findings)
            if not any(finding.status == "failed" for finding in findings):
                given.update(answers)
                return
        typer.confirm("Answer again?", default=True, abort=True)


_UNASKED = {"chatwoot_url": "https://chat.invalid", "account_id": "1"}


def _answers(questions: tuple[Question, ...], before: dict[str, str], *, may_be_left_out: bool) -> dict[str, str]:
    """Ask the questions; what was answered ``before`` need not be typed again, unless it is hidden."""
    answers: dict[str, str] = {}
    for question in questions:
        leaves_out = may_be_left_out and question is questions[0]
        default = question.default if question.hidden or leaves_out else before.get(question.name, question.default)
        answer = str(
            typer.prompt(question.text, default=default, hide_input=question.hidden, show_default=bool(default))
        ).strip()
        if answer:
            answers[question.name] = answer
        elif leaves_out:
            break
    return answers


def _shaped(given: dict[str, Any]) -> dict[str, Any]:
    keys = {name: value for name, value in given.items() if "/" in name}
    return {**{name: value for name, value in given.items() if "/" not in name}, "secrets": keys}
