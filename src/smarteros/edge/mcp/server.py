"""The protocol's side of ``/mcp``: tools, resources and prompts of the caller's tenant, by the official SDK.

Importing this module costs half a second of CPU, so only the first request does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import structlog
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

import smarteros
from smarteros.contracts.loader import ContractSet
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tools import ToolCall, ToolResult
from smarteros.edge.errors import RefusedRequestError
from smarteros.edge.mcp.call import McpCall
from smarteros.edge.mcp.library import CONTRACTS, KNOWLEDGE, Library
from smarteros.edge.mcp.prompts import MOST_MESSAGE_CHARS, prompt_of
from smarteros.edge.tokens import READ
from smarteros.edge.tool_access import ToolAccess
from smarteros.edge.tool_texts import failure_of, in_words
from smarteros.tools.protocol import ToolSpec

# Of their own, so that shops that do not answer never hold the threads that /health and the other routes need.
CALLS_AT_A_TIME = 16
PAGE_SIZE = 200
_MARKDOWN = "text/markdown"
_SAME_FOR_ALL = CacheHint(ttl_ms=300_000, scope="public")
_OWN = CacheHint(ttl_ms=60_000, scope="private")
_INSTRUCTIONS = (
    "Tools look facts up in one shop: its catalogue, its invoices. Resources are the shop's own texts and the "
    "contracts of its bot; prompts are the flows of those contracts. Name the conversation you work for in the header "
    "X-SMOS-Conversation-ID: personal details are given only for its customer."
)

ResultT = TypeVar("ResultT")
_Context = ServerRequestContext[Any, Request]
_log = structlog.get_logger()


def mcp_server(access: ToolAccess, library: Library, contracts: ContractSet) -> Server:
    """Build the server; whose data a request sees is in its McpCall."""
    # The SDK logs strangers' headers and bodies as plain lines; what went wrong in our part we log ourselves.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    handlers = _Handlers(access, library, contracts)
    return Server(
        "smarteros",
        version=smarteros.__version__,
        title="SmarterOS",
        instructions=_INSTRUCTIONS,
        cache_hints={
            "tools/list": _SAME_FOR_ALL,
            "prompts/list": _SAME_FOR_ALL,
            "resources/templates/list": _SAME_FOR_ALL,
            "resources/list": _OWN,
            "resources/read": _OWN,
        },
        get_tool_input_schema=handlers.input_schemas.get,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )


class _Handlers:
    """One method per method of the protocol."""

    def __init__(self, access: ToolAccess, library: Library, contracts: ContractSet) -> None:
        self._access = access
        self._library = library
        self._contracts = contracts
        self._specs = {spec.name: spec for spec in access.specs}
        self._tools = [_tool(spec) for spec in access.specs]
        self._places = CapacityLimiter(CALLS_AT_A_TIME)
        self.input_schemas = {tool.name: tool.input_schema for tool in self._tools}

    async def list_tools(self, context: _Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        """List all tools, also those the caller's scopes do not reach: asking for one names the scope."""
        del context, params
        return ListToolsResult(tools=self._tools)

    async def call_tool(self, context: _Context, params: CallToolRequestParams) -> CallToolResult:
        """Call a tool. What goes wrong behind it is a result with ``isError``, so that a model can read it."""
        call = _call_of(context)
        spec = self._specs.get(params.name)
        if spec is None:
            raise MCPError(INVALID_PARAMS, "There is no such tool.")
        asked = ToolCall(tool=spec.name, params=params.arguments or {})
        result = await self._in_thread(call, lambda: self._access.call(call.caller, asked, call.conversation_id))
        return _failed(result, spec, asked) if result.data is None else _found(result, spec)

    async def list_resources(self, context: _Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        """List the shop's texts and the contracts."""
        call = _reading(context)
        texts = await self._in_thread(call, lambda: self._library.texts(call.caller.tenant))
        start = _offset(params)
        resources = [
            Resource(uri=text.uri, name=text.name, title=text.title, description=text.description, mime_type=_MARKDOWN)
            for text in texts[start : start + PAGE_SIZE]
        ]
        following = start + PAGE_SIZE
        return ListResourcesResult(resources=resources, next_cursor=str(following) if following < len(texts) else None)

    async def list_templates(
        self, context: _Context, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """Tell how the addresses are formed."""
        del context, params
        templates = ((KNOWLEDGE, "knowledge", "Texts of the shop"), (CONTRACTS, "contracts", "Contracts of the bot"))
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(uri_template=f"{prefix}{{name}}", name=name, title=title, mime_type=_MARKDOWN)
                for prefix, name, title in templates
            ]
        )

    async def read_resource(self, context: _Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        """Read one text of the tenant."""
        call = _reading(context)
        text = await self._in_thread(call, lambda: self._library.read(call.caller.tenant, params.uri))
        if text is None:
            raise MCPError(INVALID_PARAMS, "Resource not found", data={"uri": params.uri})
        return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, mime_type=_MARKDOWN, text=text)])

    async def list_prompts(self, context: _Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
        """List one prompt per flow."""
        del context, params
        arguments = [
            PromptArgument(
                name="message", description=f"What the customer wrote, at most {MOST_MESSAGE_CHARS}", required=True
            ),
            PromptArgument(name="language", description="es (default) or en", required=False),
        ]
        return ListPromptsResult(
            prompts=[
                Prompt(
                    name=contract.flow_id,
                    title=f"Answer a customer: {contract.flow_id}",
                    description=contract.description.en,
                    arguments=arguments,
                )
                for contract in self._contracts.by_id.values()
            ]
        )

    async def get_prompt(self, context: _Context, params: GetPromptRequestParams) -> GetPromptResult:
        """Write the prompt of a flow for one message."""
        call = _reading(context)
        contract = self._contracts.by_id.get(params.name)
        if contract is None:
            raise MCPError(INVALID_PARAMS, "There is no such prompt.")
        arguments = params.arguments or {}
        language = "en" if arguments.get("language") == "en" else "es"
        message = arguments.get("message", "")
        text = await self._in_thread(call, lambda: prompt_of(contract, call.caller.tenant, message, language))
        return GetPromptResult(
            description=getattr(contract.description, language),
            messages=[PromptMessage(role="user", content=TextContent(type="text", text=text))],
        )

    async def _in_thread(self, call: McpCall, work: Callable[[], ResultT]) -> ResultT:
        """Do blocking work on a thread (ADR 0005); its errors become the protocol's, without details of ours."""
        try:
            return await run_sync(work, limiter=self._places)
        except RefusedRequestError as error:
            _refuse(call, error)
        except RejectedInputError as error:
            raise MCPError(INVALID_PARAMS, error.public_message) from error
        except Exception as error:
            _log.error("mcp_request_failed", tenant=call.caller.tenant.tenant_id, exc_info=error)
            raise MCPError(INTERNAL_ERROR, "Something went wrong on our side.") from error


def _call_of(context: _Context) -> McpCall:
    return McpCall.of(context.request)


def _reading(context: _Context) -> McpCall:
    """Return the call, refused when the caller may not read."""
    call = _call_of(context)
    try:
        call.caller.require(READ)
    except RefusedRequestError as error:
        _refuse(call, error)
    return call


def _refuse(call: McpCall, error: RefusedRequestError) -> NoReturn:
    call.refusal = error
    raise MCPError(INVALID_REQUEST, error.public_message) from error


def _offset(params: PaginatedRequestParams | None) -> int:
    cursor = params.cursor if params else None
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9:
        raise MCPError(INVALID_PARAMS, "The cursor is not one of ours.")
    return int(cursor)


def _tool(spec: ToolSpec) -> Tool:
    return Tool(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        input_schema=spec.input_model.model_json_schema(),
        output_schema=spec.output_model.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(
            title=spec.title,
            read_only_hint=spec.read_only,
            destructive_hint=spec.destructive,
            idempotent_hint=spec.read_only or spec.idempotent,
            # One shop's own systems, not the world at large.
            open_world_hint=False,
        ),
    )


def _found(result: ToolResult, spec: ToolSpec) -> CallToolResult:
    text = in_words(result, spec.output_model)
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=result.data)


def _failed(result: ToolResult, spec: ToolSpec, asked: ToolCall) -> CallToolResult:
    """Say what happened and what to do. Not as structured content: that must fit the tool's output schema."""
    failure = failure_of(result)
    if result.error_code == "invalid_params":
        failure = failure.model_copy(update={"hint": f"{failure.hint} {_wrong(spec.input_model, asked)}".strip()})
    return CallToolResult(
        content=[TextContent(type="text", text=f"{failure.sentences} ({failure.code})")],
        is_error=True,
        _meta={"smarteros/error": failure.model_dump()},
    )


def _wrong(model: type[BaseModel], asked: ToolCall) -> str:
    try:
        model.model_validate(asked.params)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"({'.'.join(str(part) for part in first['loc'])}: {first['msg']})"
    return ""
