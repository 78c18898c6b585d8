"""One real Apache Kafka broker on this machine, for tests and `make run-server`.

KRaft: broker and controller in one Java process. It is no production set-up, where
`LOANBOOK_KAFKA_BOOTSTRAP_SERVERS` names a cluster. `python -m infra.broker` fetches the jars.
"""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import psutil
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

POM: Final = Path(__file__).parent / "kafka" / "pom.xml"
JARS: Final = Path(__file__).parents[1] / ".kafka" / "lib"
JAVA_MAJOR_MIN: Final = 17
HEAP: Final = "512m"
QUICK_JAVA: Final = "-XX:TieredStopAtLevel=1"
"""A broker of one machine does not earn back the optimising compiler's work.

It takes the cores from the clients that share them: at a thousand records a second the broker used
twice the processor's time with it, and after 70,000 records still half as much again.
"""
START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 30
FETCH_SECONDS_MAX: Final = 600


class BrokerUnavailable(RuntimeError):
    """Java, Maven or the jars are missing, or the broker does not start; the message says which."""


class KafkaBroker:
    """A broker whose data lies in `data_dir`; as a context manager it starts and stops.

    `port` None means a free one, kept over restarts of the same object. `settings` are lines of
    server.properties that count instead of ours. Raises `BrokerUnavailable`.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        jars: Path = JARS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        found, self._controller_port = free_ports(2)
        self.port = port or found
        self._jars = jars
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None

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
    def bootstrap_servers(self) -> str:
        """Address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Return once a client gets an answer; format the storage first if there is none."""
        if self._process is not None:
            raise BrokerUnavailable("it is running already")
        fetch_jars(self._jars)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._end_leftover()
        self._properties.write_text(self._configuration())
        if not (self.data_dir / "logs" / "meta.properties").exists():
            self._format()
        with self._log.open("ab") as log:
            # Its own session: Ctrl-C in the terminal reaches our processes, never the broker.
            self._process = subprocess.Popen(  # noqa: S603
                [*self._java(f"-Xmx{HEAP}", "-XX:+UseSerialGC"), "kafka.Kafka", self._properties],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(f"{self._process.pid}\n")
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Shut down in order: segments are closed, so the next start recovers nothing."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL; for fault tests."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Lose everything, as a broken disk would: the next start has new topic ids."""
        self.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    @property
    def _properties(self) -> Path:
        return self.data_dir / "server.properties"

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "broker.pid"

    def _end_leftover(self) -> None:
        """End the broker of a program that was killed: it holds the data."""
        with suppress(OSError, ValueError, psutil.Error):
            left = psutil.Process(int(self._pid_file.read_text()))
            if str(self._properties) in left.cmdline():
                left.terminate()
                left.wait(STOP_SECONDS_MAX)

    @property
    def _log(self) -> Path:
        return self.data_dir / "broker.log"

    def _configuration(self) -> str:
        controller = f"CONTROLLER://127.0.0.1:{self._controller_port}"
        return "\n".join(
            (
                "process.roles=broker,controller",
                "node.id=1",
                f"controller.quorum.voters=1@127.0.0.1:{self._controller_port}",
                f"listeners=PLAINTEXT://127.0.0.1:{self.port},{controller}",
                "controller.listener.names=CONTROLLER",
                f"log.dirs={self.data_dir / 'logs'}",
                "auto.create.topics.enable=false",  # a typing error must not become a topic
                "group.initial.rebalance.delay.ms=0",  # the second member need not be waited for
                "broker.heartbeat.interval.ms=500",
                "broker.session.timeout.ms=3000",  # how long a killed broker's name is taken
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=4",
                "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "transaction.state.log.num.partitions=4",
                "share.coordinator.state.topic.replication.factor=1",
                "share.coordinator.state.topic.min.isr=1",
                *(f"{name}={value}" for name, value in self._settings.items()),  # the last counts
                "",
            )
        )

    def _java(self, *options: str) -> list[str]:
        return ["java", QUICK_JAVA, *options, "-cp", str(self._jars / "*")]

    def _format(self) -> None:
        tool = [*self._java(), "kafka.tools.StorageTool", "format"]
        arguments = [*tool, f"--cluster-id={cluster_id()}", f"--config={self._properties}"]
        done = subprocess.run(  # noqa: S603
            arguments, check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise BrokerUnavailable(f"storage not formatted: {(done.stdout + done.stderr).strip()}")

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = self._log.read_text(errors="replace").splitlines()[-15:]
                raise BrokerUnavailable("\n".join(["the broker did not start:", *tail]))
            if _listens(self.port) and self._answers():
                return
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether it is this broker that answers, not another one on the same port."""
        identity = (self.data_dir / "logs" / "meta.properties").read_text()
        try:
            client = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
            try:
                cluster = client.describe_cluster()
            finally:
                client.close()
        except (KafkaError, OSError):
            return False
        return bool(cluster["brokers"]) and f"cluster.id={cluster['cluster_id']}\n" in identity


def _listens(port: int) -> bool:
    """Asked first because kafka-python leaks a socket with every refused connection."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """Different TCP ports of 127.0.0.1 that nobody uses at this moment.

    All are held until the last is found: one that was let go may be handed out again at once.
    """
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def cluster_id() -> str:
    """A fresh id in the form that Kafka wants: 16 bytes as 22 characters."""
    return urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")


def fetch_jars(folder: Path = JARS) -> Path:
    """Let Maven copy the broker's jars into `folder` unless they are there; return the folder.

    Raises `BrokerUnavailable` if Java or Maven is missing or Maven cannot resolve a jar.
    """
    _check_java()
    if _complete(folder):
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerUnavailable("Maven (mvn) is not installed and the broker's jars are not here")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))  # ours alone
    done = subprocess.run(  # noqa: S603
        [maven, "--batch-mode", "--quiet", "--file", str(POM), f"-Djars={partial}", "package"],
        check=False,
        capture_output=True,
        text=True,
        timeout=FETCH_SECONDS_MAX,
    )
    if done.returncode != 0:
        shutil.rmtree(partial)
        raise BrokerUnavailable(f"Maven could not fetch the jars: {done.stdout.strip()[-2000:]}")
    shutil.copy(POM, partial)  # last: its presence says that the folder is complete
    if _complete(folder):  # another process was quicker
        shutil.rmtree(partial)
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    partial.chmod(0o755)
    partial.rename(folder)
    return folder


def _complete(folder: Path) -> bool:
    pom = folder / POM.name
    return pom.exists() and pom.read_text() == POM.read_text()


def _check_java() -> None:
    java = shutil.which("java")
    if java is None:
        raise BrokerUnavailable("Java is not installed")
    answer = subprocess.run(  # noqa: S603
        [java, "-version"], check=False, capture_output=True, text=True
    ).stderr
    found = re.search(r'version "(\d+)', answer)
    if found is None or int(found[1]) < JAVA_MAJOR_MIN:
        raise BrokerUnavailable(
            f"Java {JAVA_MAJOR_MIN} or newer is needed, found: {answer.strip()}"
        )


def main() -> None:
    """Fetch the jars and say where they are."""
    try:
        folder = fetch_jars()
    except BrokerUnavailable as reason:
        sys.exit(f"no Kafka broker: {reason}")
    sys.stderr.write(f"Kafka's jars are in {folder}\n")


if __name__ == "__main__":
    main()
