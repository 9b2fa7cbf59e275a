"""Connections are accepted a few at a time, whoever shares the sockets."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from chatbridge.web.door import Door
from chatbridge.web.sockets import open_sockets

SECONDS = 10


class Room:
    """Who came in through a door."""

    def __init__(self) -> None:
        self.guests: list[asyncio.Transport] = []
        self.changed = asyncio.Event()

    def guest(self) -> asyncio.Protocol:
        room = self

        class Guest(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                room.guests.append(transport)
                room.changed.set()

        return Guest()


async def until(rooms: list[Room], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            for room in rooms:
                room.changed.clear()
            await asyncio.wait(
                [asyncio.create_task(room.changed.wait()) for room in rooms],
                return_when=asyncio.FIRST_COMPLETED,
            )


@asynccontextmanager
async def callers(port: int, count: int) -> AsyncIterator[None]:
    """Callers who wait at the door."""
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    try:
        yield
    finally:
        for one in opened:
            one.close()


async def test_those_who_share_a_socket_have_equal_shares_of_a_crowd() -> None:
    sockets = open_sockets("127.0.0.1", 0)
    rooms = [Room(), Room()]
    shares = [sockets, [one.dup() for one in sockets]]
    doors = [Door(share, room.guest, at_once=1) for share, room in zip(shares, rooms, strict=True)]
    async with callers(sockets[0].getsockname()[1], 40):
        for door in doors:
            door.open()
        await until(rooms, lambda: sum(len(room.guests) for room in rooms) == 40)
        for door in doors:
            await door.close()
        assert [len(room.guests) for room in rooms] == [20, 20]
        for guest in (guest for room in rooms for guest in room.guests):
            stream = guest.get_extra_info("socket")
            assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            guest.abort()


class Exhausted(socket.socket):
    """The system has no file left for the first caller."""

    asked = 0

    def accept(self) -> tuple[socket.socket, object]:
        self.asked += 1
        if self.asked == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def test_where_the_system_has_nothing_left_callers_wait() -> None:
    (opened,) = open_sockets("127.0.0.1", 0)
    room, full = Room(), Exhausted(fileno=opened.detach())
    door = Door([full], room.guest, at_once=8, pause=0)
    async with callers(full.getsockname()[1], 1):
        with structlog.testing.capture_logs() as logged:
            door.open()
            await until([room], lambda: len(room.guests) == 1)
        await door.close()
        assert [(line["event"], line["reason"]) for line in logged] == [
            ("cannot_accept", "Too many open files")
        ]
        room.guests[0].abort()


async def test_who_was_accepted_when_the_door_closes_is_inside() -> None:
    sockets, room = open_sockets("127.0.0.1", 0), Room()
    port = sockets[0].getsockname()[1]
    async with callers(port, 3):
        door = Door(sockets, room.guest, at_once=8)
        door.open()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await door.close()
        assert len(room.guests) == 3
        for guest in room.guests:
            guest.abort()
