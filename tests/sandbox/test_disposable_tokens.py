"""Disposable tokens and signatures: the vectors of the fact sheet, and what the account hands out."""

from chatbridge.sandbox.crm import tokens
from chatbridge.sandbox.records import Account
from tests.sandbox.integrator import (
    CLIENT,
    CLIENT_SECRET,
    KATE_NUMBER,
    OLEG_NUMBER,
    claims,
    signed_with,
)
from tests.sandbox.messenger import Desk, HookReceiver

SECRET = "k3y-for-docs-only-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
CLIENT_UUID = "5d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1"
ROMASHKA = Account(amojo_id="a", id=30112233, name="Romashka", subdomain="romashka", users=())
TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL3JvbWFzaGthLmFtb2NybS5ydSIsImF1ZCI6Imh0dHBzOi8vYnJpZGdlLmV4"
    "YW1wbGUub3JnIiwianRpIjoiN2IxZjBhNTItNjFjMi00YzU1LWEwYWItMWRlNWYwYzlhMWIzIiwiaWF0IjoxNzYwMDAwMDAwLCJuYmYiOjE3NjAwMDAw"
    "MDAsImV4cCI6MTc2MDAwMTgwMCwiYWNjb3VudF9pZCI6MzAxMTIyMzMsInVzZXJfaWQiOjgxMDExMTIsInN1YmRvbWFpbiI6InJvbWFzaGthIiwiY2xp"
    "ZW50X3V1aWQiOiI1ZDBjMWI3YS05ZjQyLTRmN2UtOGE1NS0yYzkwZjNhYjc3ZTEifQ.5vUbweUHrrETsyNiRKMyx4prgXtZcMDa7bcnNoGzAdY"
)


def test_the_published_token_is_made_byte_for_byte() -> None:
    said = tokens.disposable_claims(
        ROMASHKA,
        8101112,
        CLIENT_UUID,
        audience=tokens.audience("https://bridge.example.org/amo/oauth", with_port=False),
        token_id="7b1f0a52-61c2-4c55-a0ab-1de5f0c9a1b3",
        now=1760000000,
    )
    assert tokens.jwt(said, SECRET) == TOKEN


def test_the_published_signature_of_a_disconnect_hook() -> None:
    assert (
        tokens.disconnect_signature(SECRET, CLIENT_UUID, 30112233)
        == "20bfd1abe86d77e735d34f445fe4bdda71e9d508b1f087180a122d979043fd5d"
    )


def test_an_audience_has_no_port_unless_it_is_asked_for() -> None:
    for url, host, whole in (
        ("http://127.0.0.1:8080/oauth", "http://127.0.0.1", "http://127.0.0.1:8080"),
        (
            "https://bridge.example.org/a?b",
            "https://bridge.example.org",
            "https://bridge.example.org",
        ),
        ("http://[::1]:8080/oauth", "http://[::1]", "http://[::1]:8080"),
    ):
        assert tokens.audience(url, with_port=False) == host
        assert tokens.audience(url, with_port=True) == whole


async def test_the_account_makes_them_for_its_users(desk: Desk, receiver: HookReceiver) -> None:
    async def token(**body: object) -> str:
        path = "/accounts/demo/disposable-tokens"
        answer = await desk.control("POST", path, {"client_id": CLIENT} | body)
        assert answer.status == 200, answer.body
        return str(answer.json["token"])

    first = await token()
    assert signed_with(first, CLIENT_SECRET)
    said = claims(first)
    assert (said["user_id"], said["is_admin"]) == (KATE_NUMBER, True)
    assert (said["iss"], said["aud"]) == ("https://demo.amocrm.ru", receiver.url.rpartition(":")[0])
    assert said["exp"] - said["iat"] == 1800
    await desk.switch(disposable_is_admin="absent", disposable_audience="host_port", crm_clock_s=60)
    second = claims(await token(user_id=OLEG_NUMBER))
    assert (second["user_id"], second["aud"]) == (OLEG_NUMBER, receiver.url)
    assert "is_admin" not in second
    assert second["jti"] != said["jti"]
    assert second["iat"] >= said["iat"] + 60
