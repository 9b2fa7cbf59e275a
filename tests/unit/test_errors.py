"""The tree in the docstring of `errors` is the documentation: it must list what there is."""

import re

import pytest

from chatbridge import errors
from chatbridge.errors import ChatbridgeError, DeliveryError, RequestRefused

WORDS = {"RETRY", "UNKNOWN", "MISUSE", "REJECT"}


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """Return each class of the tree with its parent and the disposition written behind it."""
    tree: dict[str, tuple[str | None, str | None]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([ │├└─]*)((?:[A-Z][a-z]\w+(?:, )?)+)(?:\s{2,}(\S+).*)?$", line)
        if found is None or not line.startswith("    "):
            continue
        depth = len(found[1])
        above = [(place, name) for place, name in above if place < depth]
        word = found[3] if found[3] in WORDS else None
        for name in found[2].split(", "):
            tree[name] = (above[-1][1] if above else None, word)
        above.append((depth, name))
    return tree


def existing() -> dict[str, type[ChatbridgeError]]:
    found, queue = {}, [ChatbridgeError]
    while queue:
        kind = queue.pop()
        if kind.__module__.startswith(errors.__name__):
            found[kind.__name__] = kind
            queue += kind.__subclasses__()
    return found


KINDS = existing()
LEAVES = {name: kind for name, kind in KINDS.items() if not kind.__subclasses__()}


def test_the_tree_lists_every_class_under_its_parent() -> None:
    parents = {name: kind.__bases__[0].__name__ for name, kind in KINDS.items()}
    parents["ChatbridgeError"] = None  # type: ignore[assignment]
    assert {name: parent for name, (parent, _) in drawn().items()} == parents


def test_the_tree_says_what_each_failure_means_for_the_next_attempt() -> None:
    meant = {
        name: kind.disposition.name
        for name, kind in LEAVES.items()
        if issubclass(kind, DeliveryError) and kind is not errors.Duplicate
    }
    assert {name: word for name, (_, word) in drawn().items() if word} == meant


def test_every_leaf_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in LEAVES.values()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z][a-z_]*[a-z]", code) for code in codes)


@pytest.mark.parametrize(
    "name", [n for n, kind in LEAVES.items() if issubclass(kind, RequestRefused)]
)
def test_every_refusal_has_a_title_a_status_and_a_sentence(name: str) -> None:
    refused = LEAVES[name]()
    assert 400 <= refused.http_status < 600  # type: ignore[attr-defined]
    assert refused.title  # type: ignore[attr-defined]
    assert str(refused) == (LEAVES[name].__doc__ or "").partition("\n")[0]
    assert str(refused).endswith((".", "them"))


def test_a_refusal_keeps_what_it_is_told() -> None:
    refused = errors.FarSideRefused("No.", fields={"/title": "missing"}, far={"status": 400})
    assert (str(refused), refused.fields, refused.far) == (
        "No.",
        {"/title": "missing"},
        {"status": 400},
    )


def test_a_delivery_error_keeps_what_the_far_side_said() -> None:
    error = errors.Throttled("Wait.", status=429, far_code="X", retry_after=30)
    assert (str(error), error.status, error.far_code, error.retry_after) == ("Wait.", 429, "X", 30)
