"""LanguageModel over pydantic-ai: OpenAI and what speaks like it, Anthropic, Google.

Needs the extra ``llm``. One loop in a thread of its own carries all calls, so that a call can be cut off when its time
is over: the connection is closed then, and no thread is left behind.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from smarteros.agents.llm.protocol import Answered, LlmFault, LlmFaultKind, Question
from smarteros.domain.errors import ConfigError
from smarteros.domain.llm import LlmProvider, LlmSettings
from smarteros.kit.addresses import AddressGuard
from smarteros.kit.http import not_admitted, public_trust
from smarteros.tools.deadline import Deadline, DeadlineError, run_within

if TYPE_CHECKING:
    from pydantic_ai.models import Model as AiModel
    from pydantic_ai.usage import RunUsage

ModelFactory = Callable[[LlmSettings, str | None], "AiModel"]
# Open connections of so many tenants are kept; the least recently used one is closed.
_MOST_MODELS = 64
# After its time a call has this long to notice that it was cut off.
_GRACE_S = 0.25
_CONNECTION_S = 30.0
_NO_KEY = "none"
_HEADERS = frozenset(
    {"host", "connection", "content-type", "content-length", "accept", "accept-encoding", "user-agent"}
    | {"authorization", "x-api-key", "anthropic-version", "anthropic-beta", "x-goog-api-key"}
)


class PydanticAiModel:
    """Asks by pydantic-ai: one request, no retries, output by the schema or a fault."""

    def __init__(self, model_of: ModelFactory | None = None) -> None:
        """``model_of`` makes the model of a tenant; tests give scripted ones."""
        self._model_of = model_of or provider_model
        self._models: OrderedDict[str, AiModel] = OrderedDict()
        self._lock = threading.Lock()
        self._building = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def ask(self, settings: LlmSettings, key: str | None, question: Question, timeout_s: float) -> Answered:
        """Ask one question; see ``LanguageModel.ask``. ConfigError ``llm_not_installed`` without the extra."""
        deadline = Deadline.after(timeout_s)
        try:
            # The first one imports the provider's library, which takes seconds; whoever comes later finds it done.
            model = self._known(settings, key) or run_within(deadline, lambda: self._made(settings, key))
            left_s = deadline.remaining_s()
        except DeadlineError as error:
            raise LlmFault("timeout", "the library is being loaded") from error
        asked = asyncio.run_coroutine_threadsafe(_run(model, settings, question, left_s), self._running_loop())
        try:
            return asked.result(left_s + _GRACE_S)
        except (FutureTimeoutError, CancelledError) as error:
            asked.cancel()
            raise LlmFault("timeout", f"no answer within {timeout_s:.2f} s") from error

    def load_soon(self, settings: Iterable[LlmSettings]) -> None:
        """Import the libraries of these tenants' providers in the background, so that no customer waits for it."""
        providers = frozenset(each.provider for each in settings)
        if providers:
            threading.Thread(target=_load, args=(providers,), name="llm-libraries", daemon=True).start()

    def close(self) -> None:
        """Close all connections and end the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
            models, self._models = list(self._models.values()), OrderedDict()
        if loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(_close(models), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(5)
        loop.close()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="llm-calls", daemon=True)
                self._thread.start()
            return self._loop

    def _known(self, settings: LlmSettings, key: str | None) -> AiModel | None:
        """Return the tenant's model with its open connections; another key is another model."""
        name = _name(settings, key)
        with self._lock:
            if name in self._models:
                self._models.move_to_end(name)
            return self._models.get(name)

    def _made(self, settings: LlmSettings, key: str | None) -> AiModel:
        with self._building:
            model = self._known(settings, key) or self._model_of(settings, key)
            dropped: list[AiModel] = []
            with self._lock:
                self._models[_name(settings, key)] = model
                if len(self._models) > _MOST_MODELS:
                    dropped.append(self._models.popitem(last=False)[1])
        if dropped:
            asyncio.run_coroutine_threadsafe(_close(dropped), self._running_loop())
        return model


def _name(settings: LlmSettings, key: str | None) -> str:
    named = f"{settings.provider}\n{settings.base_url}\n{settings.model}\n{key}"
    return hashlib.sha256(named.encode()).hexdigest()


def provider_model(settings: LlmSettings, key: str | None, guard: AddressGuard | None = None) -> AiModel:
    """Make the model of a provider; ``guard`` looks at where its requests lead.

    ConfigError when the extra or the key is missing.

    Nothing is taken from the environment (keys, organisations, proxies): it is the same for all tenants. Redirects are
    not followed, because they would carry the key along.
    """
    if not key and (settings.base_url is None or settings.provider != "openai"):
        raise ConfigError("secret_missing", "The tenant has a language model but no secret 'llm/api_key'.")
    try:
        import httpx2

        limits = httpx2.Limits(max_connections=8, max_keepalive_connections=2)
        # The time of a call is kept by ``_run``; this one only ends what nobody waits for any more.
        client = httpx2.AsyncClient(
            verify=public_trust(),
            timeout=_CONNECTION_S,
            trust_env=False,
            follow_redirects=False,
            limits=limits,
            event_hooks={"request": [_drop_unknown_headers, partial(_guarded, guard)]},
        )
        return _MAKERS[settings.provider](settings, key or _NO_KEY, client)
    except ImportError as error:
        raise ConfigError(
            "llm_not_installed",
            "A tenant has a language model, but the extra is missing: uv sync --extra llm.",
        ) from error


