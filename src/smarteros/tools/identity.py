"""Is the asker the customer? Compares what is known of him with the phone numbers and addresses of a record.

The rule (docs/odoo.md, ADR 18) has three answers:

- ``verified``: what the channel vouches for (``Contact.proven``) is the record's phone or e-mail;
- ``claimed``: only what the asker says of himself is: anybody can write it into a web chat. Details of one invoice
  leave after a second fact of it was named, its total or its day; nothing else does;
- ``unknown``: neither. Nothing leaves.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

import phonenumbers

from smarteros.domain.messages import Contact
from smarteros.domain.tools import Identity

_EMAIL = re.compile(r"[^\s<>,;:\"]+@[^\s<>,;:\"]+")
_REGION = "CL"
MOST_WRONG_FACTS = 3
WRONG_FACTS_COUNT_FOR_S = 24 * 3600.0
_MOST_RECORDS = 10_000


@dataclass
class WrongFacts:
    """Counts the second facts of a record that were wrong, so that none is found by trying.

    A total is one of a shop's few prices and a day one of a few hundred: after ``most`` wrong ones within 24 h, by
    whomever, a claim on the record proves nothing any more. Counted in this process; the oldest records are forgotten.
    """

    most: int = MOST_WRONG_FACTS
    clock: Callable[[], float] = time.monotonic
    _wrong: dict[Hashable, list[float]] = field(default_factory=dict[Hashable, list[float]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def too_many(self, record: Hashable) -> bool:
        """Tell whether no further fact of the record may be tried."""
        with self._lock:
            return len(self._recent(record)) >= self.most

    def count(self, record: Hashable) -> None:
        """Note a wrong fact."""
        with self._lock:
            recent = self._recent(record)
            self._wrong.pop(record, None)
            self._wrong[record] = [*recent, self.clock()]
            while len(self._wrong) > _MOST_RECORDS:
                self._wrong.pop(next(iter(self._wrong)))

    def _recent(self, record: Hashable) -> list[float]:
        since = self.clock() - WRONG_FACTS_COUNT_FOR_S
        return [at for at in self._wrong.get(record, ()) if at > since]


def identity_of(contact: Contact, phones: Iterable[str], emails: Iterable[str]) -> Identity:
    """Tell how sure it is that the contact is who has these phones and e-mails. Unknown is never equal to unknown."""
    known_phones = {number for text in phones if (number := e164(text))}
    known_emails = {address for text in emails for address in addresses(text)}
    if _is_among(contact.proven, known_phones, known_emails):
        return "verified"
    if any(_is_among(said, known_phones, known_emails) for said in (contact.phone, contact.email)):
        return "claimed"
    return "unknown"


def is_same_person(contact: Contact, phones: Iterable[str], emails: Iterable[str]) -> bool:
    """Tell whether the channel itself vouches that the contact is who has these phones and e-mails."""
    return identity_of(contact, phones, emails) == "verified"


def e164(text: str) -> str | None:
    """Return a phone number in E.164 (``9 1234 5678`` is ``+56912345678``), or None when it is none."""
    try:
        number = phonenumbers.parse(text, _REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def addresses(text: str) -> frozenset[str]:
    """Return the addresses of an e-mail field, which may hold several and names around them."""
    return frozenset(address.casefold() for address in _EMAIL.findall(text))


def _is_among(said: str | None, phones: set[str], emails: set[str]) -> bool:
    if not said:
        return False
    # An address may begin with digits; the phone library would take them for a number.
    if "@" not in said:
        return e164(said) in phones
    own = addresses(said)
    return len(own) == 1 and own <= emails
