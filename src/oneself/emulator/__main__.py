"""Runs the emulated providers alone: `python -m oneself.emulator --port 8114`."""

import socket

import click
import uvicorn

from oneself.emulator.app import create_emulator
from oneself.emulator.clients import Client


@click.command(help="Emulated identity providers for development. Open the printed address.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8114, show_default=True, help="Port to listen on.")
@click.option("--base-url", default="", help="Address under which browsers and clients reach it.")
@click.option(
    "--client",
    "declared",
    multiple=True,
    metavar="ID:SECRET:REDIRECT_URI",
    help="Register a client at every provider. Without any, every client is accepted.",
)
@click.option(
    "--local-issuers",
    is_flag=True,
    help="Issuers are addresses of the emulator (for clients that use discovery), not the vendors'.",
)
def main(host: str, port: int, base_url: str, declared: tuple[str, ...], local_issuers: bool) -> None:
    """Start the emulator and serve until interrupted."""
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}, port {port}: {error}. See --host and --port.") from None
    address = base_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    clients = [_client(text) for text in declared]
    app = create_emulator(
        address,
        clients=clients,
        accept_any_client=not clients,
        vendor_issuers=not local_issuers,
    )
    click.echo(f"Emulated providers: {address}/")
    uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False)).run(sockets=[listening])


def _client(text: str) -> Client:
    client_id, _, rest = text.partition(":")
    secret, _, redirect_uri = rest.partition(":")
    if not client_id or not redirect_uri:
        raise click.BadParameter(f"{text!r} is not ID:SECRET:REDIRECT_URI")
    return Client(client_id=client_id, client_secret=secret, redirect_uris=(redirect_uri,))


if __name__ == "__main__":
    main()
