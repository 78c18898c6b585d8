"""Reads an HTML page into a small tree, for tests that ask what stands on it."""

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Node:
    """An element with its attributes, its elements and its text."""

    def __init__(self, tag: str, attributes: dict[str, str], parent: "Node | None" = None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.inside: list[Node | str] = []

    @property
    def text(self) -> str:
        """All text in it, blanks made single."""
        parts = (part if isinstance(part, str) else part.text for part in self.inside)
        return " ".join(" ".join(parts).split())

    def walk(self) -> "Iterator[Node]":
        """Go through it and all elements inside, in the page's order."""
        yield self
        for part in self.inside:
            if isinstance(part, Node):
                yield from part.walk()

    def all(self, tag: str | None = None, **wanted: str) -> "list[Node]":
        """Find elements by tag and attributes; `class_` finds one of the classes."""
        return [node for node in self.walk() if node.is_like(tag, wanted)]

    def one(self, tag: str | None = None, **wanted: str) -> "Node":
        """Find the only such element."""
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} elements {tag} {wanted}"
        return found[0]

    def is_like(self, tag: str | None, wanted: dict[str, str]) -> bool:
        if tag is not None and self.tag != tag:
            return False
        for name, value in wanted.items():
            if name == "class_":
                if value not in self.get("class").split():
                    return False
            elif self.attributes.get(name.replace("_", "-")) != value:
                return False
        return True

    def get(self, name: str) -> str:
        """An attribute's value; empty when it is not there."""
        return self.attributes.get(name, "")

    def rows(self) -> list[list[str]]:
        """The texts of a table's body, row by row."""
        bodies = self.all("tbody")
        return [
            [cell.text for cell in row.inside if isinstance(cell, Node)]
            for body in bodies
            for row in body.all("tr")
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.top = Node("", {})
        self._open = self.top

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.inside.append(node)
        if tag not in VOID:
            self._open = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._open.inside.append(Node(tag, attributes, self._open))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open.tag == tag, f"<{self._open.tag}> is closed by </{tag}>"
        assert self._open.parent is not None
        self._open = self._open.parent

    def handle_data(self, data: str) -> None:
        self._open.inside.append(data)

    @property
    def finished(self) -> bool:
        """Whether every element was closed."""
        return self._open is self.top


def read(text: str) -> Node:
    """Read a page; every element must be closed in its order."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.finished, "an element is not closed"
    return reader.top
