"""Do the keys of Cloud Vision, the tenant's language model and its bot open what they are for? One call each."""

from __future__ import annotations

import base64

from pydantic import BaseModel

from smarteros.agents.botpress.contract import greeting_of, read_answer
from smarteros.agents.botpress.protocol import BotFault, Bots
from smarteros.agents.disclosure import DiscardedError
from smarteros.agents.llm.protocol import LanguageModel, LlmFault, Question
from smarteros.doctor.examination import Group, Observed, Step
from smarteros.documents.vision import VisionOcrEngine
from smarteros.domain.botpress import BOT_KEY_PATH
from smarteros.domain.errors import ConfigError, TransientError
from smarteros.domain.tenants import Tenant
from smarteros.kit.http import HttpClient
from smarteros.secrets.protocol import SecretStore

WITHIN_S = 20.0
# A white PNG of 8 by 8 pixels: one image of the month's free thousand.
BLANK = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR42mP4DwUMlDEA98A/wa9cD80AAAAASUVORK5CYII="
)
_FEWEST_TOKENS = 50


class Ready(BaseModel):
    """What a language model is asked to say."""

    ready: bool


_QUESTION = Question("Answer with JSON: ready is true.", '{"question": "Are you ready?"}', Ready)


class VisionExamination:
    """Looks at the shops that have photos read by Cloud Vision."""

    def __init__(self, http: HttpClient, secrets: SecretStore, vision_url: str) -> None:
        self._http = http
        self._secrets = secrets
        self._vision_url = vision_url

    def group(self) -> Group[Tenant]:
        """Return the step."""
        remedy = "Store a key with the Cloud Vision API enabled as secret ocr/api_key, or set ocr_engine to local."
        return Group(
            "ocr",
            lambda tenant: tenant.ocr_engine != "local",
            (Step("key", self._key, remedy, of_credentials=True),),
        )

    def _key(self, tenant: Tenant) -> Observed:
        VisionOcrEngine(self._http, self._secrets, tenant.scope, self._vision_url, budget_s=WITHIN_S).read(BLANK)
        return Observed("Cloud Vision read a blank picture")


class LlmExamination:
    """Looks at the shops whose brain asks a language model. What a look costs is in nobody's books."""

    def __init__(self, secrets: SecretStore, language_model: LanguageModel) -> None:
        self._secrets = secrets
        self._language_model = language_model

    def group(self) -> Group[Tenant]:
        """Return the step."""
        remedy = "Set the model with `smos brain set`, and its key as secret llm/api_key."
        return Group(
            "llm",
            lambda tenant: tenant.llm is not None,
            (Step("key", self._key, remedy, of_credentials=True),),
        )

    def _key(self, tenant: Tenant) -> Observed:
        assert tenant.llm is not None  # noqa: S101 - the group applies to no other
        settings = tenant.llm.model_copy(update={"max_output_tokens": _FEWEST_TOKENS})
        called = f"{settings.provider} {settings.model}"
        try:
            self._language_model.ask(settings, self._secrets.find(tenant.scope, "llm/api_key"), _QUESTION, WITHIN_S)
        except LlmFault as fault:
            if fault.kind == "malformed":
                return Observed(f"{called} takes the key, but does not answer by a schema", warning=True)
            if fault.kind in ("rejected", "misconfigured"):
                raise ConfigError("llm_refused", f"{called}: {fault}") from fault
            raise TransientError(f"llm_{fault.kind}", f"{called}: {fault}") from fault
        return Observed(f"{called} answers")


class BotpressExamination:
    """Looks at the shops whose brain is a bot of their own: says hello to it as a user of our own making."""

    def __init__(self, secrets: SecretStore, bots: Bots) -> None:
        self._secrets = secrets
        self._bots = bots

    def group(self) -> Group[Tenant]:
        """Return the step."""
        remedy = (
            "Set address and bot with `smos brain botpress` and its key as secret botpress/bot_key; the bot must answer"
            " by the agent contract (docs/botpress.md). Until then the embedded brain answers."
        )
        return Group(
            "botpress",
            lambda tenant: tenant.botpress is not None,
            (Step("answer", self._answer, remedy, of_credentials=True),),
        )

    def _answer(self, tenant: Tenant) -> Observed:
        settings = tenant.botpress
        assert settings is not None  # noqa: S101 - the group applies to no other
        called = f"bot {settings.name}"
        question = greeting_of(tenant.tenant_id)
        try:
            read_answer(self._bots.ask(settings, self._secrets.find(tenant.scope, BOT_KEY_PATH), question, WITHIN_S))
        except DiscardedError:
            return Observed(f"{called} answers, but not by the agent contract", warning=True)
        except BotFault as fault:
            if fault.kind == "malformed":
                return Observed(f"{called} answers, but not by the agent contract ({fault})", warning=True)
            if fault.kind in ("rejected", "misconfigured"):
                raise ConfigError("botpress_refused", f"{called}: {fault}") from fault
            raise TransientError(f"botpress_{fault.kind}", f"{called}: {fault}") from fault
        return Observed(f"{called} answers by the agent contract")
