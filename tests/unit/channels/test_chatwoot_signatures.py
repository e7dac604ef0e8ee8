"""Signatures of webhooks: what proves a body, and everything that does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smarteros.channels.chatwoot.signatures import sign_legacy, sign_v1, verify
from smarteros.domain.errors import RejectedInputError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "chatwoot"
SECRET = "Zq3kT8sWn5vB2mXc7pLd9rGh"
NOW = datetime(2026, 6, 3, 14, 6, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
RAW = b'{"event":"message_created","created_at":"2026-06-03T14:05:41Z"}'


def check(raw: bytes = RAW, headers: dict[str, str] | None = None, **changes: Any) -> str:
    options: dict[str, Any] = {
        "candidates": [SECRET],
        "legacy_candidates": [SECRET],
        "mode": "both",
        "now": NOW,
        "v1_seen": False,
        **changes,
    }
    return verify(raw, v1_headers() if headers is None else headers, **options)


def v1_headers(raw: bytes = RAW, secret: str = SECRET, stamp: int = STAMP) -> dict[str, str]:
    return {"x-chatwoot-timestamp": str(stamp), "x-chatwoot-signature": sign_v1(raw, secret, stamp)}


def legacy_headers(raw: bytes = RAW, secret: str = SECRET) -> dict[str, str]:
    return {"x-chatwoot-signature": sign_legacy(raw, secret)}


def refusal(*args: Any, **changes: Any) -> RejectedInputError:
    with pytest.raises(RejectedInputError) as caught:
        check(*args, **changes)
    assert caught.value.status == 401
    assert caught.value.public_message == "Invalid HMAC signature"
    return caught.value


@pytest.mark.parametrize("name", sorted(json.loads((FIXTURES / "signatures.json").read_text())["deliveries"]))
def test_every_fixture_is_proved_by_its_recorded_signature(name: str) -> None:
    recorded = json.loads((FIXTURES / "signatures.json").read_text())
    delivery, raw = recorded["deliveries"][name], (FIXTURES / f"{name}.json").read_bytes()
    headers = {f"x-chatwoot-{key}": value for key, value in delivery.items()}
    secrets = ["another-secret", recorded["secret"]]
    scheme = check(
        raw,
        headers,
        candidates=secrets,
        legacy_candidates=secrets,
        now=datetime.fromtimestamp(recorded["epoch"], UTC),
    )
    assert scheme == ("v1" if "timestamp" in delivery else "legacy")


def test_the_recorded_deliveries_of_chatwoot_are_proved(shared_dir: Path) -> None:
    folder = shared_dir / "fixtures" / "chatwoot"
    recorded = json.loads((folder / "signatures.json").read_text())
    for name, delivery in recorded["fixtures"].items():
        headers = {key.lower(): value for key, value in delivery.items() if key != "bytes"}
        now = datetime.fromtimestamp(int(headers["x-chatwoot-timestamp"]), UTC)
        raw = (folder / f"{name}.json").read_bytes()
        assert check(raw, headers, candidates=[recorded["secret"]], now=now, mode="v1") == "v1", name


@pytest.mark.parametrize("mode", ["v1", "legacy", "both"])
def test_a_v1_signature_is_accepted_in_every_mode(mode: str) -> None:
    assert check(mode=mode, v1_seen=True) == "v1"


def test_the_old_secret_still_proves_during_a_rotation() -> None:
    assert check(candidates=["the-new-secret", SECRET, "a-third"]) == "v1"


@pytest.mark.parametrize("headers", [{}, {"x-chatwoot-signature": ""}, {"x-chatwoot-timestamp": str(STAMP)}])
def test_an_unsigned_body_is_refused(headers: dict[str, str]) -> None:
    assert refusal(headers=headers).code == "missing_signature"


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_v1_delivery_far_from_our_clock_is_stale(seconds: int) -> None:
    assert refusal(now=NOW + timedelta(seconds=seconds)).code == "stale_timestamp"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_v1_delivery_within_300_seconds_is_accepted(seconds: int) -> None:
    assert check(now=NOW + timedelta(seconds=seconds)) == "v1"


@pytest.mark.parametrize("secrets", [[], [""], ["wrong"], ["", "wrong"]])
def test_no_missing_empty_or_wrong_secret_proves_a_v1_body(secrets: list[str]) -> None:
    headers = v1_headers(secret=secrets[0] if secrets and not secrets[0] else SECRET)
    assert refusal(headers=headers, candidates=secrets).code == "invalid_signature"


def test_one_changed_byte_breaks_the_proof() -> None:
    assert refusal(RAW + b" ", v1_headers()).code == "invalid_signature"


def test_a_signature_does_not_serve_for_another_timestamp() -> None:
    headers = {**v1_headers(), "x-chatwoot-timestamp": str(STAMP + 1)}
    assert refusal(headers=headers).code == "invalid_signature"


@pytest.mark.parametrize("stamp", ["", "soon", "-5", "1e9", "１７８０", "9" * 40, f"{STAMP}.0"])
def test_a_timestamp_that_is_no_unix_time_is_refused(stamp: str) -> None:
    headers = {**v1_headers(), "x-chatwoot-timestamp": stamp}
    assert refusal(headers=headers).code == "invalid_signature"


def test_the_largest_timestamp_that_fits_is_refused_without_a_crash() -> None:
    stamp = 99_999_999_999
    assert refusal(headers=v1_headers(stamp=stamp)).code == "stale_timestamp"


@pytest.mark.parametrize("signature", ["sha256=", "sha256=zz", "sha256=ñ\udcff", "sha1=00", "ñ" * 64, "0" * 63])
def test_a_signature_in_no_known_form_is_refused(signature: str) -> None:
    headers = {"x-chatwoot-signature": signature}
    assert refusal(headers=headers).code == "invalid_signature"
    assert refusal(headers={**headers, "x-chatwoot-timestamp": str(STAMP)}).code == "invalid_signature"


def test_a_prefix_without_timestamp_is_not_taken_for_legacy() -> None:
    headers = {"x-chatwoot-signature": "sha256=" + sign_legacy(RAW, SECRET)}
    assert refusal(headers=headers).code == "invalid_signature"


def test_a_bare_signature_with_a_timestamp_is_judged_as_v1() -> None:
    headers = {**legacy_headers(), "x-chatwoot-timestamp": str(STAMP)}
    assert refusal(headers=headers).code == "invalid_signature"


@pytest.mark.parametrize("mode", ["legacy", "both"])
def test_a_bare_signature_is_accepted_where_the_tenant_allows_it(mode: str) -> None:
    assert check(headers=legacy_headers(), mode=mode) == "legacy"
    upper = {"x-chatwoot-signature": sign_legacy(RAW, SECRET).upper()}
    assert check(headers=upper, mode=mode) == "legacy"


def test_a_bare_signature_is_refused_for_a_v1_tenant() -> None:
    assert refusal(headers=legacy_headers(), mode="v1").code == "legacy_not_allowed"


@pytest.mark.parametrize("mode", ["legacy", "both"])
def test_after_a_v1_delivery_nobody_can_go_back_to_bare_signatures(mode: str) -> None:
    assert refusal(headers=legacy_headers(), mode=mode, v1_seen=True).code == "legacy_not_allowed"


def test_the_v1_secret_does_not_prove_a_bare_signature() -> None:
    assert refusal(headers=legacy_headers(), legacy_candidates=["other"]).code == "invalid_signature"


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_bare_signature_of_an_old_or_future_body_is_stale(minutes: int) -> None:
    assert refusal(headers=legacy_headers(), now=NOW + timedelta(minutes=minutes)).code == "stale_timestamp"


@pytest.mark.parametrize(
    "raw",
    [b"{}", b"[]", b"not json", b"\xff\xfe", b"[" * 100_000, b'{"created_at":"yesterday"}', b'{"created_at":1e300}'],
)
def test_a_bare_signature_of_a_body_without_an_instant_is_stale(raw: bytes) -> None:
    assert refusal(raw, legacy_headers(raw)).code == "stale_timestamp"
