import os
from pathlib import Path

import pytest

from chatbridge import config
from chatbridge.errors import ConfigurationError

STRONG = "q8N2vX5kT1wZ7rY4mB6p"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings of the machine that runs the tests."""

    for name in os.environ:
        if name.upper().startswith(config.PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


# --- where a value comes from -------------------------------------------------------------------


def test_the_packaged_file_holds_every_default() -> None:
    settings = config.load()
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.store.url == "sqlite:///var/chatbridge.db"
    assert settings.network.allow == ()
    assert settings.amojo.base_url == "https://amojo.amocrm.ru"


def test_a_file_wins_over_the_defaults_and_the_environment_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[http]\nhost = '0.0.0.0'\nport = 9000\n[delivery]\nwindow = 100\n")
    monkeypatch.setenv("CHATBRIDGE_HTTP__PORT", "9001")
    settings = config.load(file)
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 9001)
    assert settings.http.body_limit == 1_048_576
    assert settings.delivery.window == 100


@pytest.mark.parametrize(
    ("written", "allow"),
    [
        ("", ()),
        ("10.1.0.0/16", ("10.1.0.0/16",)),
        ("10.1.0.0/16, crm.internal,", ("10.1.0.0/16", "crm.internal")),
        ('["10.1.0.0/16", "crm.internal"]', ("10.1.0.0/16", "crm.internal")),
        ("['::1']", ("::1",)),
        ("[]", ()),
    ],
)
def test_a_list_in_the_environment_may_have_commas_or_be_json(
    written: str, allow: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATBRIDGE_NETWORK__ALLOW", written)
    assert config.load().network.allow == allow


def test_a_list_in_a_file_is_a_list(file: Path) -> None:
    file.write_text("[network]\nallow = ['10.1.0.0/16']\n")
    assert config.load(file).network.allow == ("10.1.0.0/16",)


def test_names_of_the_tests_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_TEST_CHROMIUM", "/usr/bin/chromium")
    config.load()


def test_several_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_SECRET_KEY", f"{STRONG}-new, {STRONG}-old,")
    assert config.load().secret_keys == [f"{STRONG}-new", f"{STRONG}-old"]


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_SECRET_KEY", STRONG)
    monkeypatch.setenv("CHATBRIDGE_ADMIN_TOKEN", STRONG)
    assert STRONG not in repr(config.load())


# --- what is refused ----------------------------------------------------------------------------

REFUSED = {
    # environment -> words of the sentence
    "an unknown name": ({"CHATBRIDGE_HTPT__PORT": "1"}, "CHATBRIDGE_HTPT__PORT is not a setting"),
    "an unknown part": ({"CHATBRIDGE_HTTP__PROT": "1"}, "CHATBRIDGE_HTTP__PROT: is not a setting"),
    "a port that is a word": ({"CHATBRIDGE_HTTP__PORT": "eighty"}, "CHATBRIDGE_HTTP__PORT: "),
    "a port that is too high": ({"CHATBRIDGE_HTTP__PORT": "70000"}, "CHATBRIDGE_HTTP__PORT: "),
    "a window that is too small": ({"CHATBRIDGE_DELIVERY__WINDOW": "99"}, "CHATBRIDGE_DELIVERY__WINDOW: "),
    "a level that is none": ({"CHATBRIDGE_LOG__LEVEL": "loud"}, "CHATBRIDGE_LOG__LEVEL: "),
    "two at once": (
        {"CHATBRIDGE_LOG__LEVEL": "loud", "CHATBRIDGE_HTTP__PORT": "x"}, "CHATBRIDGE_HTTP__PORT: .*; CHATBRIDGE_LOG__LEVEL: ",
    ),
    "a whole part that is no JSON": ({"CHATBRIDGE_HTTP": "garbage"}, '"http".*CHATBRIDGE_HTTP__PORT'),
    "a whole part that is no object": ({"CHATBRIDGE_HTTP": "8080"}, "CHATBRIDGE_HTTP: "),
}  # fmt: skip


@pytest.mark.parametrize(("environment", "words"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_setting_is_named(
    environment: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words):
        config.load()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"[http]\nprot = 1\n", "CHATBRIDGE_HTTP__PROT: is not a setting"),
        (b"colour = 'red'\n", "CHATBRIDGE_COLOUR: is not a setting"),
        (b"[http\n", "is not TOML"),
        (b"\xff", "is not TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_file_is_named(file: Path, written: bytes | None, words: str) -> None:
    if written is not None:
        file.write_bytes(written)
    with pytest.raises(ConfigurationError, match=words):
        config.load(file)


# --- what keeps a server from being started -----------------------------------------------------

GOOD = {
    "CHATBRIDGE_PUBLIC_URL": "https://bridge.example.com",
    "CHATBRIDGE_SECRET_KEY": STRONG,
    "CHATBRIDGE_ADMIN_TOKEN": STRONG,
}


def faults(monkeypatch: pytest.MonkeyPatch, **changes: str) -> list[str]:
    for name, value in (GOOD | changes).items():
        monkeypatch.setenv(name, value)
    return config.problems(config.load())


def test_nothing_is_wrong_with_good_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults(monkeypatch) == []


def test_the_defaults_alone_do_not_start_a_server() -> None:
    wrong = config.problems(config.load())
    assert [fault.partition(" ")[0] for fault in wrong] == list(GOOD)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PUBLIC_URL", "bridge.example.com", "must be the http(s) address"),
        ("PUBLIC_URL", "ftp://bridge.example.com", "must be the http(s) address"),
        ("PUBLIC_URL", "https://", "must be the http(s) address"),
        ("PUBLIC_URL", "https://[bridge", "must be the http(s) address"),
        ("SECRET_KEY", " , ", "is missing."),
        ("SECRET_KEY", "tiny", "is shorter than 12 characters."),
        ("SECRET_KEY", f"{STRONG},tiny", "is shorter than 12 characters."),
        ("SECRET_KEY", "change-me-please", "looks like an example value."),
        ("ADMIN_TOKEN", "", "is missing."),
        ("ADMIN_TOKEN", "tiny", "is shorter than 12 characters."),
        ("ADMIN_TOKEN", "aaaaaaaaaaaaaaaaaaaa", "looks like an example value."),
        ("ADMIN_TOKEN", "My-ChangeMe-Token", "looks like an example value."),
    ],
)
def test_each_problem_has_its_sentence(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fault,) = faults(monkeypatch, **{f"CHATBRIDGE_{name}": value})
    assert fault.startswith(f"CHATBRIDGE_{name} ")
    assert words in fault
    assert name == "PUBLIC_URL" or not value or value not in fault
