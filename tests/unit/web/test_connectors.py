"""Settings of messengers: what is secret, what is shown, what stays."""

from typing import Any

import pytest
from pydantic import Field, SecretStr

from chatbridge.connectors.base import Connector, Delivery, MessengerSettings, Taken
from chatbridge.errors import InvalidFields
from chatbridge.web.connectors import read_settings, shown_settings
from tests.factories import make_messenger
from tests.hosts import make_host


class PigeonSettings(MessengerSettings):
    token: SecretStr
    spare: SecretStr | None = None
    speed: int = Field(default=5, ge=1)


class Pigeons(Connector):
    kind = "pigeon"
    settings = PigeonSettings

    async def send(self, delivery: Delivery) -> Taken:
        raise NotImplementedError


@pytest.fixture
def pigeons() -> Pigeons:
    return Pigeons(make_host())


def test_secrets_are_kept_apart(pigeons: Pigeons) -> None:
    read = read_settings(pigeons, {"token": "t-1", "speed": 7}, {})
    assert read == ({"speed": 7}, {"token": "t-1"})
    messenger = make_messenger(kind="pigeon", settings=read.settings, secrets=read.secrets)
    assert shown_settings(messenger) == {"speed": 7, "token": "**********"}
    assert "t-1" not in repr(messenger)


@pytest.mark.parametrize(
    ("given", "secrets"),
    [
        ({}, {"token": "t-1"}),
        ({"token": "**********"}, {"token": "t-1"}),
        ({"token": "t-2"}, {"token": "t-2"}),
        ({"spare": "s"}, {"token": "t-1", "spare": "s"}),
    ],
)
def test_a_secret_stays_where_none_is_given(
    pigeons: Pigeons, given: dict[str, Any], secrets: dict[str, str]
) -> None:
    assert read_settings(pigeons, given, {"token": "t-1"}).secrets == secrets


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({}, "/settings/token"),
        ({"token": "**********"}, "/settings/token"),
        ({"token": 5}, "/settings/token"),
        ({"token": "t", "speed": 0}, "/settings/speed"),
        ({"token": "t", "sped": 1}, "/settings/sped"),
    ],
)
def test_wrong_settings_are_named(pigeons: Pigeons, given: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        read_settings(pigeons, given, {})
    assert list(caught.value.fields) == [pointer]
    assert "t" not in caught.value.fields[pointer].split()
