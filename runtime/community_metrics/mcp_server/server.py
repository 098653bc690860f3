"""The tools behind the official SDK of the protocol. Imported only when `community-metrics mcp` runs."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import ValidationError

from community_metrics.config import PROJECT_URL
from community_metrics.mcp_server.messages import arguments_message, message_of, unknown_arguments_message
from community_metrics.mcp_server.tools import Tools

if TYPE_CHECKING:
    from mcp.types import CallToolResult, InputRequiredResult

    from community_metrics.mcp_server.reading import Readings
    from community_metrics.model import Visibility

NAME: Final = "community-metrics"
INSTRUCTIONS: Final = (
    "Downloads and stars of open-source packages, as their registries report them. "
    "Call list_metrics first. Quote the `citation` of each number word for word. "
    "null is not known: never say 0 for it, and never estimate it. "
    "A number whose `complete` is false is no total of its period: say its `completeness`. "
    "Never add, average or scale numbers yourself: series with total = true returns a sum, or the reason "
    "why there is none. before_after says what happened together, not why."
)
_READS: Final = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


class ReadServer(MCPServer[Any]):
    """The tools for one viewer. Every expected error is a message of the product.

    `schemas` are those of the arguments, by the name of the tool.
    """

    def __init__(self, readings: Readings, viewer: Visibility) -> None:
        tools = [_tool(function) for function in Tools(readings, viewer).all]
        self.schemas = {tool.name: tool.parameters for tool in tools}
        super().__init__(
            NAME,
            title="community-metrics",
            instructions=INSTRUCTIONS,
            website_url=PROJECT_URL,
            version=version("community-metrics"),
            tools=tools,
            log_level="WARNING",
            subscriptions=False,  # nothing changes but by a run; there is nothing to listen to
        )

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Return the answer of a tool.

        Raises:
            ToolError: the tool does not exist, or cannot answer; its text is for the assistant.
        """
        schema = self.schemas.get(name)
        if schema is not None and (unknown := sorted(arguments.keys() - schema["properties"].keys())):
            raise ToolError(unknown_arguments_message(unknown, schema))
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError) and schema is not None:
                raise ToolError(arguments_message(cause, schema)) from error
            if message := message_of(cause):
                raise ToolError(message) from error
            raise


def _tool(function: Any) -> Tool:
    """Return the tool that a method is; an argument that it does not have is an error, and not ignored."""
    tool = Tool.from_function(function, annotations=_READS, structured_output=True)
    tool.parameters["additionalProperties"] = False
    return tool


async def answer_on_standard_input(readings: Readings, viewer: Visibility) -> None:
    """Answer one client over standard input and output, until it closes them."""
    try:
        await ReadServer(readings, viewer).run_stdio_async()
    finally:
        await readings.database.close()
