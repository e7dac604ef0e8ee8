"""Is the asker the customer? Compares phone numbers and e-mail addresses as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import phonenumbers

from smarteros.domain.messages import Contact

_EMAIL = re.compile(r"[^\s<>,;:\"]+@[^\s<>,;:\"]+")
_REGION = "CL"


def is_same_person(contact: Contact, phones: Iterable[str], emails: Iterable[str]) -> bool:
    """Tell whether the contact's phone or e-mail is one of these. Unknown is never equal to unknown."""
    phone = e164(contact.phone or "")
    if phone is not None and phone in {e164(other) for other in phones}:
        return True
    own = _addresses(contact.email or "")
    return any(own & _addresses(other) for other in emails)


def e164(text: str) -> str | None:
    """Return a phone number in E.164 (``9 1234 5678`` is ``+56912345678``), or None when it is none."""
    try:
        number = phonenumbers.parse(text, _REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _addresses(text: str) -> frozenset[str]:
    """Return the addresses of an e-mail field, which may hold several and names around them."""
    return frozenset(address.casefold() for address in _EMAIL.findall(text))
