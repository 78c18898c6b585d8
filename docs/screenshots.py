"""Takes the pictures of the README from a running console: `make run`, then `make screenshots`.

It signs in with the development token, looks at pages and changes nothing.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.browser import Browser, running

IMAGES: Final = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1280, 860
BYTES_MAX: Final = 250_000
AS_OF: Final = "2018-05-10"
LATE_SINCE_SPRING: Final = ".queue tbody tr:nth-child(2) a.id"


@contextmanager
def signed_in(address: str, token: str) -> Iterator[Browser]:
    """Open the console in a browser, in English."""
    with running(WIDTH, HEIGHT) as browser:
        browser.open(f"{address}/console/sign-in")
        browser.type("#token", token)
        browser.click("form.stack button")
        yield browser


def take(browser: Browser, name: str) -> None:
    """Save what the window shows. Raises SystemExit when the page complains or is too large."""
    if browser.problems:
        sys.exit(f"{browser.address}: {browser.problems}")
    picture = browser.picture()
    if len(picture) > BYTES_MAX:
        sys.exit(f"{name} takes {len(picture)} bytes")
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / f"{name}.png").write_bytes(picture)
    print(f"docs/images/{name}.png: {len(picture) // 1000} kB")


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8000")
    parser.add_argument("--token-file", type=Path, default=Path(".loanbook/development-token"))
    given = parser.parse_args()
    token = given.token_file.read_text().strip()
    with signed_in(given.address, f"{token}/ann") as browser:
        browser.open(f"{given.address}/console/portfolio")
        take(browser, "portfolio")
        browser.open(f"{given.address}/console/queue")
        take(browser, "queue")
        browser.click(LATE_SINCE_SPRING)
        loan = browser.address
        browser.open(f"{loan}?as_of={AS_OF}")
        take(browser, "loan")
        browser.open(f"{given.address}/console/audit")
        take(browser, "audit")
        browser.open(f"{given.address}/console/language/zh?back=/console/portfolio")
        take(browser, "portfolio-zh")


if __name__ == "__main__":
    main()
