"""Timbres that must not pass, each forged in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.documents.layouts import Invoice
from tests.documents.sets import stamp_of
from tests.documents.stamps import authority, make_key, stamped

Forgery = Callable[[Invoice], bytes]


def _edited(invoice: Invoice, old: str, new: str) -> bytes:
    genuine = stamped(stamp_of(invoice))
    assert old.encode() in genuine
    return genuine.replace(old.encode(), new.encode(), 1)


def grafted(invoice: Invoice) -> bytes:
    """The DA of a genuine authorisation, signed with a key that is not the one in it."""
    return stamped(stamp_of(invoice), signer=make_key("forger"), caf_signer=authority()).replace(
        b"<D>1</D>", b"<D>2</D>", 1
    )


FORGERIES: dict[str, Forgery] = {
    "total edited": lambda i: _edited(i, f"<MNT>{i.total}</MNT>", f"<MNT>{i.total + 10_000}</MNT>"),
    "date edited": lambda i: _edited(i, f"<FE>{i.issued}</FE>", f"<FE>{i.issued + timedelta(days=200)}</FE>"),
    "item edited": lambda i: _edited(i, "<IT1>", "<IT1>X"),
    "own key, SII's key id": lambda i: stamped(
        stamp_of(i).but(key_id=100), signer=make_key("forger"), caf_signer=make_key("forger's authority", 65537)
    ),
    "own key, known key id": lambda i: stamped(
        stamp_of(i), signer=make_key("forger"), caf_signer=make_key("forger's authority", 65537)
    ),
    "own key, unknown key id": lambda i: stamped(
        stamp_of(i).but(key_id=901), signer=make_key("forger"), caf_signer=make_key("forger's authority", 65537)
    ),
    "another issuer's folios": lambda i: stamped(stamp_of(i).but(caf_issuer="76000001-8")),
    "folios of another kind": lambda i: stamped(stamp_of(i).but(caf_kind=52)),
    "folio beyond the range": lambda i: stamped(stamp_of(i).but(first=1, last=max(int(i.number) - 1, 1))),
    "dated before the folios": lambda i: stamped(stamp_of(i).but(authorised=i.issued + timedelta(days=3))),
    "another's authorisation grafted": grafted,
    # Genuine timbres on paper that says something else.
    "printed total raised": lambda i: stamped(
        stamp_of(replace(i, items=(replace(i.items[0], price=i.items[0].price - 2_000), *i.items[1:])))
    ),
    "printed date moved": lambda i: stamped(stamp_of(replace(i, issued=i.issued - timedelta(days=400)))),
    "timbre of another sale": lambda i: stamped(
        stamp_of(replace(i, number=str(int(i.number) + 17), issued=i.issued - timedelta(days=40)))
    ),
}
