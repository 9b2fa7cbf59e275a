"""What to do about a webhook that cannot be reached. Pure."""

from typing import Final

from chatbridge.errors import DeliveryError, Trouble

_TROUBLES: Final = {
    Trouble.FORBIDDEN: "Give a public address, or have the operator of this server allow it in"
    " CHATBRIDGE_NETWORK__ALLOW.",
    Trouble.ADDRESS: "Correct webhook_url with PATCH /v1/messengers/{id}.",
    Trouble.DNS: "Check the host in webhook_url, and that its name is in the public DNS.",
    Trouble.REFUSED: "Start the backend, and check the port in webhook_url and the firewall.",
    Trouble.UNREACHABLE: "Check the host and the port in webhook_url, and the firewall.",
    Trouble.TLS: "Install a certificate of a known authority for this host, with its whole chain. If it is your own authority,"
    " the operator of this server names it in SSL_CERT_FILE.",
    Trouble.PROXY: "Have the operator of this server check network.proxy, and what the proxy lets through.",
    Trouble.TIMEOUT: "Answer first and work afterwards: take the event, put it aside, answer 2xx.",
    Trouble.BROKEN: "Look into the backend's log: it broke off while it handled the event.",
}

_STATUSES: Final = {
    400: "The backend did not understand the event. Let it answer 2xx to types that it does not know, such as `test`.",
    401: "Let the webhook's address through without a login: it is the signature that proves who sends.",
    403: "Let the webhook's address through without a login, and check a firewall in front of the backend.",
    404: "Check the path in webhook_url.",
    405: "Let the webhook's address take POST.",
    410: "The backend says that this webhook is gone. Give a new webhook_url.",
    413: "Let the backend, and what stands in front of it, take bodies of a megabyte.",
    422: "Let the backend answer 2xx to types that it does not know, such as `test`.",
    429: "Let the backend take what this server sends; it asks to wait.",
}
_KINDS: Final = {
    3: "Redirects are not followed. Put the address where it leads into webhook_url.",
    4: "Look into the backend's log for this request.",
    5: "The backend, or what stands in front of it, is broken. Look into its log.",
}


def advice(error: DeliveryError) -> str | None:
    """Return what to do about a failed attempt, None if its own sentence says so."""
    if error.trouble is not None:
        return _TROUBLES[error.trouble]
    if error.status is None:
        return None
    return _STATUSES.get(error.status) or _KINDS.get(error.status // 100)
