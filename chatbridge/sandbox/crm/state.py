"""What the account side knows, in memory: who may do what, and what is installed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from chatbridge.sandbox.crm import tokens
from chatbridge.sandbox.crm.records import Grant, Installation, Integration, Source, Ticket
from chatbridge.sandbox.records import Account, Json
from chatbridge.sandbox.settings import SandboxSettings
from chatbridge.sandbox.state import State
from chatbridge.sandbox.switches import Switches

PIPELINES = {701: "Sales", 702: "Wholesale"}  # of every account, the first is the main one


def seeded_integration(settings: SandboxSettings, owner: str, channel_id: str) -> Integration:
    """Return the integration every sandbox starts with: a private one of the seeded account."""
    return Integration(
        client_id="5a0db0c4-0000-4000-8000-0000000000c1",
        client_secret="5a0db0c4000040008000000000000000000000000000000000000000000000c1",  # noqa: S106 - public, as documented
        name="chatbridge",
        kind="private",
        redirect_uri=f"{settings.bridge_url}/oauth/redirect",
        disconnect_uri=f"{settings.bridge_url}/oauth/disconnect",
        owner=owner,
        channel_id=channel_id,
        code="sandbox_widget",
    )


class Crm:
    """Integrations, grants, tokens, installations and sources of all accounts."""

    def __init__(
        self,
        settings: SandboxSettings,
        state: State,
        switches: Switches,
        *,
        now: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._settings, self._state, self._switches = settings, state, switches
        self._now, self.new_id = now, new_id
        self.reset()

    def reset(self) -> None:
        """Forget everything but the seed."""
        [owner], [channel_id] = self._state.accounts, self._state.channels
        seed = seeded_integration(self._settings, owner, channel_id)
        self.integrations: dict[str, Integration] = {seed.client_id: seed}
        self.codes: dict[str, Ticket] = {}
        self.access: dict[str, Ticket] = {}
        self.refresh: dict[str, Ticket] = {}
        self.installations: dict[tuple[str, str], Installation] = {}
        self.sources: dict[int, Source] = {}
        self.token_calls: Counter[str] = Counter()
        self._last_number = 8000

    def now(self) -> float:
        """Return the accounts' time, in seconds since the epoch."""
        return self._now() + self._switches.number("crm_clock_s")

    def next_number(self) -> int:
        """Return an id for an installation or a source."""
        self._last_number += 1
        return self._last_number

    def account(self, grant: Grant) -> Account:
        """Return the account of a grant as it is now."""
        return self._state.accounts[grant.amojo_id]

    def find_widget(self, code: str) -> Integration | None:
        """Find an integration by the code of its widget."""
        return next((one for one in self.integrations.values() if one.code == code), None)

    def usable(self, account: Account) -> list[Integration]:
        """Integrations that an account can see: its own private ones, and all others."""
        return [one for one in self.integrations.values() if one.owner in {None, account.amojo_id}]

    def installation(self, account: Account, integration: Integration) -> Installation | None:
        """Return what is installed, or was."""
        return self.installations.get((account.amojo_id, integration.client_id))

    def own_sources(self, account: Account, client_id: str) -> list[Source]:
        """Sources of an integration in an account, oldest first."""
        owner = (account.amojo_id, client_id)
        return [one for one in self.sources.values() if (one.amojo_id, one.client_id) == owner]

    def add_source(
        self, account: Account, integration: Integration, pipeline_id: int
    ) -> Source | None:
        """Make the source that amoCRM makes by itself, unless the integration makes its own.

        Its `external_id` is the widget's code (page "sources-api"). One that is there already stays.
        """
        known = self.own_sources(account, integration.client_id)
        if integration.multiple_sources or not integration.is_lead_source or known:
            return None
        channel = self._state.channels.get(integration.channel_id or "")
        source = Source(
            number=self.next_number(),
            amojo_id=account.amojo_id,
            client_id=integration.client_id,
            name=integration.name,
            external_id=integration.code[:36],
            pipeline_id=pipeline_id,
            is_default=False,
            origin_code=channel.code if channel is not None else None,
        )
        self.sources[source.number] = source
        return source

    def new_code(self, grant: Grant) -> str:
        """Make an authorization code."""
        code = self._opaque()
        self.codes[code] = Ticket(grant=grant, expires_at=self.now() + tokens.CODE_S)
        return code

    def new_pair(self, grant: Grant, parent: str = "") -> Json:
        """Make an access and a refresh token, as the token endpoint answers them."""
        now = self.now()
        refresh = self._opaque()
        self.refresh[refresh] = Ticket(
            grant=grant, expires_at=now + tokens.REFRESH_S, parent=parent
        )
        return {
            "token_type": "Bearer",
            "expires_in": tokens.ACCESS_S,
            "server_time": int(now),
            "access_token": self.new_access(grant, tokens.ACCESS_S),
            "refresh_token": refresh,
        }

    def new_access(self, grant: Grant, lifetime_s: int) -> str:
        """Make an access token: of a pair, or a long-lived one."""
        issued_at = int(self.now())
        claims = tokens.access_claims(
            self.account(grant),
            grant.user_id,
            grant.client_id,
            scopes=self.integrations[grant.client_id].scopes,
            token_id=self.new_id(),
            issued_at=issued_at,
            expires_at=issued_at + lifetime_s,
        )
        token = tokens.jwt(claims, self.new_id())
        self.access[token] = Ticket(grant=grant, expires_at=issued_at + lifetime_s)
        return token

    def valid(self, tickets: dict[str, Ticket], text: str) -> Ticket | None:
        """Find a token that works now."""
        ticket = tickets.get(text)
        dead = ticket is None or ticket.void or ticket.expires_at <= self.now()
        return None if dead else ticket

    def revoke(self, amojo_id: str, client_id: str) -> None:
        """Void everything that an account has granted to an integration."""
        for tickets in (self.codes, self.access, self.refresh):
            for text, ticket in tickets.items():
                if (ticket.grant.amojo_id, ticket.grant.client_id) == (amojo_id, client_id):
                    tickets[text] = replace(ticket, void=True)

    def _opaque(self) -> str:
        return "def50200" + "".join(self.new_id().replace("-", "") for _ in range(8))
