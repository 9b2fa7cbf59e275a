"""The command line as a process: exit code 2 and a clear sentence for bad input, signatures by the vectors."""

import hashlib
import hmac
import io
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from standardwebhooks import Webhook
from typer.main import get_command
from typer.testing import CliRunner

from chatbridge.cli import app, main
from chatbridge.store.migrations import HEAD
from tests.acceptance.bridge import ADMIN_TOKEN, SECRET_KEY
from tests.acceptance.conftest import OwnBridge
from tests.plain_amojo import PlainAmojo
from tests.postgres import PostgresServer
from tests.processes import ROOT, run_cli

VECTORS = json.loads((ROOT / "tests/vectors/amojo-signatures.json").read_text())
GOOD = {
    "CHATBRIDGE_PUBLIC_URL": "https://bridge.acme.test",
    "CHATBRIDGE_SECRET_KEY": SECRET_KEY,
    "CHATBRIDGE_ADMIN_TOKEN": ADMIN_TOKEN,
}


Command = Callable[..., CompletedProcess[bytes]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line without the second that a process takes to start."""

    def run(
        *arguments: str, settings: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> CompletedProcess[bytes]:
        for name in [name for name in os.environ if name.startswith("CHATBRIDGE_")]:
            monkeypatch.delenv(name)
        for name, value in (settings or {}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["chatbridge", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return CompletedProcess(
            arguments, code if isinstance(code, int) else 0, said.out.encode(), said.err.encode()
        )

    return run


def refused(*command: str, settings: dict[str, str], folder: Path | None = None) -> str:
    """What a command says when it refuses to begin."""
    done = run_cli(*command, settings=settings, folder=folder)
    assert done.returncode == 2, done
    assert done.stdout == b""
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert said.strip()
    return said


def test_good_settings_are_in_order(tmp_path: Path) -> None:
    done = run_cli("check-config", settings=GOOD, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, b""), done
    assert list(tmp_path.iterdir()) == [], "checking changes nothing"


def test_what_is_missing_is_named_all_at_once() -> None:
    said = refused("check-config", settings={})
    assert [line.split()[0] for line in said.splitlines()] == list(GOOD)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PUBLIC_URL", "bridge.acme.test", "CHATBRIDGE_PUBLIC_URL must be"),
        ("PUBLIC_URL", "ftp://bridge.acme.test", "CHATBRIDGE_PUBLIC_URL must be"),
        ("SECRET_KEY", "changeme-changeme", "CHATBRIDGE_SECRET_KEY looks like an example"),
        ("SECRET_KEY", "short", "CHATBRIDGE_SECRET_KEY is shorter"),
        ("SECRET_KEY", "aaaaaaaaaaaaaaaaaaaa", "CHATBRIDGE_SECRET_KEY looks like an example"),
        ("SECRET_KEY", " , ", "CHATBRIDGE_SECRET_KEY is missing"),
        ("SECRET_KEY", f"{SECRET_KEY},short", "CHATBRIDGE_SECRET_KEY is shorter"),
        ("ADMIN_TOKEN", "an-example-token", "CHATBRIDGE_ADMIN_TOKEN looks like an example"),
        ("HTTP__PORT", "http", "CHATBRIDGE_HTTP__PORT"),
        ("HTTP__PORT", "65536", "CHATBRIDGE_HTTP__PORT"),
        ("HTTP__NONSENSE", "1", "CHATBRIDGE_HTTP__NONSENSE: is not a setting"),
        ("HTPP__PORT", "1", "CHATBRIDGE_HTPP__PORT is not a setting"),
        ("HTTP", "nonsense", "CHATBRIDGE_HTTP"),
        ("STORE__SYNCHRONOUS", "off", "CHATBRIDGE_STORE__SYNCHRONOUS"),
        ("LOG__LEVEL", "loud", "CHATBRIDGE_LOG__LEVEL"),
        ("DELIVERY__WINDOW", "0", "CHATBRIDGE_DELIVERY__WINDOW"),
        ("NETWORK__TOTAL_TIMEOUT", "-1", "CHATBRIDGE_NETWORK__TOTAL_TIMEOUT"),
        ("NETWORK__TOTAL_TIMEOUT", "nan", "CHATBRIDGE_NETWORK__TOTAL_TIMEOUT"),
        ("NETWORK__ALLOW", "10.0.0.0/99", "CHATBRIDGE_NETWORK__ALLOW"),
        ("STORE__URL", "mysql://a@b/c", "CHATBRIDGE_STORE__URL"),
        ("STORE__URL", "nonsense", "CHATBRIDGE_STORE__URL"),
        ("STORE__URL", "postgresql://u:p@h:port/n", "CHATBRIDGE_STORE__URL"),
    ],
)
def test_a_wrong_setting_is_named(command: Command, name: str, value: str, words: str) -> None:
    done = command("check-config", settings=GOOD | {f"CHATBRIDGE_{name}": value})
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in said
    assert len(said.splitlines()) == 1
    for secret in (SECRET_KEY, ADMIN_TOKEN):
        assert secret not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [("NETWORK__ALLOW", "a b"), ("STORE__URL", "mysql://a@b/c"), ("SECRET_KEY", "")],
)
def test_the_server_does_not_begin_with_it(tmp_path: Path, name: str, value: str) -> None:
    said = refused("serve", settings=GOOD | {f"CHATBRIDGE_{name}": value}, folder=tmp_path)
    assert f"CHATBRIDGE_{name}" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http = 1", "CHATBRIDGE_HTTP"),
        ("[htpp]\nport = 1", "CHATBRIDGE_HTPP: is not a setting"),
        ("[http]\nprot = 1", "CHATBRIDGE_HTTP__PROT: is not a setting"),
        ("[http]\nport = 'x'", "CHATBRIDGE_HTTP__PORT"),
        ("not toml", "is not TOML"),
        ("\x00", "is not TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_file_is_named(
    command: Command, tmp_path: Path, text: str | None, words: str
) -> None:
    file = tmp_path / "settings.toml"
    if text is not None:
        file.write_text(text)
    done = command("check-config", "--config", str(file), settings=GOOD)
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in said
    assert len(said.splitlines()) == 1


def test_the_environment_wins_over_the_file(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('public_url = "nonsense"\n[http]\nport = 1\n')
    done = command("check-config", "--config", str(file), settings=GOOD)
    assert done.returncode == 0, done


@contextmanager
def taken_port() -> Iterator[str]:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


@pytest.mark.parametrize(("command", "part"), [("serve", "HTTP"), ("sandbox", "SANDBOX")])
def test_a_taken_port_is_named(tmp_path: Path, command: str, part: str) -> None:
    with taken_port() as port:
        said = refused(command, settings=GOOD | {f"CHATBRIDGE_{part}__PORT": port}, folder=tmp_path)
    sentence = said.splitlines()[-1]
    assert port in sentence
    assert f"CHATBRIDGE_{part}__PORT" in sentence
    assert not [*tmp_path.rglob("*.db")], "nothing is begun beside the server that has the port"


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////proc/nowhere/chatbridge.db", "sqlite:///folder.db"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_cannot_be_had_is_told_in_one_sentence(
    tmp_path: Path, command: str, url: str
) -> None:
    (tmp_path / "folder.db").mkdir()
    said = refused(command, settings=GOOD | {"CHATBRIDGE_STORE__URL": url}, folder=tmp_path)
    assert "the database did not take it" in said
    assert len([line for line in said.splitlines() if not line.startswith("{")]) == 1


def test_a_postgresql_database_that_does_not_exist_is_told_in_one_sentence(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    url = f"{postgres.url}_that_does_not_exist"
    said = refused("migrate", settings=GOOD | {"CHATBRIDGE_STORE__URL": url}, folder=tmp_path)
    assert "does not exist" in said
    assert len(said.splitlines()) == 1


def test_migrate_and_reseal_with_a_new_key(tmp_path: Path) -> None:
    settings = GOOD | {"CHATBRIDGE_STORE__URL": f"sqlite:///{tmp_path}/a/b/chatbridge.db"}
    done = run_cli("migrate", settings=settings)
    assert (done.returncode, done.stdout) == (
        0,
        f"The database is now at schema {HEAD}.\n".encode(),
    )
    done = run_cli("migrate", "--reseal", settings=settings)
    assert done.stdout.decode().splitlines() == [
        f"The database was already at schema {HEAD}.",
        "Sealed the secrets in 0 rows with the newest key.",
    ]


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["serve", "--nonsense"], ["sign"], ["sign", "--secret", "s"], ["verify", "--secret", "s"]],
)  # fmt: skip
def test_a_wrong_command_ends_with_two(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr


def test_every_command_explains_itself() -> None:
    for command in get_command(app).commands:  # type: ignore[attr-defined]  # a group, as it has commands
        shown = CliRunner().invoke(app, [command, "--help"])
        assert (shown.exit_code, "Usage: " in shown.output) == (0, True)


def test_the_version_is_shown(command: Command) -> None:
    done = command("--version")
    assert done.stdout.startswith(b"chatbridge ")


def arguments_of(vector: dict[str, Any]) -> list[str]:
    return [
        *("--secret", vector["secret"], "--method", vector["method"], "--path", vector["path"]),
        *("--date", vector["date"], "--body", "-"),
    ]


REQUESTS = [
    vector
    for vector in VECTORS["requests_current"]
    if vector["id"] in {"B1", "B5", "N3"} and "signature" in vector
]
BODIES = VECTORS["body_only"]


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["id"])
def test_sign_and_verify_agree_with_the_published_vectors(
    command: Command, vector: dict[str, Any]
) -> None:
    body = vector["body"].encode()
    signed = command("sign", *arguments_of(vector), stdin=body)
    assert f"X-Signature: {vector['signature']}" in signed.stdout.decode().splitlines()
    assert f"Content-MD5: {vector['content_md5']}" in signed.stdout.decode().splitlines()
    wanted = ["--signature", vector["signature"]]
    good = command("verify", *arguments_of(vector), *wanted, stdin=body)
    assert (good.returncode, good.stdout) == (0, b"It matches.\n")
    bad = command("verify", *arguments_of(vector), *wanted, stdin=body + b" ")
    assert (bad.returncode, bad.stdout) == (1, b"")
    assert b"It does not match." in bad.stderr


@pytest.mark.parametrize("vector", BODIES, ids=lambda vector: vector["id"])
def test_a_callback_is_verified_by_its_body(command: Command, vector: dict[str, Any]) -> None:
    body, secret = vector["body"].encode(), vector["secret"]
    for sent in (body, body + b"\n"):
        done = command(
            "verify",
            "--secret",
            secret,
            "--signature",
            vector["signature"],
            "--body",
            "-",
            stdin=sent,
        )
        assert (done.returncode, done.stdout) == (0, b"It matches.\n")
    signed = command(
        "sign", "--legacy", "--secret", secret, "--path", "/", "--body", "-", stdin=body
    )
    assert f"X-Signature: {vector['signature']}" in signed.stdout.decode()


@pytest.mark.parametrize(
    ("signatures", "status"), [("{new} {old}", 0), ("{old}", 0), ("{new}", 1), ("", 1)]
)
def test_a_webhook_is_verified_by_any_of_its_signatures(
    command: Command, signatures: str, status: int
) -> None:
    """As Standard Webhooks has them while a secret is being replaced; the one at hand is the old one."""
    body, at = b'{"type": "test"}', datetime.now(UTC)
    secrets = {"old": "whsec_b2xkIG9sZCBvbGQ=", "new": "whsec_bmV3IG5ldyBuZXc="}
    signed = {
        name: Webhook(secret).sign("msg_1", at, body.decode()) for name, secret in secrets.items()
    }
    done = command(
        *("verify", "--secret", secrets["old"], "--id", "msg_1", "--body", "-"),
        *("--timestamp", str(int(at.timestamp())), "--signature", signatures.format(**signed)),
        stdin=body,
    )
    assert done.returncode == status, done


def test_a_secret_that_is_none_of_a_webhook_is_named(command: Command) -> None:
    done = command("verify", "--secret", "whsec_a", "--id", "m", "--signature", "v1,x")
    assert (done.returncode, b"whsec_" in done.stderr) == (2, True)


def test_verify_names_the_mistake(command: Command) -> None:
    vector = REQUESTS[0]
    body = vector["body"].encode()
    only_body = hmac.new(vector["secret"].encode(), body, hashlib.sha1).hexdigest()
    done = command("verify", *arguments_of(vector), "--signature", only_body, stdin=body)
    assert done.returncode == 1
    assert "Found the mistake: only the body was signed" in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--date", "yesterday"], "Date is not an RFC 2822 date"),
        (["--body", "no/such/file"], "no/such/file cannot be read"),
    ],
)
def test_wrong_arguments_of_sign_are_named(
    command: Command, arguments: list[str], words: str
) -> None:
    done = command("sign", "--secret", "s", "--path", "/", *arguments)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1


async def test_a_key_is_rotated_under_a_database_in_use(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge()
    shop, process = await bridge.open_shop(plain), bridge.process
    in_use = run_cli("migrate", "--reseal", settings=process.settings, folder=process.folder)
    assert in_use.returncode == 2
    assert b"in use by another chatbridge process" in in_use.stderr

    assert process.terminate() == 0
    new = "another-key-7HqLw2Xv9"
    both = process.settings | {"CHATBRIDGE_SECRET_KEY": f"{new},{SECRET_KEY}"}
    done = run_cli("migrate", "--reseal", settings=both)
    assert b"Sealed the secrets in 2 rows" in done.stdout
    said = refused("serve", settings=process.settings)
    assert "CHATBRIDGE_SECRET_KEY does not open" in said
    assert "Traceback" not in said
    process.settings["CHATBRIDGE_SECRET_KEY"] = new
    process.start("/readyz")
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
