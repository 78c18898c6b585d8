"""Who has signed in to the console: a signed cookie, and the secrets of its forms. Stores nothing.

The cookie holds the hash of the token that was entered, not the token. Every request looks the
caller up by it again, so a token that is taken out of the tokens file ends its sessions.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

import msgspec

from api.identity import Caller, Presented, Tokens
from domain.errors import Rejected

SESSION_COOKIE: Final = "loanbook_session"
SESSION_SECONDS: Final = 12 * 60 * 60
COOKIE_CHARS_MAX: Final = 1_000


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the cookie says."""

    token: str  # SHA-256 of the token, in hex
    person: str  # after the slash of the development token; empty: nobody named
    ends: int  # seconds of the epoch
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A visitor who has signed in; `form_secret` stands in every form of this session."""

    caller: Caller
    form_secret: str


class Sessions:
    """Begins sessions and recognises them."""

    def __init__(self, tokens: Tokens, secret: str, now: Callable[[], float]) -> None:
        """`now` tells the seconds of the epoch."""
        self._tokens = tokens
        self._key = sha256(b"loanbook session\x00" + secret.encode()).digest()
        self._now = now

    def begin(self, token: str, host: str | None) -> str:
        """Return the cookie of a new session. Raises Rejected `unauthenticated`."""
        presented = self._tokens.present(token)
        self._tokens.holder(presented, host)
        signed = _Signed(
            token=presented.digest.hex(),
            person=presented.person,
            ends=int(self._now()) + SESSION_SECONDS,
            nonce=token_urlsafe(12),
        )
        body = _text(msgspec.json.encode(signed))
        return f"{body}.{self._mac('session', body)}"

    def find(self, cookie: str | None, host: str | None) -> Session | None:
        """Return the session of a cookie; None: none, forged, over, or its token is not known."""
        if cookie is None or len(cookie) > COOKIE_CHARS_MAX or not cookie.isascii():
            return None
        body, _, mac = cookie.partition(".")
        if not hmac.compare_digest(mac, self._mac("session", body)):
            return None
        try:
            signed = msgspec.json.decode(urlsafe_b64decode(body), type=_Signed)
        except (msgspec.DecodeError, binascii.Error):
            return None
        if signed.ends <= self._now():
            return None
        try:
            presented = Presented(digest=bytes.fromhex(signed.token), person=signed.person)
            caller = self._tokens.holder(presented, host)
        except (Rejected, ValueError):
            return None
        return Session(caller=caller, form_secret=self._mac("form", body))

    def _mac(self, purpose: str, body: str) -> str:
        message = f"{purpose}\x00{body}".encode()
        return _text(hmac.digest(self._key, message, "sha256"))


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode()


def same_secret(given: str, expected: str) -> bool:
    """Compare a form's secret in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())
