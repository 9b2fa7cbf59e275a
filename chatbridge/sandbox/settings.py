"""What one sandbox is started with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Addresses of one sandbox.

    `hook_url` is where the seeded channel sends its hooks; `:scope_id` in it is replaced by the
    connection's scope id. `frame_ancestors` are the origins whose pages may embed the inbox, `media_sources`
    (of a Content-Security-Policy) those from which it shows clients' files: any, unless more is known.
    """

    host: str = "127.0.0.1"
    port: int = 8090
    public_url: str = "http://127.0.0.1:8090"
    hook_url: str = "http://127.0.0.1:8080/location/:scope_id"
    frame_ancestors: tuple[str, ...] = ()
    media_sources: tuple[str, ...] = ("http:", "https:")

    @property
    def bridge_url(self) -> str:
        """Where the bridge that the seeded hooks go to listens."""
        return self.hook_url.partition("/location/")[0]
