"""A real browser: headless Chromium, told what to do over a pair of pipes in its own protocol.

No driver and no port: the messages of the DevTools protocol are JSON, each ended by a zero byte.
Chromium comes with `make browser`. Where it is missing, tests are skipped with the reason; in
continuous integration a missing browser is a failure.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fcntl import F_DUPFD, fcntl
from pathlib import Path
from select import select
from time import monotonic
from typing import Any, BinaryIO, NoReturn, Self

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it will not start as root otherwise, and sees our own pages only
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--lang=en-US",
    "--remote-debugging-pipe",
)
# The protocol speaks on the descriptors 3 and 4; ours are put there on the way into the browser.
ON_3_AND_4 = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)
HIGH = 10
ANSWER_SECONDS_MAX = 60.0
HEIGHT_MAX = 4_000


class BrowserMissing(Exception):
    """There is no Chromium on this machine."""


class PageFailed(Exception):
    """The browser did not do what it was told."""


def find() -> str:
    """Find Chromium's program. Raises BrowserMissing."""
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    raise BrowserMissing("no chromium on the path; `make browser` installs it")


class Browser:
    """One page in a fresh profile. `problems` are what the console of the page complained of."""

    def __init__(self, to: int, answers: BinaryIO) -> None:
        self._to = to
        self._answers = answers
        self._waiting = b""
        self._number = 0
        self._loads = 0
        self.problems: list[str] = []
        targets = self._ask("Target.getTargets", None)["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = {"targetId": page["targetId"], "flatten": True}
        self._session = self._ask("Target.attachToTarget", attached)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def open(self, address: str) -> Self:
        """Load an address and wait for it."""
        loads = self._loads
        answer = self.ask("Page.navigate", url=address)
        if "errorText" in answer:
            raise PageFailed(f"{address}: {answer['errorText']}")
        return self._loaded(loads)

    def click(self, selector: str) -> Self:
        """Click on what leads to another page, and wait for that."""
        loads = self._loads
        target = json.dumps(selector)
        clicked = "(e => { e.dispatchEvent(new MouseEvent('click', {bubbles: true})); })"
        self.run(f"{clicked}(document.querySelector({target}))")
        return self._loaded(loads)

    def type(self, selector: str, text: str) -> None:
        """Write into a field."""
        self.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    def press(self, key: str) -> None:
        """Press and let go of a key, such as Tab, where the focus is."""
        for kind in ("rawKeyDown", "keyUp"):
            self.ask(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=9
            )

    def run(self, expression: str) -> Any:  # noqa: ANN401 - any JSON value
        """Evaluate JavaScript in the page. Raises PageFailed with the page's exception."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise PageFailed(f"{expression}: {answer['exceptionDetails']['exception']}")
        return answer["result"].get("value")

    def resize(self, width: int, height: int = 800) -> None:
        """Give the window a size."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def picture(self, *, whole: bool = False) -> bytes:
        """Take a PNG of the window, or of the whole page."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        clip["height"] = min(clip["height"], HEIGHT_MAX)
        more = {"clip": clip, "captureBeyondViewport": True} if whole else {}
        return b64decode(self.ask("Page.captureScreenshot", format="png", **more)["data"])

    @property
    def address(self) -> str:
        """Where the page is."""
        return self.run("location.href")

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """Carry out a command of the protocol on the page. Raises PageFailed."""
        return self._ask(method, parameters, self._session)

    def _ask(
        self, method: str, parameters: dict[str, Any] | None, session: str | None = None
    ) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters or {}}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise PageFailed(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def _loaded(self, before: int) -> Self:
        while self._loads == before:
            self._note(self._next())
        return self

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self._loads += 1
            case "Runtime.exceptionThrown":
                self.problems.append(str(parameters["exceptionDetails"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in {"error", "warning"}:
                self.problems.append(str(parameters["entry"]["text"]))
            case _:
                pass

    def _next(self) -> dict[str, Any]:
        deadline = monotonic() + ANSWER_SECONDS_MAX
        while b"\0" not in self._waiting:
            ready, _, _ = select([self._answers], [], [], max(0.0, deadline - monotonic()))
            read = os.read(self._answers.fileno(), 65_536) if ready else b""
            if not read:
                raise PageFailed("the browser does not answer")
            self._waiting += read
        message, _, self._waiting = self._waiting.partition(b"\0")
        return json.loads(message)


@contextmanager
def running(width: int = 1280, height: int = 800) -> Generator[Browser]:
    """Run Chromium while the block runs. Raises BrowserMissing."""
    program = find()
    from_us, to_browser = os.pipe()
    from_browser, to_us = os.pipe()
    theirs = [fcntl(end, F_DUPFD, HIGH) for end in (from_us, to_us)]
    with tempfile.TemporaryDirectory(prefix="loanbook-browser-", ignore_cleanup_errors=True) as own:
        profile = [f"--user-data-dir={own}", "about:blank"]
        process = subprocess.Popen(  # noqa: S603 - a fixed command of ours
            [sys.executable, "-c", ON_3_AND_4, *map(str, theirs), program, *FLAGS, *profile],
            pass_fds=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (from_us, to_us, *theirs):
            os.close(end)
        try:
            with os.fdopen(from_browser, "rb", buffering=0) as answers:
                browser = Browser(to_browser, answers)  # pyright: ignore[reportArgumentType] - raw
                browser.resize(width, height)
                yield browser
        finally:
            os.close(to_browser)
            process.terminate()
            process.wait(timeout=30)


def unavailable(reason: BrowserMissing) -> NoReturn:
    """Skip with the reason; in continuous integration a missing browser is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"no browser: {reason}")
    pytest.skip(f"no browser: {reason}")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser of this test's own, with no cookies."""
    try:
        find()
    except BrowserMissing as reason:
        unavailable(reason)
    with running() as started:
        yield started


def save(picture: bytes, path: Path) -> None:
    """Write a picture to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)