async def _guarded(guard: AddressGuard | None, request: Any) -> None:
    async def look(event: str, info: Any) -> None:
        fault = None if guard is None else not_admitted(guard, request.url.host, event, info)
        if fault is not None:
            await info["return_value"].aclose()
            raise fault

    request.extensions = {**request.extensions, "trace": look}


async def _drop_unknown_headers(request: Any) -> None:
    """Send no header that the libraries add of their own or take from the environment."""
    for name in [name for name in request.headers if name.lower() not in _HEADERS]:
        del request.headers[name]


def _load(providers: Iterable[LlmProvider]) -> None:
    with suppress(ImportError):  # told to whoever asks the model
        for provider in providers:
            importlib.import_module(f"pydantic_ai.models.{provider}")


def _openai(settings: LlmSettings, key: str, client: Any) -> AiModel:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    # Not None here: for None the library looks into the environment.
    sdk = AsyncOpenAI(
        api_key=key,
        base_url=settings.base_url or "https://api.openai.com/v1",
        organization="",
        project="",
        http_client=client,
        max_retries=0,
    )
    sdk.organization = sdk.project = None
    return OpenAIChatModel(settings.model, provider=OpenAIProvider(openai_client=sdk))


def _anthropic(settings: LlmSettings, key: str, client: Any) -> AiModel:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    sdk = AsyncAnthropic(
        api_key=key, base_url=settings.base_url or "https://api.anthropic.com", http_client=client, max_retries=0
    )
    return AnthropicModel(settings.model, provider=AnthropicProvider(anthropic_client=sdk))


def _google(settings: LlmSettings, key: str, client: Any) -> AiModel:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    base_url = settings.base_url or "https://generativelanguage.googleapis.com"
    return GoogleModel(settings.model, provider=GoogleProvider(api_key=key, base_url=base_url, http_client=client))


_MAKERS = {"openai": _openai, "anthropic": _anthropic, "google": _google}


async def _run(model: AiModel, settings: LlmSettings, question: Question, timeout_s: float) -> Answered:
    from pydantic_ai import Agent, NativeOutput, ToolOutput
    from pydantic_ai.usage import RunUsage, UsageLimits

    # The schema as the provider guarantees it, or as the arguments of the only tool there is.
    native = model.profile.get("supports_json_schema_output", False)
    output: Any = NativeOutput(question.output) if native else ToolOutput(question.output, name="answer")
    agent: Any = Agent(model, output_type=output, instructions=question.instructions, retries=0)
    usage = RunUsage()
    try:
        async with asyncio.timeout(timeout_s):
            result = await agent.run(
                question.prompt,
                usage=usage,
                usage_limits=UsageLimits(request_limit=1),
                model_settings={
                    "max_tokens": settings.max_output_tokens,
                    "max_retries": 0,
                    "thinking": False,  # there is no time for it, and nothing to think about
                },
            )
    except Exception as error:
        raise _fault(error, usage) from error
    return Answered(result.output.model_dump(mode="json"), usage.input_tokens, usage.output_tokens)


def _fault(error: Exception, usage: RunUsage) -> LlmFault:
    """Sort whatever the library raises. The detail is the kind of error only: bodies may hold customers' words."""
    return LlmFault(
        _kind_of(error),
        type(error).__name__,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
    )


def _kind_of(error: Exception) -> LlmFaultKind:
    from pydantic_ai import exceptions as ai

    if isinstance(error, ai.ModelHTTPError):
        return _kind_of_status(error.status_code)
    if isinstance(error, (TimeoutError, ai.ModelTimeoutError, ai.ModelRequestTimeout)):
        return "timeout"
    if isinstance(error, ai.ContentFilterError):
        return "refused"
    # Of the other errors of a run: no output, cut off, not the schema, or a second request would be needed.
    malformed = isinstance(error, ai.AgentRunError) and not isinstance(error, ai.ModelAPIError)
    return "malformed" if malformed else "unavailable"


def _kind_of_status(status: int) -> LlmFaultKind:
    if status == 429:
        return "rate_limited"
    return "unavailable" if status >= 500 or status == 408 else "rejected"


async def _close(models: list[AiModel]) -> None:
    for model in models:
        client = getattr(model, "client", None)
        http = getattr(client, "_client", None) or getattr(
            getattr(client, "_api_client", None), "_async_httpx_client", None
        )
        close = getattr(http, "aclose", None)
        if close is not None:
            await close()
