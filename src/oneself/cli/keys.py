"""`oneself keys`: what hangs on the key ring's keys and on those that sign, and new ones in the place of old."""

from pathlib import Path

import click
import msgspec

from oneself.actions import key_ring, signing_rotation
from oneself.actions.key_ring import MasterKeyUse
from oneself.actions.runtime import Runtime
from oneself.cli.asking import ask, find_project
from oneself.cli.choosing import choice
from oneself.cli.output import OUT, json_line, progress, table
from oneself.store.signing_keys import UseSummary


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def status(as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Show what hangs on each master key and which may be removed, and the keys that sign tokens."""

    async def both(rt: Runtime) -> tuple[list[MasterKeyUse], list[UseSummary]]:
        return await key_ring.status(rt), await signing_rotation.status(rt)

    uses, signing = ask(config_file, data, both)
    if as_json:
        shown = [{**msgspec.structs.asdict(use), "removable": use.removable} for use in uses]
        json_line({"master_keys": shown, "signing_keys": [msgspec.structs.asdict(use) for use in signing]})
        return
    rows = [(use.id, _state(use), str(use.data_keys), str(use.open_trips)) for use in uses]
    table(("master key", "state", "projects' keys", "open trips"), rows)
    OUT.print()
    table(
        ("tokens of", "keys that sign", "the oldest since", "coming", "sign at last from", "still published"),
        [
            (
                use.use,
                str(use.signing),
                _time(use.oldest_signs_since),
                str(use.coming),
                _time(use.last_signs_at),
                str(use.retiring),
            )
            for use in signing
        ],
    )


@click.command()
@choice
def rotate(config_file: Path | None, data: Path | None) -> None:
    r"""Wrap every project's key under the first master key, while the servers go on.

    \b
    1. `oneself keys generate`; put the new line below the others; restart the servers, one by one.
    2. Move it to the top; restart the servers, one by one.
    3. `oneself keys rotate`. Stopped on its way, it goes on where it was.
    4. `oneself keys status`: a key that is "removable" may be deleted from the file.
    """
    with progress("wrapping keys", "pieces") as tell:
        done = ask(config_file, data, lambda rt: key_ring.rewrap(rt, tell))
    OUT.print(f"{done} keys were wrapped anew; all are under the first master key now.")


@click.command()
@click.option("--project", "name", help="One project alone, by any of its ids or its name.")
@click.option(
    "--leaked",
    is_flag=True,
    help="A key has leaked: replace the keys at once, and refuse all tokens that they signed. People stay signed in; "
    "clients that keep the published keys may refuse the new ones until they ask again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def rotate_signing(name: str | None, leaked: bool, as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Put new keys behind the JWTs of both dialects, while the servers go on.

    New keys are made and published now, and sign once every client must have seen them; the keys before them stay
    published until nothing that they signed is good any more. The servers do the same by themselves on the schedule of
    `lifetimes.signing_key`.
    """
    with progress("making keys", "pieces") as tell:

        async def work(rt: Runtime) -> list[int]:
            project = await find_project(rt, name) if name else None
            places = await signing_rotation.places(rt, project)
            times = []
            for done, (project_id, use) in enumerate(places):
                tell(done, len(places))
                if leaked:
                    await signing_rotation.replace(rt, project_id, use)
                times.append(0 if leaked else await signing_rotation.rotate(rt, project_id, use))
            return times

        times = ask(config_file, data, work)
    if as_json:
        json_line({"keys": len(times), "signs_at": max(times, default=0)})
    elif not times:
        OUT.print("No key signs yet: each is made at its first use.")
    elif leaked:
        OUT.print(f"{len(times)} keys were replaced. What the old ones signed is refused.")
    else:
        OUT.print(f"{len(times)} keys are published and sign from {signing_rotation.utc(max(times))} on.")


def _time(micros: int) -> str:
    return signing_rotation.utc(micros) if micros else "-"


def _state(use: MasterKeyUse) -> str:
    if not use.in_ring:
        return "missing from the ring"
    return "seals" if use.active else "removable" if use.removable else "opens"
