"""Root leaves no file behind that the service, which is another user, cannot use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from receiver.owner import Owner, give, owner_of, work_as
from tests.kit.waiting import PATIENCE_SECONDS

NOBODY = Owner(65_534, 65_534)
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")


def test_what_is_not_there_yet_is_its_folder_s_owner_s(tmp_path: Path) -> None:
    # A store that was moved away, or keys before the first start.
    assert owner_of(tmp_path / "a" / "b") == owner_of(tmp_path) == Owner(os.getuid(), tmp_path.stat().st_gid)


def test_whoever_is_not_root_stays_who_he_is(tmp_path: Path) -> None:
    # A developer's own store, and root's own: nothing is tried that could be refused.
    work_as(owner_of(tmp_path))
    give(tmp_path, owner_of(tmp_path))
    assert owner_of(tmp_path).uid == os.getuid()


@needs_root
def test_keys_that_root_makes_are_the_service_s() -> None:
    # `keygen --rotate` and a restart: with a key of root's the receiver would not start again.
    with TemporaryDirectory() as folder:
        (Path(folder) / "store").mkdir()
        give(Path(folder), NOBODY)
        command = [sys.executable, "-m", "receiver", "keygen", "--store", f"{folder}/store"]
        for how in ([], ["--rotate"]):
            subprocess.run([*command, *how], check=True, capture_output=True, timeout=PATIENCE_SECONDS)
        made = list((Path(folder) / "keys").iterdir())
        assert len(made) == 3
        assert {owner_of(path) for path in (*made, Path(folder) / "store")} == {NOBODY}
