"""A process with a few workers that all want the tokens of one account: `python -m tests.acceptance.refreshers ACCOUNT COUNT`.

It says `ready`, waits for a line, and says what each worker got: the start of a token, or an error's code.
"""

import asyncio
import json
import sys

from chatbridge.clock import SystemClock
from chatbridge.config import load
from chatbridge.errors import ChatbridgeError
from chatbridge.observability.logging import configure
from chatbridge.parts.crm import CrmParts, assemble_crm
from chatbridge.parts.ground import lay


async def main(account: str, count: int) -> None:
    settings = load()
    ground = lay(settings, SystemClock(), worker=None)
    await ground.store.start()
    await ground.transport.start()
    # Each has what a process has: a name, and nothing in common with the others but the database.
    workers = [assemble_crm(ground) for _ in range(count)]
    print("ready", flush=True)  # noqa: T201 - it is a command
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(await asyncio.gather(*(ask(worker, account) for worker in workers))))  # noqa: T201
    await ground.transport.close()
    await ground.store.close()


async def ask(worker: CrmParts, account: str) -> str:
    try:
        return (await worker.tokens.access(account)).token
    except ChatbridgeError as error:
        return error.code


if __name__ == "__main__":
    configure(form="json", level="info")
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
