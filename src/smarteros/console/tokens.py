"""The secrets people carry: in a cookie, or in a one-time link.

A token is ``<scope>.<secret>``. The scope only says where to look for the secret (in whose rows); nothing is believed
of it, because in any other scope the secret is not found.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import TENANT_ID
from smarteros.store.database import NO_TENANT

_TOKEN = re.compile(rf"({re.escape(NO_TENANT)}|{TENANT_ID.pattern.strip('^$')})\.([A-Za-z0-9_-]{{43}})")
_EMAIL = re.compile(r"[^@\s\x00-\x1f<>\"',;]{1,64}@[^@\s\x00-\x1f<>\"',;]{1,190}")


def new_token(scope: str) -> tuple[str, str]:
    """Return a new token of a scope, and its secret part of 256 random bits."""
    secret = new_secret()
    return f"{scope}.{secret}", secret


def new_secret() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def parts_of(token: str) -> tuple[str | None, str]:
    """Return scope and secret of a token; no scope when it has not the form of one."""
    found = _TOKEN.fullmatch(token)
    return (None, "") if found is None else (found[1], found[2])


def csrf_of(token: str) -> str:
    """Return what a form must bring along to prove that a page of ours made it: derived from the cookie's secret."""
    return hashlib.sha256(f"csrf:{token}".encode()).hexdigest()


def csrf_fits(token: str, given: str) -> bool:
    """Tell whether a form came from a page made for this cookie."""
    return bool(token) and hmac.compare_digest(csrf_of(token).encode(), given.encode())


def normal_email(email: str) -> str:
    """Return an e-mail address as it is kept. RejectedInputError when it is none."""
    normal = email.strip().lower()
    if not _EMAIL.fullmatch(normal):
        raise RejectedInputError("email_invalid", "That is no e-mail address.")
    return normal


def console_link(url: str, token: str) -> str:
    """Return the address of a one-time link below the console's own."""
    return f"{url}/console/welcome/{token}"
