"""docs/reference/sandbox.md names every call and every switch as they are."""

from pathlib import Path

from chatbridge.sandbox import control, operators
from chatbridge.sandbox.crm import routing
from chatbridge.sandbox.switches import SWITCHES
from tests.sandbox import integrator, messenger

PAGE = (Path(__file__).parents[2] / "docs/reference/sandbox.md").read_text()


def test_every_switch_is_described_as_it_is() -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    described = {row[0].strip("| `"): row for row in rows if len(row) == 4}
    assert described.keys() == {switch.name for switch in SWITCHES}
    for switch in SWITCHES:
        _, default, allowed, meaning = described[switch.name]
        assert default == (f"`{switch.default}`" if switch.default != "" else "empty")
        choices = " · ".join(f"`{choice}`" for choice in switch.choices)
        assert allowed == (choices or switch.allowed)
        assert meaning == f"{switch.meaning} |"


def test_every_call_is_listed() -> None:
    for route in [*control.routes(), *operators.routes(), *routing.routes()]:
        path = route.path.replace(":[0-9]{1,12}", "")
        if path.startswith("/sandbox/"):
            assert f"`{route.method} {path}`" in PAGE, path


def test_the_seeded_ids_are_named() -> None:
    for value in (
        messenger.CHANNEL,
        messenger.SECRET,
        messenger.ACCOUNT,
        messenger.BOT,
        messenger.KATE,
        messenger.OLEG,
        integrator.CLIENT,
        integrator.CLIENT_SECRET,
        integrator.CODE,
    ):
        assert f"`{value}`" in PAGE
