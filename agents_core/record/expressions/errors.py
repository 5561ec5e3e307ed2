"""What can be wrong with an expression."""

from agents_core.errors import Refused


class ExpressionRefused(Refused):
    """It is none of the language, or has no value over these names. ``column`` counts characters of its text from 1; ``sentence`` is the
    message without it."""

    code = "expression_refused"

    def __init__(self, sentence: str, column: int) -> None:
        super().__init__(f"Column {column}: {sentence}", column=column)
        self.sentence = sentence
        self.column = column


class Impossible(Exception):
    """An operator or a function got what it cannot take; becomes an ``ExpressionRefused`` where the column is known."""
