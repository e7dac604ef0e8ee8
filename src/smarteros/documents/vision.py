"""Google Cloud Vision over plain REST (its client library costs 2.4 s of import).

Limits of the service: 20 MB an image, 10 MB of JSON, 75 megapixels, 1,800 requests a minute. It costs US$1.50 per
1,000 images after the first 1,000 of a month, so every image it has read is counted by tenant.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from smarteros.documents.protocol import OcrPage
from smarteros.documents.vision_answer import page_of
from smarteros.domain.errors import ConfigError, PermanentError, RejectedInputError, SmosError, TransientError
from smarteros.domain.tenants import TenantScope
from smarteros.kit.http import HttpClient, HttpFault
from smarteros.kit.media_type import sniff
from smarteros.observability.metrics import VISION_IMAGES
from smarteros.secrets.protocol import SecretStore

BASE_URL = "https://vision.googleapis.com"
RETRY_AFTER_SECONDS = (0.5, 2.0)
BUDGET_SECONDS = 8.0  # for all tries of one image; the support flow answers within 8 s
MAX_IMAGE_BYTES = 7 * 1024 * 1024  # base64 adds a third, and 10 MB of JSON is the limit
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED = 3, 8  # google.rpc.Code
_TRANSIENT_CODES = frozenset({4, _RESOURCE_EXHAUSTED, 13, 14})
_READ_BY_VISION = frozenset({"image/jpeg", "image/png", "image/webp"})

Json = dict[str, Any]


def _too_large(_image: bytes) -> bytes:
    raise RejectedInputError("image_too_large", "Vision takes at most 7 MiB", status=413)


@dataclass(frozen=True)
class VisionOcrEngine:
    """Reads with ``DOCUMENT_TEXT_DETECTION``, Spanish and English, with one tenant's key (``ocr/api_key``).

    ``shrink`` makes a small JPEG of an image that is too large or of a kind Vision does not know; without it such an
    image is refused. ``clock`` is monotonic seconds.
    """

    http: HttpClient
    secrets: SecretStore
    scope: TenantScope
    base_url: str = BASE_URL
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    budget_s: float = BUDGET_SECONDS
    shrink: Callable[[bytes], bytes] = _too_large

    def read(self, image: bytes) -> OcrPage:
        """Read an image.

        ConfigError when the key is missing or refused, TransientError when Vision is away, slower than the budget or
        its quota is used up, RejectedInputError when it cannot read the image.
        """
        key = self.secrets.read(self.scope, "ocr/api_key")
        content = base64.b64encode(self._acceptable(image)).decode("ascii")
        give_up_at = self.clock() + self.budget_s
        pauses = iter(RETRY_AFTER_SECONDS)
        while True:
            try:
                return page_of(self._annotate(content, key, give_up_at - self.clock()))
            except _PassingError as error:
                pause = next(pauses, None)
                if pause is None:
                    raise
                pause = max(pause, error.retry_after_s)
                if self.clock() + pause >= give_up_at:
                    raise
                self.sleep(pause)

    def _acceptable(self, image: bytes) -> bytes:
        if len(image) <= MAX_IMAGE_BYTES and sniff(image) in _READ_BY_VISION:
            return image
        small = self.shrink(image)
        if len(small) > MAX_IMAGE_BYTES:
            raise RejectedInputError("image_too_large", "the image stays above 7 MiB", status=413)
        return small

    def _annotate(self, content: str, key: str, left_s: float) -> Json:
        body = {
            "requests": [
                {
                    "image": {"content": content},
                    "features": [{"type": "DOCUMENT_TEXT_DETECTION"}],
                    "imageContext": {"languageHints": ["es", "en"]},
                }
            ]
        }
        url = f"{self.base_url}/v1/images:annotate"
        headers = {"x-goog-api-key": key}
        try:
            answer = self.http.json("POST", url, headers=headers, json=body, timeout_s=max(left_s, 0.1))
        except HttpFault as fault:
            raise _sorted(fault) from fault
        response = _only_response(answer)
        # A failing image is HTTP 200 with an error inside.
        if response.get("error"):
            raise _image_error(response["error"])
        VISION_IMAGES.labels(self.scope.tenant_id).inc()
        return response


class _PassingError(TransientError):
    """A fault worth another try, not before ``retry_after_s`` seconds."""

    def __init__(self, code: str, operator_message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(code, operator_message)
        self.retry_after_s = retry_after_s


def _sorted(fault: HttpFault) -> SmosError:
    if fault.status in (401, 403) or "API_KEY" in fault.body:
        return ConfigError("vision_key_refused", f"Vision refuses the key: {fault}")
    if fault.status == 400:
        return RejectedInputError("image_unreadable", f"Vision refuses the image: {fault}")
    if fault.transient:
        return _PassingError("vision_unavailable", f"Vision: {fault}", fault.retry_after_s or 0.0)
    return PermanentError("vision_failed", f"Vision: {fault}")


def _image_error(error: Any) -> SmosError:
    details = cast("Json", error) if isinstance(error, dict) else {}
    code, message = details.get("code"), str(details.get("message"))[:200]
    if code in _TRANSIENT_CODES:
        return _PassingError("vision_unavailable", f"Vision: {message}")
    if code == _INVALID_ARGUMENT:
        return RejectedInputError("image_unreadable", f"Vision cannot read the image: {message}")
    return PermanentError("vision_failed", f"Vision: code {code}: {message}")


def _only_response(answer: Any) -> Json:
    responses: Any = cast("Json", answer).get("responses") if isinstance(answer, dict) else None
    listed = cast("list[Any]", responses) if isinstance(responses, list) else []
    if len(listed) != 1:
        raise _PassingError("vision_unreadable", "Vision did not answer for the one image")
    only: Any = listed[0]
    return cast("Json", only) if isinstance(only, dict) else {}
