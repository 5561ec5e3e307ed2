"""Tools of MCP servers: reaching a server, what it offers, and calling what it has. Nothing here imports the SDK before it is needed."""
