"""Names for agents that were given none."""

import random

_FIRST = [
    "Amber",
    "Bright",
    "Calm",
    "Clever",
    "Copper",
    "Gentle",
    "Golden",
    "Hazel",
    "Ivory",
    "Jade",
    "Keen",
    "Lively",
    "Mellow",
    "Noble",
    "Patient",
    "Quiet",
    "Rapid",
    "Silver",
    "Steady",
    "Swift",
    "Vivid",
    "Warm",
    "Wise",
]
_SECOND = [
    "Badger",
    "Cedar",
    "Comet",
    "Crane",
    "Falcon",
    "Fern",
    "Finch",
    "Harbor",
    "Heron",
    "Island",
    "Lantern",
    "Maple",
    "Meadow",
    "Otter",
    "Owl",
    "Pine",
    "River",
    "Sparrow",
    "Summit",
    "Thistle",
    "Willow",
    "Wren",
]


def fresh_name() -> str:
    """Two words in CamelCase, such as QuietHeron; not unique."""
    return f"{random.choice(_FIRST)}{random.choice(_SECOND)}"
