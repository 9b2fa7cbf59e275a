"""chatbridge as a contestant: `python -m chatbridge serve` from this checkout, set up through its management API."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any, Final

from bench import native
from bench.load import Target
from bench.processes import Failed, Process, Program, free_port
from bench.running import SCOPE, TENANT, Place, Running, Tenant
from bench.servers import postgres

_DONE: Final = (200, 201)
_SECONDS: Final = 30


class Bridge:
    """One chatbridge that can be stopped and started again on the same database."""

    def __init__(
        self,
        place: Place,
        *,
        store_url: str,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        """Prepare; `start` runs it with these settings and arguments of `serve`."""
        self._place = place
        self.port = free_port()
        self._program = Program(
            name="chatbridge",
            command=(sys.executable, "-m", "chatbridge", "serve", *arguments),
            folder=place.folder,
            environment={
                "CHATBRIDGE_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
                "CHATBRIDGE_SECRET_KEY": place.keys.channel,
                "CHATBRIDGE_ADMIN_TOKEN": place.keys.admin,
                "CHATBRIDGE_HTTP__PORT": str(self.port),
                "CHATBRIDGE_STORE__URL": store_url,
                "CHATBRIDGE_MEDIA__URL": str(place.folder / "media"),
                "CHATBRIDGE_NETWORK__ALLOW": "127.0.0.0/8",
                "CHATBRIDGE_LOG__LEVEL": "warning",
                **(environment or {}),
            },
        )
        self.process: Process | None = None

    def start(self) -> Process:
        """Run it; return when it takes connections."""
        self.process = Process(self._program, cpus=self._place.server_cpus)
        self.process.wait_for_port(self.port)
        return self.process

    def stop(self) -> None:
        """Stop it in order."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def set_up(self, tenant: Tenant = TENANT) -> Target:
        """Make a tenant's channel, messenger and link; return where its messages are posted."""
        place = self._place
        # One connection, so one worker: another hears of what was made only a moment later.
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)) as api:
            webhook = f"{place.sink.url}/webhook"
            messenger = {"name": "Bench", "kind": "backend", "webhook_url": webhook}
            made = self._link(api, tenant, messenger)
        if place.outbound:
            return callback_target(self.port, place)
        return Target(
            port=self.port,
            path="/v1/messages",
            headers={"Authorization": f"Bearer {made['api_key']}"},
        )

    def open_chat(self, site: str, tenant: Tenant = TENANT) -> str:
        """Make a tenant's website chat for a site, and its link; return the messenger's id."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)) as api:
            chat = {"name": "Bench", "kind": "website", "settings": {"sites": [site]}}
            return self._link(api, tenant, chat)["id"]

    def _link(self, api: HTTPConnection, tenant: Tenant, messenger: Mapping[str, Any]) -> Any:
        """Make a tenant's channel, this messenger, and the link between them; return the messenger."""
        channel = {"code": tenant.code, "channel_id": tenant.channel}
        address = {"secret": self._place.keys.channel, "base_url": self._place.sink.url}
        self._post(api, "/v1/channels", channel | address)
        made = self._post(api, "/v1/messengers", messenger)
        link = {"channel": tenant.channel, "account_id": tenant.account}
        self._post(api, "/v1/links", link | {"messenger": made["id"]})
        return made

    def _post(self, api: HTTPConnection, path: str, body: Mapping[str, Any]) -> Any:
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._place.keys.admin}",
        }
        api.request("POST", path, json.dumps(body), headers)
        answer = api.getresponse()
        text = answer.read()
        if answer.status not in _DONE:
            raise Failed(f"chatbridge refused {path}: {text.decode()}")
        return json.loads(text)


def callback_target(port: int, place: Place) -> Target:
    """Return where amoCRM's callbacks are posted."""
    return Target(
        port=port,
        path=f"/location/{SCOPE}",
        headers={},
        callback=True,
        secret=place.keys.channel,
    )


@contextmanager
def on_sqlite(place: Place, *, slow_disk: bool = False) -> Iterator[Running]:
    """Run chatbridge on SQLite as it is delivered, `synchronous=FULL`; on demand as if each sync took 5 ms more."""
    shim = {"LD_PRELOAD": os.fspath(native.slow_fsync())} if slow_disk else {}
    bridge = Bridge(place, store_url=f"sqlite:///{place.folder}/bridge.db", environment=shim)
    with _run(bridge, place) as running:
        yield running


@contextmanager
def _run(bridge: Bridge, place: Place, *databases: Process) -> Iterator[Running]:
    try:
        process = bridge.start()
        yield Running(processes=[process, *databases], target=bridge.set_up(), place=place)
    finally:
        bridge.stop()


@contextmanager
def on_postgres(place: Place, *, workers: int = 1) -> Iterator[Running]:
    """Run chatbridge on a PostgreSQL of its own, as one process or as several on one port."""
    arguments = ("--workers", str(workers)) if workers > 1 else ()
    with postgres(place.folder, cpus=place.server_cpus) as server:
        bridge = Bridge(place, store_url=server.url, arguments=arguments)
        with _run(bridge, place, server.process) as running:
            yield running
