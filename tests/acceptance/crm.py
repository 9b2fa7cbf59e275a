"""An account of the sandbox, an integration in it, and a bridge that knows it: what tests of OAuth need."""

from dataclasses import dataclass
from typing import Any

from yarl import URL

from tests.acceptance.bridge import Bridge, Reply, eventually
from tests.acceptance.sandbox import SandboxAmojo

Wire = dict[str, Any]


def crm_settings(sandbox_url: str) -> dict[str, str]:
    """Settings of a bridge whose accounts are the sandbox's."""
    return {
        "CRM__ADDRESS": f"{sandbox_url}/accounts/{{subdomain}}",
        "CRM__CONSENT": f"{sandbox_url}/oauth",
    }


@dataclass(frozen=True, kw_only=True)
class Crm:
    """An integration, known to both sides."""

    bridge: Bridge
    sandbox: SandboxAmojo
    client_id: str
    secret: str

    @classmethod
    async def made(cls, bridge: Bridge, sandbox: SandboxAmojo, **integration: Any) -> "Crm":
        """A private integration of the account `demo`, unless something else is said."""
        whole = {
            "kind": "private",
            "account": "demo",
            "redirect_uri": f"{bridge.url}/oauth/redirect",
            "disconnect_uri": f"{bridge.url}/oauth/disconnect",
        }
        made = await sandbox.control("POST", "/integrations", whole | integration)
        client_id, secret = made["client_id"], made["client_secret"]
        draft = {"client_id": client_id, "secret": secret, "kind": made["kind"]}
        await bridge.made("/v1/integrations", draft)
        return cls(bridge=bridge, sandbox=sandbox, client_id=client_id, secret=secret)

    async def state(self, **authorization: Any) -> str:
        """The state of an authorization that begins now."""
        made = await self.bridge.made(
            "/v1/authorizations", {"client_id": self.client_id} | authorization
        )
        return state_of(made["url"])

    async def consent(self, state: str | None, **answer: Any) -> str:
        """The address that the browser is sent to, as path and query."""
        body = {"client_id": self.client_id, "state": state} | answer
        decided = await self.sandbox.control("POST", "/consent", body)
        return str(decided["redirect"]).removeprefix(self.bridge.url)

    async def come_back(self, path: str, language: str = "en") -> Reply:
        """What a browser gets."""
        headers = {"Accept-Language": language}
        return await self.bridge.call("GET", path, key=None, headers=headers)

    async def authorize(self, **answer: Any) -> Wire:
        """Let the integration in, as people do; the account."""
        reply = await self.come_back(await self.consent(await self.state(), **answer))
        assert b'data-outcome="connected"' in reply.body, reply
        (account,) = await self.accounts()
        return account

    async def accounts(self) -> list[Wire]:
        items = (await self.bridge.call("GET", "/v1/accounts?limit=200")).json["items"]
        return [each for each in items if each["client_id"] == self.client_id]

    async def account_that(self, **members: Any) -> Wire:
        """The account, once it has these members."""

        async def there() -> Wire | None:
            for account in await self.accounts():
                if all(account[name] == value for name, value in members.items()):
                    return account
            return None

        found: Wire = await eventually(there, f"an account with {members}")
        return found

    async def calls(self) -> dict[str, int]:
        """How often the token endpoint was called."""
        return dict(await self.sandbox.control("GET", "/oauth/calls"))

    async def code(self, **where: Any) -> str:
        """A code, copied from the account's pages."""
        path = f"/integrations/{self.client_id}/codes"
        return str((await self.sandbox.control("POST", path, where))["code"])


def state_of(url: str) -> str:
    """The state in the address of a consent page."""
    return URL(url).query["state"]
