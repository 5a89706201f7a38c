"""`oneself keys status` and `oneself keys rotate`, from the first master key to the day that it may go."""

from __future__ import annotations

import json
import os
from pathlib import Path

from oneself.crypto.seal import generate_line
from tests.cli.test_serve import Place
from tests.server_process import cli

OLD, NEW = (generate_line(os.urandom) for _ in range(2))


def test_a_master_key_is_rotated_out(tmp_path: Path, sqlite_url: str) -> None:
    place = Place(tmp_path, sqlite_url)
    config = ("--config", str(place.config))

    def with_keys(*lines: str) -> list[tuple[str, int, bool]]:
        place.write(master_keys=", ".join(lines))
        shown = json.loads(cli("keys", "status", "--json", *config).stdout)["master_keys"]
        return [(use["id"], use["data_keys"], use["removable"]) for use in shown]

    old, new = OLD.partition(":")[0], NEW.partition(":")[0]
    place.write(master_keys=OLD)
    assert cli("migrate", *config).returncode == 0
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
