"""Tells those who care that an account lets us in, or does not any more: once each time."""

from typing import Protocol

import structlog

from chatbridge.model import CrmAccount, SignOut
from chatbridge.observability.metrics import Metrics

log = structlog.get_logger()

ADVICE = {
    SignOut.REVOKED: "An administrator of the account has to sign in again.",
    SignOut.INTERRUPTED: "New tokens were lost before they were stored: an administrator of the account has to sign in again.",
    SignOut.EXPIRED: "Its long-lived token has ended: make another one in amoCRM and give it with POST /v1/accounts.",
    SignOut.GONE: "The account was closed, or amoCRM does not know it any more.",
    SignOut.KEYS: "amoCRM refuses the integration's keys: correct them with PATCH /v1/integrations/{client_id}.",
    SignOut.DISCONNECTED: "The integration was disabled in the account: install it there again.",
}
"""What to do about an account that does not let us in."""


class AccountListener(Protocol):
    """Somebody who wants to know."""

    async def account_authorized(self, account: CrmAccount) -> None:
        """Take note that the account lets us in, for the first time or again."""

    async def account_signed_out(self, account: CrmAccount) -> None:
        """Take note that the account does not let us in any more; `account.why` says why."""


class AccountNews:
    """Passes it on. A listener that fails keeps nothing from the others."""

    def __init__(self, metrics: Metrics) -> None:
        """Count it in `metrics`."""
        self._metrics = metrics
        self._listeners: list[AccountListener] = []

    def tell(self, listener: AccountListener) -> None:
        """Tell somebody, from now on."""
        self._listeners.append(listener)

    async def authorized(self, account: CrmAccount) -> None:
        """Say that an account lets us in."""
        log.info("account_authorized", account=account.id, host=account.host)
        for listener in self._listeners:
            try:
                await listener.account_authorized(account)
            except Exception:
                log.exception("account_listener_fault", account=account.id)

    async def signed_out(self, account: CrmAccount) -> None:
        """Say that an account does not let us in any more, and what ends that."""
        why = account.why or SignOut.REVOKED
        log.warning(
            "account_signed_out",
            account=account.id,
            host=account.host,
            why=why.value,
            advice=ADVICE[why],
        )
        self._metrics.crm_signed_out.labels(why.value).inc()
        for listener in self._listeners:
            try:
                await listener.account_signed_out(account)
            except Exception:
                log.exception("account_listener_fault", account=account.id)
