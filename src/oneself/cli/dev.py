"""`oneself dev`: one command that sets up everything and runs it, for development."""

import ipaddress
import logging
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import click

from oneself.app.house import EMULATOR_PATH, House
from oneself.cli.dev_folder import DEFAULT_FOLDER, DevFolderUnusable, DevKeys, Tls
from oneself.cli.dev_keys import open_folder
from oneself.cli.dev_settings import PROJECT_NAME, labels, settings
from oneself.cli.listening import PortUnavailable, listen, port_of
from oneself.cli.output import ERR, OUT, Refused, Styled, json_line, pairs
from oneself.cli.running import StartFailed, run
from oneself.cli.snippets import snippets
from oneself.cli.trusting import ways
from oneself.config import Config, is_local
from oneself.emulator import create_emulator
from oneself.later import Later
from oneself.wire.console.dev import DevPage, Entry, Snippet

# It has an authority's tools, which only --https needs.
_OPEN_TLS = Later("oneself.cli.dev_tls", "open_tls")


def _whole_urls(_context: click.Context, _option: click.Parameter, urls: tuple[str, ...]) -> tuple[str, ...]:
    """Take URLs that name a scheme and a host, and no others."""
    for url in urls:
        try:
            parts = urlsplit(url)
            whole = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            whole = False
        if not whole:
            raise click.BadParameter(f"{url!r} is no whole URL, such as http://localhost:5173/welcome")
    return urls


@click.command()
@click.option("--host", default="localhost", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder for the database and the keys; made if missing, kept for the next start.",
)
@click.option(
    "--https",
    is_flag=True,
    help="Speak TLS, with an authority made once in the data folder; the output says how to trust it.",
)
@click.option(
    "--app",
    "applications",
    multiple=True,
    metavar="URL",
    callback=_whole_urls,
    help="A URL of your application's that people may come back to, beside http://localhost:3000/ and "
    "http://localhost:3000/authenticate; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line when ready, and nothing else there.")
def dev(host: str, port: int, data: Path, https: bool, applications: tuple[str, ...], as_json: bool) -> None:
    """Set up everything and run it: database, keys, a project, emulated providers, a page to try it.

    For development only: the keys lie beside the data.
    """
    name = _name(host)
    try:
        sockets = listen(host, port)
        keys = open_folder(data)
        tls: Tls | None = _OPEN_TLS.get()(data, name) if https else None
    except PortUnavailable as error:
        raise Refused("The server cannot listen.", [str(error)]) from None
    except DevFolderUnusable as error:
        raise Refused("The data folder cannot be used.", [str(error)]) from None
    base_url = origin("https" if tls else "http", name, port_of(sockets))
    config = settings(base_url, data, keys, tls, applications)
    if not is_local(origin("http", host, 80)):
        ERR.print(
            Styled("Whoever reaches this address can read every key on its page.", "yellow"),
            " `--host localhost` is safe.",
        )

    def ready() -> None:
        if as_json:
            json_line(announcement(base_url, keys, tls))
        else:
            _announce(base_url, data, keys, tls)

    try:
        emulator = create_emulator(f"{base_url}{EMULATOR_PATH}", accept_any_client=True)
        house = House(config, _page(config, keys, tls), emulator=emulator)
        run(house, config, sockets, ready, certificate=tls.server if tls else None)
    except StartFailed as failed:
        raise Refused("The server did not start.", [str(failed) or "The lines above say why."]) from None


def origin(scheme: Literal["http", "https"], name: str, port: int) -> str:
    """A server's origin as browsers write it (RFC 6454, 6.1): without the scheme's own port, IPv6 in brackets."""
    host = f"[{name}]" if ":" in name else name
    return f"{scheme}://{host}" if port == {"http": 80, "https": 443}[scheme] else f"{scheme}://{host}:{port}"


def announcement(base_url: str, keys: DevKeys, tls: Tls | None = None) -> dict[str, object]:
    """What `--json` prints."""
    said: dict[str, object] = {
        "base_url": base_url,
        "project": keys.project,
        "emulator_url": f"{base_url}{EMULATOR_PATH}",
        "mail_url": f"{base_url}/mail.json",
    }
    return said | {"ca_file": str(tls.ca), "ca_key_sha256": tls.ca_digest} if tls else said


def _name(host: str) -> str:
    """How the server is called: cookies and SDKs want one name for it, and every browser knows localhost."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().rstrip(".")
    return "localhost" if address.is_loopback or address.is_unspecified else str(address)


def _keys(keys: DevKeys) -> list[tuple[str, str]]:
    stytch, stack = keys.project.stytch, keys.project.stack
    return [
        ("Stytch project_id", stytch.project_id),
        ("Stytch secret", stytch.secret),
        ("Stytch public_token", stytch.public_token),
        ("Stack project id", stack.project_id),
        ("Stack publishable client key", stack.publishable_client_key),
        ("Stack secret server key", stack.secret_server_key),
        ("Stack super secret admin key", stack.super_secret_admin_key),
    ]


def _links(base_url: str) -> list[tuple[str, str]]:
    return [
        ("Emulated providers", f"{base_url}{EMULATOR_PATH}/"),
        ("Mail that would have been sent", f"{base_url}/mail"),
        ("Stytch's dialect, OpenAPI", f"{base_url}/openapi/stytch.json"),
        ("Stack Auth's dialect, OpenAPI", f"{base_url}/openapi/stack.json"),
        ("Health", f"{base_url}/health"),
    ]


def _page(config: Config, keys: DevKeys, tls: Tls | None) -> DevPage:
    base_url = config.base_url
    return DevPage(
        session_seconds=config.lifetimes.console_session,
        project_id=keys.project.id,
        project_name=PROJECT_NAME,
        providers=tuple(Entry(label, name) for name, label in labels().items()),
        keys=tuple(Entry(label, value) for label, value in _keys(keys)),
        links=tuple(Entry(label, url) for label, url in _links(base_url)),
        trust=tuple(Entry(client, how) for client, how in (ways(tls, base_url) if tls else ())),
        snippets=tuple(Snippet(one.title, one.text) for one in snippets(base_url, keys.project)),
    )


def _announce(base_url: str, data: Path, keys: DevKeys, tls: Tls | None) -> None:
    OUT.print()
    OUT.frame(
        Styled("Oneself", "bold"),
        " is ready at ",
        Styled(base_url, "bold green"),
        "\nOpen it and sign in as somebody.",
    )
    OUT.print()
    pairs([("Data folder", str(data)), *_links(base_url)])
    OUT.print()
    pairs(_keys(keys))
    if tls:
        OUT.print(Styled("\nMake your clients trust this server", "bold"), " (once for this data folder)")
        pairs(ways(tls, base_url))
    for one in snippets(base_url, keys.project):
        OUT.print(Styled(f"\n{one.title}", "bold"))
        OUT.print(one.text)
    OUT.print("\nCtrl+C stops it; the data stays.")
    logging.getLogger("oneself").info("ready at %s", base_url)
