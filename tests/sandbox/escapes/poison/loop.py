"""The event loop that is left running."""

import asyncio


async def forever():
    await asyncio.sleep(300)


def attack(host):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.create_task(forever())
    loop.run_until_complete(asyncio.sleep(0))
    return "done"
