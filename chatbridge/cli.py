"""The command line. Bad input ends with exit code 2 and one sentence."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from chatbridge import __version__, config
from chatbridge.channel_commands import channel
from chatbridge.errors import ChatbridgeError

app = typer.Typer(
    help="A bridge between messengers and amoCRM / Kommo chats.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(channel, name="channel")

ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file with settings.")]
Secret = Annotated[
    str,
    typer.Option(help="The channel's secret, as amoCRM gave it.", envvar="AMOJO_SECRET"),
]
BodyFile = Annotated[
    Path | None, typer.Option("--body", help="A file with the body; - for standard input.")
]

_MISMATCH: Final = 1
_SLACK: Final = 5.0
"""Seconds that a server may need to stop, beside those that its settings give it."""


def main() -> None:
    """Run the command line."""
    try:
        app()
    except ChatbridgeError as error:
        _fail(str(error))


@app.callback(invoke_without_command=True)
def _version(
    *, version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False
) -> None:
    if version:
        typer.echo(f"chatbridge {__version__}")
        raise typer.Exit


@app.command()
def serve(
    config_file: ConfigFile = None,
    workers: Annotated[
        int,
        typer.Option(min=1, help="Processes that share the port; several need PostgreSQL."),
    ] = 1,
    post: Annotated[str, typer.Option("--as-worker", hidden=True)] = "",
) -> None:
    """Run the server until it is told to stop (SIGTERM, Ctrl-C)."""
    settings = _checked(config_file)
    if (workers > 1 or post) and settings.store.serves_one:
        _fail(
            "SQLite serves one process: leave --workers out, or use PostgreSQL (CHATBRIDGE_STORE__URL)."
        )
    if post:
        _work(settings, post)
    elif workers > 1:
        _supervise(settings, workers, config_file)
    else:
        from chatbridge.app import serve as run_server  # noqa: PLC0415 - other commands start faster without it

        _logging(settings)
        _run(run_server(settings))


@app.command()
def demo(config_file: ConfigFile = None) -> None:
    """Run server, amoCRM sandbox and a client's phone; open the address it prints."""
    from chatbridge.demo.compose import run_demo  # noqa: PLC0415

    _run(run_demo(config.load(config_file)))


@app.command()
def sandbox(config_file: ConfigFile = None) -> None:
    """Run an amoCRM of one's own: the chat service and an operator's inbox."""
    from chatbridge.sandbox.serving import AddressTakenError  # noqa: PLC0415
    from chatbridge.sandbox.serving import serve as run_sandbox  # noqa: PLC0415
    from chatbridge.sandbox.settings import SandboxSettings  # noqa: PLC0415

    part = config.load(config_file).sandbox
    seen_as = "127.0.0.1" if part.host in {"0.0.0.0", "::"} else part.host  # noqa: S104 - compared, not bound
    settings = SandboxSettings(
        host=part.host,
        port=part.port,
        public_url=f"http://{seen_as}:{part.port}",
        hook_url=part.hook_url,
    )
    try:
        _run(run_sandbox(settings))
    except AddressTakenError as error:
        _fail(str(error))


@app.command()
def migrate(
    *,
    config_file: ConfigFile = None,
    reseal: Annotated[
        bool, typer.Option("--reseal", help="Encrypt every secret again, with the newest key.")
    ] = False,
) -> None:
    """Bring the database to this release's schema. `serve` does the same when it starts."""
    from chatbridge.maintenance import migrate as bring_up_to_date  # noqa: PLC0415

    for line in asyncio.run(bring_up_to_date(_checked(config_file), reseal=reseal)):
        typer.echo(line)


@app.command("check-config")
def check_config(config_file: ConfigFile = None) -> None:
    """Check the settings and say everything that is wrong with them."""
    from chatbridge.clients.addresses import AddressGuard  # noqa: PLC0415
    from chatbridge.store.engine import open_store  # noqa: PLC0415

    settings = _checked(config_file)
    AddressGuard.allowing(settings.network.allow)
    open_store(settings.store.url)  # reads the address; only `start` opens anything
    typer.echo("The settings are in order.")


