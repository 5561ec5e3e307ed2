"""Words that carry a sentence, and errors in words."""

import re

_WORD = re.compile(r"[^\W_]+")
_EMPTY = frozenset(
    _WORD.findall(
        """a about above after again all also am an and any are as ask asked at be because been before being but by
        call called
        can could did do does doing done for from get got had has have having he her here him his how i if in into is
        it its just know like likes made make many me mention mentioned more most much my no not now of on once only or
        other our out over own please recall remember said same say saying search she should so some something such talk
        talked tell than that the their them then there these they thing things this those to told too under until up us
        user very was we were what when where which while who whom why will with would yes you your find look s t m ve
        re d ll die der das und ist el la los que es le les et un une"""
    )
)

_EXPLANATIONS = (
    (r"read-?only", "the block is read-only."),
    (r"limit|exceed|too long", "the text does not fit within the limit."),
    (r"not found|no (?:such|match)|does not exist", "what it should work on was not found."),
    (r"time[d ]?-?\s?out", "it took too long and was stopped."),
    (r"memoryerror", "it needed more memory than it may use."),
    (r"argument|parameter|required|validation|invalid", "the arguments do not fit."),
    (r"interrupted|unknown outcome", "it was interrupted, and whether it happened is not known."),
)


def content_words(text: str) -> frozenset[str]:
    """The words that say what a text is about, without their endings."""
    return frozenset(stem(word) for word in _WORD.findall(text.casefold()) if word not in _EMPTY)


def stem(word: str) -> str:
    """Enough of an English stem for "lives" to meet "live" and "cities" to meet "city"."""
    for ending in ("ingly", "edly", "ing", "ies", "ied", "es", "ed", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def overlap(wanted: frozenset[str], text: str) -> float:
    """The share of ``wanted`` that ``text`` holds, 0 to 1."""
    return len(wanted & content_words(text)) / len(wanted) if wanted else 0.0


def explained(error: str) -> str:
    """An error as a sentence: what it means, then what was said."""
    meaning = next((said for pattern, said in _EXPLANATIONS if re.search(pattern, error, re.IGNORECASE)), "it failed.")
    return f"{meaning} (The tool said: {shortened(error, 300)})"


def shortened(text: str, chars: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= chars else f"{flat[: chars - 1]}…"
