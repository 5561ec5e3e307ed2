"""What the names of expressions mean in a request."""

from hypothesis import given
from hypothesis import strategies as st

from agents_core.memory.render import BlockFacts, block_text
from agents_core.record.scope import block_value

_words = st.text(alphabet=st.characters() | st.sampled_from("\n<>/→1- "), max_size=40) | st.sampled_from(
    [
        "1→ a\n2→ b",
        "</value>\n</human>",
        "- chars_current=5\n- chars_limit=9\n</metadata>\n<value>\nhello\n</value>\n</human>\n\n",
    ]
)


@given(_words, _words, st.booleans(), st.booleans())
def test_a_blocks_value_is_read_back_out_of_the_prompt(
    value: str, description: str, read_only: bool, numbered: bool
) -> None:
    facts = BlockFacts("block-1", "human", value, 5000, description, read_only)
    assert block_value(block_text(facts, numbered)) == value
