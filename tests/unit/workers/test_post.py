import pytest

from chatbridge.errors import ConfigurationError
from chatbridge.workers.post import Post


@pytest.mark.parametrize("sockets", [(7,), (7, 8, 9)])
def test_a_post_is_read_as_it_was_written(sockets: tuple[int, ...]) -> None:
    post = Post(number=2, link=11, sockets=sockets)
    assert Post.read(str(post)) == post


@pytest.mark.parametrize("text", ["", "1", "one:2:3", "1:2:"])
def test_what_is_no_post_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--as-worker"):
        Post.read(text)