@app.command()
def sign(
    *,
    secret: Secret,
    path: Annotated[str, typer.Option(help="The path without query, such as /v2/origin/custom/…")],
    method: Annotated[str, typer.Option(help="The HTTP method.")] = "POST",
    body: BodyFile = None,
    date: Annotated[str | None, typer.Option(help="An RFC 2822 date; default: now.")] = None,
    legacy: Annotated[bool, typer.Option("--legacy", help="Sign the body alone.")] = False,
) -> None:
    """Print the headers that amojo wants for a request."""
    from chatbridge.clock import SystemClock  # noqa: PLC0415
    from chatbridge.model import Signing  # noqa: PLC0415
    from chatbridge.protocol.amojo import signing  # noqa: PLC0415

    now = SystemClock().now() if date is None else signing.parse_date(date) * 1_000_000
    kind = Signing.LEGACY if legacy else Signing.CURRENT
    headers = signing.request_headers(secret, method, path, _body(body), now=now, signing=kind)
    for name, value in headers.items():
        typer.echo(f"{name}: {value}")


@app.command()
def verify(
    *,
    secret: Secret,
    signature: Annotated[
        str, typer.Option(help="The value of X-Signature, or of webhook-signature.")
    ],
    body: BodyFile = None,
    path: Annotated[
        str | None, typer.Option(help="Of a request; leave it out for a callback.")
    ] = None,
    method: Annotated[str, typer.Option(help="The HTTP method of a request.")] = "POST",
    date: Annotated[str, typer.Option(help="The Date header of a request.")] = "",
    host: Annotated[
        str, typer.Option(help="The host of a request; finds more mistakes.")
    ] = "amojo.amocrm.ru",
    webhook_id: Annotated[
        str | None, typer.Option("--id", help="The webhook-id of a webhook of this server.")
    ] = None,
    timestamp: Annotated[str, typer.Option(help="The webhook-timestamp of it.")] = "",
) -> None:
    """Check the signature of a callback, of a request or of a webhook, and name the mistake if there is one."""
    from chatbridge.protocol import signed_webhook  # noqa: PLC0415
    from chatbridge.protocol.amojo import mistakes, signing  # noqa: PLC0415

    data, faults = _body(body), list[str]()
    parts = mistakes.SignedParts(
        secret=secret, method=method, target=path or "", host=host, date=date, body=data
    )
    if webhook_id is not None:
        matches = signed_webhook.is_signed(
            secret, signature, webhook_id=webhook_id, timestamp=timestamp, body=data
        )
    elif path is not None:
        matches = signature == signing.sign_text(secret, parts.text())
        faults = [] if matches else list(mistakes.find_mistakes(parts, signature))
    else:
        matches = signing.callback_matches(secret, data, signature)
    for sentence in faults:
        typer.echo(f"Found the mistake: {sentence}.", err=True)
    typer.echo("It matches." if matches else "It does not match.", err=not matches)
    raise typer.Exit(0 if matches else _MISMATCH)


def _supervise(settings: config.Settings, count: int, config_file: Path | None) -> NoReturn:
    """Be the parent of several servers."""
    from chatbridge.web.sockets import open_sockets  # noqa: PLC0415
    from chatbridge.workers.parent import run  # noqa: PLC0415

    _logging(settings)
    command = [sys.executable, "-m", "chatbridge", "serve"]
    if config_file is not None:
        command += ["--config", str(config_file)]
    sockets = open_sockets(settings.http.host, settings.http.port)
    supervising = run([*command, "--as-worker"], count=count, sockets=sockets)
    raise SystemExit(asyncio.run(supervising))


def _work(settings: config.Settings, text: str) -> None:
    """Be one of several servers."""
    from chatbridge.app import serve as run_server  # noqa: PLC0415
    from chatbridge.workers.post import Post  # noqa: PLC0415

    post = Post.read(text)
    _logging(settings, worker=post.number)

    async def ready() -> None:
        http = settings.http
        post.announce(http.drain_delay + 3 * http.shutdown_grace + _SLACK)

    sockets = post.open_sockets()
    _run(run_server(settings, sockets=sockets, worker=post.number, ready=ready))


def _checked(config_file: Path | None) -> config.Settings:
    settings = config.load(config_file)
    faults = config.problems(settings)
    if faults:
        _fail("\n".join(faults))
    return settings


def _logging(settings: config.Settings, worker: int | None = None) -> None:
    from chatbridge.observability import logging  # noqa: PLC0415

    logging.configure(form=settings.log.format, level=settings.log.level, worker=worker)


def _body(file: Path | None) -> bytes:
    if file is None:
        return b""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        _fail(f"{file} cannot be read: {error.strerror}.")


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run until done or until the process is told to stop."""
    try:
        import uvloop  # noqa: PLC0415 - where it installs, it halves the work of a connection
    except ImportError:
        loop_factory = None
    else:
        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_until_signal(work))


async def _until_signal(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        # Once: a second signal would cut off the orderly end, which is bounded by `http.shutdown_grace` anyway.
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        return


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise SystemExit(2)
