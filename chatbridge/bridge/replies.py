"""What takes callbacks, and what stands against their loss: started and stopped together, in an order that matters."""

import asyncio
from dataclasses import dataclass, field

from chatbridge.bridge.accepting import Acceptor
from chatbridge.bridge.callbacks import Callbacks
from chatbridge.bridge.heartbeat import Heartbeat
from chatbridge.bridge.recovery import Recovery
from chatbridge.bridge.spooling import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """All of it."""

    acceptor: Acceptor
    callbacks: Callbacks
    spool: Spool
    heartbeat: Heartbeat
    recovery: Recovery
    _watching: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Get ready: callbacks that come from now on go behind what is spooled, and behind what was missed."""
        await self.spool.start(self.callbacks.take_spooled)
        await self.heartbeat.start()
        await self.recovery.start()
        self._watching.append(asyncio.create_task(self.acceptor.watch(), name="accept-watch"))

    async def stop(self) -> None:
        """Leave what is not finished to the next start."""
        await self.heartbeat.stop()
        await self.recovery.stop()
        await self.spool.stop()
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
