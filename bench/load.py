"""Runs the load generator: which request it sends, how fast, and what came of it. See `loadgen.c`."""

import json
import subprocess
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bench import native
from bench.processes import LOAD_CPUS, Failed, pinned

SIZE: Final = 600
"""Bytes of a request body."""

_LATE: Final = 30.0
"""Seconds after which a load generator that does not end is given up."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where messages are posted, and in which of the two shapes."""

    port: int
    path: str
    headers: Mapping[str, str]
    callback: bool = False
    """Whether it takes amoCRM's callbacks; otherwise clients' messages as the messenger API knows them."""
    secret: str | None = None
    """Signs callbacks."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much is sent."""

    seconds: float
    connections: int = 64
    messages: int | None = None
    rate: float | None = None
    """Messages a second, whatever the server does; None: as fast as it answers."""
    conversations: int = 2_000
    """The same in every run, so that all but the first run write to conversations that are known."""
    all_new: bool = False
    """Whether conversations are other ones in every run; with enough of them each message begins one."""
    heavy: int = 0
    """Connections that all write to conversation 0."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the server answered."""

    begun: int
    heavy: int
    """How many of them went to conversation 0 on purpose."""
    answered: int
    refused: int
    broken: int
    unanswered: int
    start_ns: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Return how many messages were taken in a second."""
        return self.answered / self.seconds if self.seconds > 0 else 0.0


def run_load(target: Target, load: Load, *, run: int, cpus: Collection[int] = LOAD_CPUS) -> Answers:
    """Send, and return when the last answer has come.

    Raises:
        Failed: the server refused messages, or broke connections.

    """
    with pinned(cpus):
        done = subprocess.run(
            [native.loadgen(), *_options(target, load)],
            input=_request(target, run, all_new=load.all_new),
            capture_output=True,
            check=False,
            timeout=load.seconds + _LATE,
        )
    if done.returncode:
        raise Failed(f"the load generator: {done.stderr.decode().strip()}")
    members = json.loads(done.stdout)
    first_refusal = members["first_refusal"]
    answers = Answers(**{name: members[name] for name in Answers.__dataclass_fields__})
    if answers.refused or answers.broken or answers.unanswered:
        raise Failed(
            f"of {answers.begun} messages {answers.refused} were refused (first: HTTP {first_refusal}),"
            f" {answers.broken} broke off, {answers.unanswered} were not answered"
        )
    return answers


def _options(target: Target, load: Load) -> list[str]:
    wanted = {
        "port": target.port,
        "secret": target.secret,
        "connections": load.connections,
        "seconds": load.seconds,
        "messages": load.messages,
        "rate": load.rate,
        "conversations": load.conversations,
        "heavy": load.heavy,
    }
    return [
        part
        for name, value in wanted.items()
        if value is not None
        for part in (f"--{name}", str(value))
    ]


def _request(target: Target, run: int, *, all_new: bool) -> bytes:
    """Return the whole request with the marks that the load generator fills in."""
    make = _callback if target.callback else _message
    short = orjson.dumps(make(run, ""))
    body = orjson.dumps(make(run, "." * (SIZE - len(short))))
    if all_new:
        body = body.replace(b'"c-@CONV@"', f'"c-{run:04}-@CONV@"'.encode())
    headers = {
        "Host": f"127.0.0.1:{target.port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **target.headers,
    }
    if target.callback:
        headers["X-Signature"] = "@SIGNATURE@".ljust(40, ".")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode() + body


def _text(run: int, padding: str) -> str:
    return f"cbm:{run:04}:@CONV@:@SEQUENC@:@NANOSECONDS_SENT@:{padding}"


def _message(run: int, padding: str) -> dict[str, Any]:
    """Return a client's message as `POST /v1/messages` takes it."""
    return {
        "id": f"m-{run:04}-@CONV@-@SEQUENC@",
        "conversation_id": "c-@CONV@",
        "sender": {"id": "u-@CONV@", "name": "Anna", "phone": "+79151112233"},
        "message": {"type": "text", "text": _text(run, padding)},
    }


def _callback(run: int, padding: str) -> dict[str, Any]:
    """Return an operator's message as amoCRM's second version of callbacks has it ("Chats webhooks")."""
    now = time.time_ns()
    return {
        "account_id": "52e591f7-c98f-4255-8495-827210138c81",
        "time": now // 1_000_000_000,
        "message": {
            "receiver": {"id": "2ed64e26-70a1-4857-8382-bb066a076219", "client_id": "u-@CONV@"},
            "sender": {"id": "76fc2bea-902f-425c-9a3d-dcdac4766090"},
            "conversation": {"id": "k-@CONV@", "client_id": "c-@CONV@"},
            "timestamp": now // 1_000_000_000,
            "msec_timestamp": now // 1_000_000,
            "message": {
                "id": f"o-{run:04}-@CONV@-@SEQUENC@",
                "type": "text",
                "text": _text(run, padding),
            },
        },
    }
