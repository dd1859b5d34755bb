"""The event loop that all invocations of a process share."""

import asyncio
import threading

from agentos_lambda.aws.loop import process_loop


def test_tools_that_block_leave_threads_to_everything_else():
    everybody = threading.Barrier(41, timeout=10)

    async def block_in_many_threads():
        await asyncio.gather(*(asyncio.to_thread(everybody.wait) for _ in range(41)))

    process_loop().run_until_complete(block_in_many_threads())
    assert process_loop() is process_loop()
