"""The published vector, one test for each way to be refused, and no other error for any input."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.errors import TokenFault, TokenRefused
from chatbridge.protocol.crm import disposable_token
from chatbridge.protocol.crm.disposable_token import DisposableToken
from chatbridge.protocol.crm.hosts import AccountHost
from tests.unit.protocol.crm.samples import (
    AUDIENCE,
    BEGINS,
    CLAIMS,
    CLIENT,
    ENDS,
    INTEGRATION,
    SECOND,
    SECRET,
    TOKEN,
    part,
    signed,
)


def verify(*given_: str, now: int = BEGINS + 60, audience: str = AUDIENCE) -> DisposableToken:
    return disposable_token.verify(given_, INTEGRATION, audience=audience, now=now * SECOND)


def fault_of(*given_: str, **how: Any) -> TokenFault:
    with pytest.raises(TokenRefused) as refused:
        verify(*given_, **how)
    return refused.value.fault


def test_the_published_token_proves_what_it_says() -> None:
    assert signed(CLAIMS) == TOKEN
    assert disposable_token.client_of([TOKEN]) == CLIENT
    assert verify(TOKEN) == DisposableToken(
        id="7b1f0a52-61c2-4c55-a0ab-1de5f0c9a1b3",
        client_id=CLIENT,
        host=AccountHost("romashka", "amocrm.ru"),
        account_id=30112233,
        user_id=8101112,
        is_admin=False,
        expires_at=ENDS * SECOND,
    )


def test_who_is_an_administrator_says_so() -> None:
    assert verify(signed(CLAIMS | {"is_admin": True})).is_admin
    assert not verify(signed(CLAIMS | {"is_admin": "true"})).is_admin


@pytest.mark.parametrize(
    ("given_", "fault"),
    [
        ([], TokenFault.MISSING),
        ([""], TokenFault.MISSING),
        ([TOKEN, TOKEN], TokenFault.MISSING),
        (["garbage"], TokenFault.MALFORMED),
        (["a.b.c"], TokenFault.MALFORMED),
        (["é.é.é"], TokenFault.MALFORMED),
        ([TOKEN + "x" * 5000], TokenFault.MALFORMED),
        ([signed(b"[1]")], TokenFault.MALFORMED),
        ([f"{part({'alg': 'none'})}.{part(CLAIMS)}."], TokenFault.ALGORITHM),
        ([signed(CLAIMS, head={"alg": "HS512"})], TokenFault.ALGORITHM),
        ([signed(CLAIMS, head={"alg": "RS256"})], TokenFault.ALGORITHM),
        ([signed(CLAIMS, head={"alg": "hs256"})], TokenFault.ALGORITHM),
        ([signed({"jti": "1"})], TokenFault.CLIENT),
        ([signed(CLAIMS | {"client_uuid": "another"})], TokenFault.CLIENT),
        ([signed(CLAIMS, secret="forged" * 10)], TokenFault.SIGNATURE),
        ([f"{TOKEN[:-4]}AAAA"], TokenFault.SIGNATURE),
        ([signed(CLAIMS | {"aud": "https://other.example.org"})], TokenFault.AUDIENCE),
        ([signed(CLAIMS | {"aud": f"{AUDIENCE}.evil.example"})], TokenFault.AUDIENCE),
        ([signed(CLAIMS | {"aud": None})], TokenFault.AUDIENCE),
        ([signed(CLAIMS | {"aud": {"a": 1}})], TokenFault.AUDIENCE),
        ([signed(CLAIMS | {"exp": None})], TokenFault.CLAIMS),
        ([signed(CLAIMS | {"exp": "tomorrow"})], TokenFault.CLAIMS),
        ([signed(CLAIMS | {"nbf": None})], TokenFault.CLAIMS),
        ([signed(CLAIMS | {"iss": "https://evil.example"})], TokenFault.ISSUER),
        ([signed(CLAIMS | {"iss": "https://romashka.amocrm.ru.evil.example"})], TokenFault.ISSUER),
        ([signed(CLAIMS | {"iss": None})], TokenFault.ISSUER),
        ([signed(CLAIMS | {"subdomain": "another"})], TokenFault.ISSUER),
        ([signed(CLAIMS | {"account_id": "30112233"})], TokenFault.CLAIMS),
        ([signed(CLAIMS | {"user_id": None})], TokenFault.CLAIMS),
        ([signed(CLAIMS | {"jti": ""})], TokenFault.CLAIMS),
    ],
)
def test_each_way_to_be_refused_has_its_name(given_: list[str], fault: TokenFault) -> None:
    assert fault_of(*given_) is fault


def test_the_clocks_may_differ_by_a_minute() -> None:
    assert fault_of(TOKEN, now=BEGINS - 61) is TokenFault.NOT_YET
    assert verify(TOKEN, now=BEGINS - 60)
    assert verify(TOKEN, now=ENDS + 59)
    assert fault_of(TOKEN, now=ENDS + 60) is TokenFault.EXPIRED


def test_the_signature_is_looked_at_before_what_is_said() -> None:
    wrong = signed(CLAIMS | {"aud": "x", "exp": 0, "iss": "x"}, secret="forged" * 10)
    assert fault_of(wrong) is TokenFault.SIGNATURE


@pytest.mark.parametrize("said", [AUDIENCE, f"{AUDIENCE}:8443", [AUDIENCE], ["x", AUDIENCE]])
def test_the_audience_may_leave_out_the_port(said: Any) -> None:
    token = signed(CLAIMS | {"aud": said})
    assert verify(token, audience=f"{AUDIENCE}:8443")
    assert fault_of(token, audience="https://other.example.org:8443") is TokenFault.AUDIENCE


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda data: f"{TOKEN[:40]}{data!r}"))
def test_whatever_comes_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(TokenRefused):
        verify(text)


@given(st.dictionaries(st.sampled_from([*CLAIMS]), st.none() | st.integers() | st.text(max_size=9)))
def test_whatever_is_signed_proves_something_or_is_refused(claims: dict[str, Any]) -> None:
    try:
        verified = verify(signed(CLAIMS | claims, secret=SECRET))
    except TokenRefused:
        return
    assert verified.client_id == CLIENT
