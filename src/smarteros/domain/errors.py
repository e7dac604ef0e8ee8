"""One root for every error of SmarterOS, with the two sentences: one for the operator, one for the customer.

The class says who must act: ConfigError the operator, RejectedInputError the sender, TransientError nobody
(it is retried), PermanentError a human agent (the turn is handed over).
"""

from __future__ import annotations

from typing import ClassVar


class SmosError(Exception):
    """Root of all errors.

    ``code`` is a stable snake_case word for machines, the exception text is the operator's sentence and
    ``public_message`` the sentence that may leave the system (to an HTTP client or, in the end, a customer).
    """

    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 500
    default_public_message: ClassVar[str] = "Something went wrong on our side."

    def __init__(self, code: str, operator_message: str, *, public_message: str | None = None) -> None:
        super().__init__(operator_message)
        self.code = code
        self.operator_message = operator_message
        self.public_message = public_message or self.default_public_message


class ConfigError(SmosError):
    """A setting, contract or secret is wrong or missing. Retrying does not help; the operator must act."""


class RejectedInputError(SmosError):
    """The sender's input is refused: malformed, forged, too large or not allowed."""

    http_status: ClassVar[int] = 422
    default_public_message: ClassVar[str] = "The request was refused."

    def __init__(
        self, code: str, operator_message: str, *, public_message: str | None = None, status: int = 422
    ) -> None:
        super().__init__(code, operator_message, public_message=public_message or operator_message)
        self.status = status


class TransientError(SmosError):
    """A fault that passes by itself (time-out, 429, 5xx, reset). The only kind that is retried."""

    retryable: ClassVar[bool] = True
    http_status: ClassVar[int] = 503


class PermanentError(SmosError):
    """A fault that will not pass: the turn ends in a hand-over to a person."""
