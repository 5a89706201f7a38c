"""The wheel holds everything that the package reads: schema, pages, types, licence."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house.source import PACKAGE, ROOT, tracked


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    build = [sys.executable, "-c", "import flit_core.buildapi as b, sys; print(b.build_wheel(sys.argv[1]))"]
    made = subprocess.run([*build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    names = set(zipfile.ZipFile(tmp_path / made.stdout.split()[-1]).namelist())
    wanted = {str(file.relative_to(PACKAGE.parent)) for file in tracked() if file.is_relative_to(PACKAGE)}
    assert {"oneself/py.typed", "oneself/model/trips.py"} <= wanted
    assert wanted - names == set()
    assert any(name.endswith("licenses/LICENSE") for name in names)
