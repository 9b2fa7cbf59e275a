import pytest

from chatbridge.connectors.website.sites import Sites, canonical


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.EXAMPLE/", "https://shop.example"),
        (" https://shop.example ", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://192.0.2.7", "http://192.0.2.7"),
        ("https://пример.рф", "https://xn--e1afmkfd.xn--p1ai"),
        ("https://*.shop.example:8443", "https://*.shop.example:8443"),
        ("https://*.Пример.рф", "https://*.xn--e1afmkfd.xn--p1ai"),
        ("*", "*"),
    ],
)
def test_sites_are_kept_as_browsers_write_them(written: str, origin: str) -> None:
    assert canonical(written) == origin
    assert canonical(origin) == origin


@pytest.mark.parametrize(
    "written",
    [
        "",
        "null",
        "shop.example",
        "//shop.example",
        "ftp://shop.example",
        "javascript://shop.example",
        "https://",
        "https://:443",
        "https://shop.example/boots",
        "https://shop.example?",
        "https://shop.example?a=b",
        "https://shop.example#a",
        "https://anna@shop.example",
        "https://anna:secret@shop.example",
        "https://shop.example:99999",
        "https://shop.example:port",
        "https://sh op.example",
        "https://shop.example, https://other.example",
        "https://*",
        "https://*.com",
        "https://*.*.shop.example",
        "https://shop.*.example",
        "https://*shop.example",
        "*.shop.example",
        "**",
    ],
)
def test_what_is_no_site_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no site"):
        canonical(written)


@pytest.mark.parametrize(
    ("site", "origin", "allowed"),
    [
        ("https://shop.example", "https://shop.example", True),
        ("https://shop.example", "http://shop.example", False),
        ("https://shop.example", "https://shop.example:8443", False),
        ("https://shop.example", "https://shop.example:443", False),  # no browser says so
        ("https://shop.example", "https://www.shop.example", False),
        ("https://shop.example", "https://shop.example.evil.example", False),
        ("https://shop.example", "https://evil.example/https://shop.example", False),
        ("https://shop.example", "https://shop.example@evil.example", False),
        ("https://shop.example", "https://evil.example#https://shop.example", False),
        ("https://shop.example", "https://shop.example/", False),
        ("https://shop.example", "https://shop.example.", False),
        ("https://shop.example", "https://SHOP.example", False),  # browsers write small letters
        ("https://shop.example", "https://shop.example\n", False),
        ("https://shop.example", " https://shop.example", False),
        ("https://shop.example", "null", False),
        ("https://shop.example", "", False),
        ("https://shop.example", None, False),
        ("https://shop.example", "*", False),
        ("https://*.shop.example", "https://www.shop.example", True),
        ("https://*.shop.example", "https://a.b.shop.example", True),
        ("https://*.shop.example", "https://shop.example", False),
        ("https://*.shop.example", "https://.shop.example", False),
        ("https://*.shop.example", "https://evilshop.example", False),
        ("https://*.shop.example", "https://evil.example:1.shop.example", False),
        ("https://*.shop.example", "https://evil.example/.shop.example", False),
        ("https://*.shop.example", "https://evil.example?.shop.example", False),
        ("https://*.shop.example", "https://evil@www.shop.example", False),
        ("https://*.shop.example", "http://www.shop.example", False),
        ("https://*.shop.example", "https://www.shop.example:8443", False),
        ("https://*.shop.example:8443", "https://www.shop.example:8443", True),
        ("https://пример.рф", "https://xn--e1afmkfd.xn--p1ai", True),
        ("https://пример.рф", "https://пример.рф", False),
        ("*", "https://anything.example", True),
        ("*", "http://127.0.0.1:8000", True),
        ("*", "null", False),
        ("*", "file://", False),
        ("*", "chrome-extension://abcdef", False),
        ("*", None, False),
    ],
)
def test_who_may_call(site: str, origin: str | None, allowed: bool) -> None:  # noqa: FBT001
    assert Sites([site]).allow(origin) is allowed


def test_one_of_several_sites_is_enough() -> None:
    sites = Sites(["https://shop.example", "https://*.market.example"])
    assert sites.allow("https://shop.example")
    assert sites.allow("https://boots.market.example")
    assert not sites.allow("https://other.example")
