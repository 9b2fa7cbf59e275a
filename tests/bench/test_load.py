"""The load generator and the far side, with real bytes: what one sends, the other must be able to count."""

import hashlib
import hmac
import json
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.load import SIZE, Load, Target, run_load
from bench.processes import Failed
from bench.sink import Sink

pytestmark = pytest.mark.usefixtures("compiler")

SECRET = "a-secret-of-a-channel"


class Listener(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    requests: list[tuple[str, dict[str, str], bytes]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, dict(self.headers), body))
        self.send_response(self.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def listener(*, status: int = 200) -> Iterator[tuple[int, type[Listener]]]:
    """An HTTP server that keeps what it is sent."""
    taking = type("Taking", (Listener,), {"requests": [], "status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), taking) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1], taking
        server.shutdown()
        thread.join()


def target(port: int, *, callback: bool = False) -> Target:
    return Target(port=port, path="/there", headers={}, callback=callback, secret=SECRET)


def test_every_message_has_its_own_id_and_conversations_keep_their_order() -> None:
    with listener() as (port, taken):
        answers = run_load(
            target(port), Load(seconds=30, messages=300, connections=4, conversations=12), run=7
        )
    bodies = [json.loads(body) for _, _, body in taken.requests]
    assert answers.answered == len(bodies) == 300
    assert len({body["id"] for body in bodies}) == 300
    by_conversation = defaultdict(list)
    for body in bodies:
        by_conversation[body["conversation_id"]].append(body["id"])
    assert len(by_conversation) == 12
    assert all(ids == sorted(ids) for ids in by_conversation.values())
    assert {len(body) for _, _, body in taken.requests} == {SIZE}


def test_callbacks_are_signed_as_amocrm_signs_them() -> None:
    with listener() as (port, taken):
        load = Load(seconds=30, messages=20, connections=2, conversations=8)
        run_load(target(port, callback=True), load, run=1)
    for _, headers, body in taken.requests:
        expected = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
        assert headers["X-Signature"] == expected


def test_an_open_loop_keeps_to_its_rate() -> None:
    with listener() as (port, taken):
        load = Load(seconds=0.5, connections=4, conversations=8, rate=100)
        answers = run_load(target(port), load, run=1)
    assert answers.answered == len(taken.requests) <= 50


def test_refusals_fail_the_run_and_are_named() -> None:
    with (
        listener(status=503) as (port, _),
        pytest.raises(Failed, match=r"5 were refused \(first: HTTP 503"),
    ):
        run_load(target(port), Load(seconds=30, messages=5, connections=1), run=1)


# --- the far side ---


def request(*, sequence: int, conversation: int = 3, run: int = 1, headers: str = "") -> bytes:
    body = f'{{"text": "cbm:{run:04}:{conversation:06}:{sequence:09}:{1:018}:"}}'
    head = f"POST /v2/origin/custom/scope HTTP/1.1\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return f"{head}{body}".encode()


def post(
    sink: Sink, *, sequence: int, conversation: int = 3, run: int = 1, headers: str = ""
) -> bytes:
    sent = request(sequence=sequence, conversation=conversation, run=run, headers=headers)
    with socket.create_connection(("127.0.0.1", sink.port), 10) as connection:
        connection.sendall(sent)
        return connection.recv(4096)


def test_the_sink_tells_repeats_gaps_and_inversions_apart() -> None:
    with Sink() as sink:
        sink.begin(1)
        for sequence in (0, 1, 1, 4, 2):
            post(sink, sequence=sequence, headers="X-Signature: a\r\n")
        post(sink, sequence=0, run=2, headers="webhook-signature: a\r\n")
        post(sink, sequence=0, conversation=4)
        arrivals = sink.arrivals()
    assert arrivals.distinct == 5
    assert arrivals.duplicates == 1
    assert arrivals.gaps == 1  # 3 never came
    assert arrivals.inversions == 1  # 2 came behind 4
    assert arrivals.strays == 1
    assert arrivals.unsigned == 1


def test_the_sink_answers_as_amojo_does_and_as_it_is_told() -> None:
    with Sink() as sink:
        sink.begin(1)
        taken = json.loads(post(sink, sequence=0).partition(b"\r\n\r\n")[2])
        assert set(taken["new_message"]) == {"conversation_id", "msgid"}
        sink.answer(503)
        assert post(sink, sequence=1).startswith(b"HTTP/1.1 503 ")
        sink.answer(200)
        sink.block(3)
        assert post(sink, sequence=2).startswith(b"HTTP/1.1 503 ")
        assert post(sink, sequence=0, conversation=4).startswith(b"HTTP/1.1 200 ")
        assert sink.arrivals().refused == 2


def test_the_sink_leaves_a_run_without_an_answer_and_answers_the_others() -> None:
    with Sink() as sink:
        sink.begin(1)
        sink.hang(2)
        with socket.create_connection(("127.0.0.1", sink.port), 10) as connection:
            connection.sendall(request(sequence=0, conversation=7, run=2))
            connection.sendall(request(sequence=0, conversation=8))
            first_answer = connection.recv(4096)
        arrivals = sink.arrivals()
        assert b"00000000-0000-4000-8000-000000000008" in first_answer
        assert b"00000000-0000-4000-8000-000000000007" not in first_answer
        assert (arrivals.distinct, arrivals.strays) == (1, 0)
        sink.hang(-1)
        assert post(sink, sequence=1, run=2).startswith(b"HTTP/1.1 200 ")
