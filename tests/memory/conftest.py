from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.memory.world import AbsentEmbedder, TopicEmbedder


# Models can be imported only once Django is set up, which is after this file is read.


@pytest.fixture
def topics() -> "TopicEmbedder":
    from tests.memory.world import TopicEmbedder

    return TopicEmbedder([["dog", "puppy", "pet"], ["paint", "art", "canvas"], ["job", "work", "office"]])


@pytest.fixture
def absent() -> "AbsentEmbedder":
    from tests.memory.world import AbsentEmbedder

    return AbsentEmbedder([["dog"]])
