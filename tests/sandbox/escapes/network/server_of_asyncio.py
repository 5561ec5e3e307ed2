"""A server of its own, by asyncio."""

import asyncio


def attack(host):
    async def serve():
        server = await asyncio.start_server(print, "127.0.0.1", 0)
        return [s.getsockname() for s in server.sockets] or "held"

    return asyncio.run(serve())
