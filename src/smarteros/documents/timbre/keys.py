"""The keys with which SII signs folio authorisations (CAF).

Numbers, because SII's own X.509 files are malformed and parsers refuse them. Source: SII's public keys for CAF
signatures, checked against seven public timbres of 2003 to 2025 (RSA of 512 bit, SHA-1, PKCS#1 v1.5).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from smarteros.domain.errors import ConfigError


class PublicKey(NamedTuple):
    """An RSA public key."""

    n: int
    e: int


SII_KEYS: Mapping[int, PublicKey] = {
    100: PublicKey(
        0xC8FBF00DCB21A55000A585522C5DE528A73E0CE16CC03AB1E5EA7DE4B2A28111E352FAEF8DCB7D51E349ABD4B105DCD4F67CF9E13115058C9F0154291B8C7153,
        65537,
    ),
    300: PublicKey(
        0x9DEEBFC5EEBD96DF4C7CF53F1BFA15D85D73EF04C6718F8C07B3F785EFEE75E7B4EF5A3AE079C3265A900E45F602890AF6FB4FAFA2B8D6938F7F011C3585B335,
        65537,
    ),
}


def with_test_keys(path: Path | None) -> Mapping[int, PublicKey]:
    """SII's keys, and those of a file for tests (``{"keys": {"666": {"n_hex": "…", "e": 65537}}}``).

    ConfigError when the file cannot be read or claims a key id of SII's: those are never replaced.
    """
    if path is None:
        return SII_KEYS
    try:
        entries = cast("dict[str, Any]", json.loads(path.read_text("utf-8"))["keys"])
        extra = {int(name): PublicKey(int(entry["n_hex"], 16), int(entry["e"])) for name, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError("timbre_keys_unreadable", f"{path}: no keys of timbres ({type(error).__name__})") from error
    taken = sorted(set(extra) & set(SII_KEYS))
    if taken:
        raise ConfigError("timbre_keys_taken", f"{path}: {taken} are key ids of SII itself")
    return {**SII_KEYS, **extra}
