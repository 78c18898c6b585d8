"""An answer leaves in one piece; long ones and closing connections lose nothing."""

import asyncio
from collections.abc import Callable

from api.joined import KEPT_BYTES_MAX, JoinedTransport


class Sent(asyncio.Transport):
    """A transport that remembers what it was given."""

    def __init__(self) -> None:
        super().__init__({"peername": "somebody"})
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed, "written after it was closed"
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def steps(*works: Callable[[JoinedTransport, Sent], object]) -> Sent:
    """Do each work in a step of the event loop, and the last one's end in one more."""
    sent = Sent()

    async def run() -> None:
        joined = JoinedTransport(sent, asyncio.get_running_loop())
        for work in works:
            work(joined, sent)
            await asyncio.sleep(0)

    asyncio.run(run())
    return sent


def written(*data: bytes) -> Callable[[JoinedTransport, Sent], object]:
    return lambda joined, _: [joined.write(one) for one in data]


def test_what_one_step_writes_is_sent_at_its_end_in_one_piece() -> None:
    assert steps(written(b"head", b"body"), written(b"next")).pieces == [b"headbody", b"next"]


def test_much_is_sent_at_once_and_in_order() -> None:
    much = b"x" * (KEPT_BYTES_MAX + 1)

    def work(joined: JoinedTransport, sent: Sent) -> None:
        written(b"head", much)(joined, sent)
        assert sent.pieces == [b"head" + much]
        joined.write(b"rest")

    assert steps(work).pieces == [b"head" + much, b"rest"]


def test_what_is_kept_is_sent_before_the_connection_closes() -> None:
    def work(joined: JoinedTransport, _: Sent) -> None:
        joined.write(b"last")
        joined.close()

    sent = steps(work)
    assert sent.pieces == [b"last"]
    assert sent.closed


def test_nothing_is_sent_to_who_has_gone() -> None:
    def work(joined: JoinedTransport, sent: Sent) -> None:
        joined.write(b"late")
        sent.close()

    assert not steps(work).pieces


def test_it_is_the_transport_in_everything_else() -> None:
    def work(joined: JoinedTransport, _: Sent) -> None:
        assert joined.get_extra_info("peername") == "somebody"
        assert not joined.is_closing()

    steps(work)
