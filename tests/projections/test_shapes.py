"""Every event of the domain is read, put into words, and read narrowly as the codec wrote it."""

from domain.events import TOPICS
from projections.folds.wording import WORDS
from projections.shapes import SHAPES


def test_every_topic_has_a_shape_and_its_words() -> None:
    assert set(SHAPES) == set(TOPICS)
    assert set(WORDS) == set(TOPICS)


def test_a_shape_names_only_fields_that_the_event_has() -> None:
    for topic, shape in SHAPES.items():
        read = getattr(shape, "__struct_fields__", ())
        assert set(read) <= set(TOPICS[topic].__dataclass_fields__), topic
