"""`chatbridge channel …`: the letter that registers a channel with amoCRM, and the proof that it is set up right."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from chatbridge import config
from chatbridge.errors import ConfigurationError

channel = typer.Typer(help="Register a channel with amoCRM, and check it.", no_args_is_help=True)

_BAD: Final = 1
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file with settings.")]


@channel.command()
def request(
    *,
    service_name: Annotated[str, typer.Option(help="Shown to operators; Latin letters.")],
    account: Annotated[
        list[str], typer.Option(help="The number of an account that may use it; may be repeated.")
    ],
    email: Annotated[str, typer.Option(help="Where amoCRM writes in case of errors.")],
    icon: Annotated[Path, typer.Option(help="An SVG of 14x14 px that fits into a circle.")],
    for_everybody: Annotated[
        bool, typer.Option("--for-everybody", help="It will be offered to all customers of amoCRM.")
    ] = False,
    similar: Annotated[str | None, typer.Option(help="A similar solution in amoCRM.")] = None,
    unique: Annotated[str | None, typer.Option(help="What is unique about yours.")] = None,
    client_uuid: Annotated[str | None, typer.Option(help="The id of your integration.")] = None,
    widget_code: Annotated[str | None, typer.Option(help="The code of your widget.")] = None,
    language: Annotated[str, typer.Option(help="ru or en.")] = "ru",
    url: Annotated[
        str | None, typer.Option(help="This server's address; default: CHATBRIDGE_PUBLIC_URL.")
    ] = None,
    config_file: ConfigFile = None,
) -> None:
    """Write the letter to amoCRM's support that registers a channel."""
    from chatbridge.protocol.amojo import registration  # noqa: PLC0415 - other commands start faster without it

    if language not in registration.LANGUAGES:
        raise ConfigurationError(f"--language must be one of {', '.join(registration.LANGUAGES)}.")
    address = (config.load(config_file).public_url if url is None else url).rstrip("/")
    try:
        drawn = icon.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{icon} cannot be read: {error.strerror}.") from error
    application = registration.Application(
        service_name=service_name,
        hook_url=f"{address}/location/{registration.MARKER}",
        accounts=tuple(account),
        email=email,
        icon=drawn,
        for_everybody=for_everybody,
        similar=similar,
        unique=unique,
        client_uuid=client_uuid,
        widget_code=widget_code,
    )
    faults = registration.faults_of(application)
    if faults:
        words = "; ".join(f"{name} {fault}" for name, fault in faults.items())
        raise ConfigurationError(f"The letter would be refused: {words}.")
    typer.echo(registration.write_letter(application, language), nl=False)


@channel.command()
def check(
    *,
    channel_id: Annotated[str, typer.Option("--id", help="The channel's id.")],
    secret: Annotated[
        str, typer.Option(help="The channel's secret.", envvar="AMOJO_SECRET", show_envvar=True)
    ],
    base_url: Annotated[
        str | None, typer.Option(help="The zone's amojo; default: amojo.base_url.")
    ] = None,
    legacy: Annotated[bool, typer.Option("--legacy", help="The channel signs as in 2017.")] = False,
    url: Annotated[
        str | None, typer.Option(help="This server's address; default: CHATBRIDGE_PUBLIC_URL.")
    ] = None,
    config_file: ConfigFile = None,
) -> None:
    """Prove that a channel's id, secret and hook address and this machine's clock are right."""
    settings = config.load(config_file)
    address = (url or settings.public_url).rstrip("/")
    if not address:
        raise ConfigurationError("Set CHATBRIDGE_PUBLIC_URL, or give --url.")
    checked = _check(
        settings, channel_id, secret, base_url or settings.amojo.base_url, address, legacy=legacy
    )
    if not asyncio.run(checked):
        raise typer.Exit(_BAD)


async def _check(
    settings: config.Settings,
    channel_id: str,
    secret: str,
    base_url: str,
    address: str,
    *,
    legacy: bool,
) -> bool:
    """Print what is found; return whether all of it is good."""
    from chatbridge.bridge.channel_check import check_channel  # noqa: PLC0415
    from chatbridge.clock import SystemClock  # noqa: PLC0415
    from chatbridge.model import Channel, HookVersion, Signing, StatusBody  # noqa: PLC0415
    from chatbridge.parts.ground import transport_of  # noqa: PLC0415

    asked = Channel(
        id=channel_id,
        code="",
        secret=secret,
        base_url=base_url.rstrip("/"),
        signing=Signing.LEGACY if legacy else Signing.CURRENT,
        hook_version=HookVersion.V2,
        status_body=StatusBody.CURRENT,
        bot_id=None,
        title=None,
        created_at=0,
        updated_at=0,
    )
    transport, all_good = transport_of(settings.network), True
    await transport.start()
    try:
        hook_url = f"{address}/location/:scope_id"
        async for finding in check_channel(
            asked, hook_url=hook_url, transport=transport, clock=SystemClock()
        ):
            all_good = all_good and finding.good
            typer.echo(f"{'ok ' if finding.good else 'BAD'} {finding.name}: {finding.detail}")
    finally:
        await transport.close()
    return all_good
