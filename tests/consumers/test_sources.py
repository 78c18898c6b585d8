"""The sources file: who may send commands, and mistakes in it are told."""

from pathlib import Path

import pytest

from consumers.sources import SourcesUnreadable, read_sources
from domain.actors import Actor, ActorKind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"sources": []}',
        '{"sources": [{"source": "x", "id": "y", "commands": ["loan.explode"]}]}',
        '{"sources": [{"source": "x", "id": "y", "commands": ["*"], "kind": "human"}]}',
        '{"sources": [{"source": "http:human:ann", "id": "y", "commands": ["*"]}]}',
        (
            '{"sources": [{"source": "x", "id": "y", "commands": ["*"]},'
            ' {"source": "x", "id": "z", "commands": ["*"]}]}'
        ),
    ],
)
def test_a_sources_file_with_a_mistake_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.json"
    path.write_text(text)
    with pytest.raises(SourcesUnreadable, match=r"sources\.json"):
        read_sources(path)


def test_a_sources_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sources.json"
    path.write_text('{"sources": [{"source": "x", "id": "y", "commands": ["loan.apply"]}]}')
    source = read_sources(path)["x"]
    assert source.actor == Actor(kind=ActorKind.UPSTREAM, id="y")
    assert source.may("loan.apply")
    assert not source.may("loan.disburse")
