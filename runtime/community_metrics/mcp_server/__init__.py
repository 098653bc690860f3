"""The MCP server: tools that answer assistants with the numbers of `views`. It reads and never writes."""
