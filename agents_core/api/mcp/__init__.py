"""Agents and their memory over MCP, for other programs: what is offered, and the endpoint that offers it."""
