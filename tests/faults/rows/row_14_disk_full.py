"""Row 14: the disk under the events is full; commands fail cleanly, and go on when space is back.

A killed server keeps the operating system's page cache, so that lost fsyncs are another fault,
which takes LazyFS or dm-flakey: that part is not tested here.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from infra.store import PostgresEventStore
from tests.faults import ledger
from tests.faults.clients import Clients
from tests.faults.found import Found, NotHere
from tests.faults.invariants import acknowledged_once, dense, one_outcome_per_key
from tests.faults.rig import Rig

DISK_BYTES: Final = 24 * 2**20
LEFT_BYTES: Final = 400_000
FULL_SECONDS: Final = 0.5
FAILURES_SECONDS_MAX: Final = 60.0
MOVED: Final = """
ALTER TABLE events SET TABLESPACE small;
ALTER INDEX events_pkey SET TABLESPACE small;
ALTER INDEX events_stream_version_key SET TABLESPACE small;
"""


def run(rig: Rig, count: int) -> Found:
    """Fill the disk `count` times."""
    found = Found()
    answers = rig.folder / f"answers-row14-{rig.seed}.jsonl"
    with small_disk(rig.folder) as disk, rig.own_server() as server:
        owner = server.data_dir.stat()
        space = disk / "space"
        space.mkdir()
        os.chown(space, owner.st_uid, owner.st_gid)
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
            connection.execute(MOVED.encode())
        with PostgresEventStore(server.dsn) as store:
            clients = Clients([store], answers)
            with clients.working():
                for _ in range(count):
                    clients.wait_for_answer()
                    _fill_up(disk, clients)
                    found.faults += 1
                    postmaster = server.postmaster()
                    found.must(postmaster is not None, "row 14", "the server went down")
                    (disk / "ballast").unlink()
                    clients.wait_for_answer()
            found.must(not clients.trouble, "row 14", f"a client failed: {clients.trouble[:1]}")
        lines = ledger.read(answers)
        found.violations += acknowledged_once(server.dsn, lines)
        found.violations += one_outcome_per_key(server.dsn, lines)
        found.violations += dense(server.dsn)
    found.note = f"{len(lines)} acknowledged, {clients.unavailable} told Unavailable"
    return found


def _fill_up(disk: Path, clients: Clients) -> None:
    """Leave a little room, wait until it is used up, and stay full for a moment."""
    free = shutil.disk_usage(disk).free
    (disk / "ballast").write_bytes(bytes(max(0, free - LEFT_BYTES)))
    heard, until = clients.unavailable, time.monotonic() + FAILURES_SECONDS_MAX
    while clients.unavailable == heard:
        assert time.monotonic() < until, "the disk never became full"
        time.sleep(0.01)
    time.sleep(FULL_SECONDS)


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    """Mount a small file system for the time of the block. Raises NotHere."""
    disk = folder / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        raise NotHere("only root can mount a small file system")
    made = subprocess.run(  # noqa: S603
        [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        raise NotHere(f"no small file system: {made.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run([str(shutil.which("umount")), str(disk)], check=True)  # noqa: S603


def lost_fsync(_: Rig, __: int) -> Found:
    """Drop what was written and not yet on the medium."""
    raise NotHere("a lost fsync takes LazyFS or dm-flakey under the database")
