"""The letter that registers a channel, and the check that it is set up right, as people run them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.bridge import Bridge
from tests.acceptance.sandbox import SandboxAmojo
from tests.plain_amojo import Account

ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="14" height="14"><circle r="7"/></svg>'


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"CHATBRIDGE_NETWORK__ALLOW": "127.0.0.1", "PATH": ""}
    return subprocess.run(
        [sys.executable, "-m", "chatbridge", "channel", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.fixture
async def account(bridge: Bridge, sandbox: SandboxAmojo) -> Account:
    return await sandbox.open_account(bridge.hook_url)


def check(bridge: Bridge, sandbox: SandboxAmojo, **changes: str) -> tuple[int, list[str]]:
    options = {"base-url": sandbox.url, "url": bridge.url} | {
        name.replace("_", "-"): value for name, value in changes.items()
    }
    done = run("check", *[f"--{name}={value}" for name, value in options.items()])
    assert done.stderr == ""
    return done.returncode, [line.partition(":")[0] for line in done.stdout.splitlines()]


async def test_a_channel_that_is_right_is_found_right(
    bridge: Bridge, sandbox: SandboxAmojo, account: Account
) -> None:
    found = check(bridge, sandbox, id=account.channel_id, secret=account.secret)
    assert found == (0, ["ok  amoCRM", "ok  clock", "ok  id and secret", "ok  hook address"])


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({"secret": "0" * 40}, "BAD id and secret"),
        ({"id": "5a0db0c4-ffff-4fff-8fff-ffffffffffff"}, "BAD id and secret"),
        ({"base_url": "http://127.0.0.1:9"}, "BAD amoCRM"),
        ({"url": "http://127.0.0.1:9"}, "BAD hook address"),
    ],
)
async def test_what_is_wrong_is_named(
    bridge: Bridge, sandbox: SandboxAmojo, account: Account, changes: dict[str, str], bad: str
) -> None:
    right = {"id": account.channel_id, "secret": account.secret}
    code, found = check(bridge, sandbox, **right | changes)
    assert code == 1
    assert [line for line in found if line.startswith("BAD")] == [bad]


async def test_a_hook_address_of_somebody_else_is_named(
    bridge: Bridge, sandbox: SandboxAmojo, account: Account
) -> None:
    code, found = check(
        bridge, sandbox, id=account.channel_id, secret=account.secret, url=sandbox.url
    )
    assert (code, found[-1]) == (1, "BAD hook address")


def test_the_letter_is_written_or_said_why_not(tmp_path: Path) -> None:
    icon = tmp_path / "icon.svg"
    icon.write_text(ICON)
    right = [
        "--service-name=Shop",
        "--account=11223344",
        "--email=help@example.com",
        f"--icon={icon}",
        "--url=https://bridge.example.com",
    ]
    done = run("request", *right, "--language=en")
    assert (done.returncode, done.stderr) == (0, "")
    assert "https://bridge.example.com/location/:scope_id" in done.stdout
    for wrong, said in (
        ("--email=nobody", "email must be"),
        ("--url=http://bridge.example.com", "hook_url must be"),
        (f"--icon={tmp_path}/none.svg", "cannot be read"),
        ("--language=fr", "--language must be"),
    ):
        refused = run("request", *right, wrong)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert said in refused.stderr
