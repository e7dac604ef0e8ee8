"""What all adapters do with a system behind a tool: sort its faults, read its secret, tame its answers."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from smarteros.domain.errors import ConfigError, PermanentError, SmosError, TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpFault
from smarteros.secrets.protocol import SecretStore

AnswerT = TypeVar("AnswerT")


def sorted_fault(service: str, fault: HttpFault, *, said: str = "") -> SmosError:
    """Return the error an HTTP fault means. ``said`` is the system's own sentence, already free of secrets."""
    sentence = f"{fault}. {said}" if said else str(fault)
    if fault.status in (401, 403):
        return ConfigError(f"{service}_access_refused", sentence)
    if fault.transient:
        return TransientError(f"{service}_unavailable", sentence)
    return PermanentError(f"{service}_request_refused", sentence)


def read_header_secret(secrets: SecretStore, scope: TenantScope, path: str) -> str:
    """Return a secret that goes into an HTTP header; ConfigError when it cannot."""
    return header_value(secrets.read(scope, path), f"Secret {path} of {scope.tenant_id}")


def header_value(secret: str, what: str) -> str:
    """Return a secret without white space around it; ConfigError, which names ``what``, when no header can hold it.

    Anything but visible ASCII is refused here: the HTTP library would quote the secret in its own error.
    """
    value = secret.strip()
    if not value or not value.isascii() or not value.isprintable():
        raise ConfigError("secret_malformed", f"{what} cannot be sent in a header.")
    return value


def tamed(service: str, shape: TypeAdapter[AnswerT], answer: Any) -> AnswerT:
    """Return a system's answer in the shape it must have; what else it says is ignored."""
    try:
        return shape.validate_python(answer)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors()[:3])
        sentence = f"The answer of {service} is not as expected at {places}."
        raise PermanentError(f"{service}_answer_unreadable", sentence) from None
