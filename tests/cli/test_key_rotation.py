"""`oneself keys status`, `rotate` and `rotate-signing`: master keys to the day that they may go, and keys that sign."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from oneself.actions import projects, signing
from oneself.app.opening import opened_runtime
from oneself.config import load
from oneself.crypto.seal import generate_line
from tests.cli.test_serve import Place
from tests.server_process import cli

OLD, NEW = (generate_line(os.urandom) for _ in range(2))


def test_a_master_key_is_rotated_out(tmp_path: Path, migrated_sqlite_url: str) -> None:
    place = Place(tmp_path, migrated_sqlite_url)
    config = ("--config", str(place.config))

    def with_keys(*lines: str) -> list[tuple[str, int, bool]]:
        place.write(master_keys=", ".join(lines))
        shown = json.loads(cli("keys", "status", "--json", *config).stdout)["master_keys"]
        return [(use["id"], use["data_keys"], use["removable"]) for use in shown]

    old, new = OLD.partition(":")[0], NEW.partition(":")[0]
    place.write(master_keys=OLD)
    assert cli("project", "create", "Shop", *config).returncode == 0
    assert with_keys(OLD, NEW) == [(old, 1, False), (new, 0, True)]
    assert with_keys(NEW, OLD) == [(new, 0, False), (old, 1, False)]
    rotated = cli("keys", "rotate", *config)
    assert rotated.returncode == 0, rotated.stderr
    assert "1 keys were wrapped anew" in rotated.stdout
    assert with_keys(NEW, OLD) == [(new, 1, False), (old, 0, True)]
    assert with_keys(NEW) == [(new, 1, False)]
    # the wrong one is taken away: refused by its name, nothing is opened
    place.write(master_keys=OLD)
    said = place.refused()
    assert f"sealed under another master key, {new}, which the key ring lacks" in said


def test_signing_keys_are_rotated_and_shown(tmp_path: Path, migrated_url: str) -> None:
    place = Place(tmp_path, migrated_url)
    config = ("--config", str(place.config))
    place.write(master_keys=OLD)
    made = json.loads(cli("project", "create", "Shop", "--json", *config).stdout)
    assert cli("project", "create", "Other", *config).returncode == 0

    def shown() -> dict[str, tuple[int, int, int]]:
        rows = json.loads(cli("keys", "status", "--json", *config).stdout)["signing_keys"]
        return {row["use"]: (row["signing"], row["coming"], row["retiring"]) for row in rows}

    assert "No key signs yet" in cli("keys", "rotate-signing", *config).stdout
    assert shown() == {}
    asyncio.run(used(place.config))
    assert shown() == {"stytch": (2, 0, 0), "stack": (2, 0, 0)}
    one = cli("keys", "rotate-signing", "--project", made["stytch"]["project_id"], *config)
    assert "2 keys are published and sign from 20" in one.stdout, one.stderr
    assert shown() == {"stytch": (2, 1, 0), "stack": (2, 1, 0)}
    everything = json.loads(cli("keys", "rotate-signing", "--json", *config).stdout)
    assert (everything["keys"], everything["signs_at"] > 0) == (4, True)
    assert shown() == {"stytch": (2, 2, 0), "stack": (2, 2, 0)}
    leaked = cli("keys", "rotate-signing", "--leaked", "--project", "Shop", *config)
    assert "2 keys were replaced" in leaked.stdout, leaked.stderr
    assert shown() == {"stytch": (2, 1, 0), "stack": (2, 1, 0)}
    text = cli("keys", "status", *config).stdout
    assert "tokens of" in text
    assert "stytch" in text
    assert cli("keys", "rotate-signing", "--project", "nobody", *config).returncode == 1


async def used(config: Path) -> None:
    """Let every project sign in both dialects."""
    async with opened_runtime(load(config), serving=False) as rt:
        for project in await projects.list_all(rt):
            for use in ("stytch", "stack"):
                await signing.sign(rt, project, use, {"sub": "ada"})
