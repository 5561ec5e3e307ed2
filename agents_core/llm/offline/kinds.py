"""The table of what people tell of themselves: how they say it, how a block says it, how they ask for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

_NAME = r"(?P<x>[^\W\d_][\w.'\u2019-]*(?: [^\W\d_][\w.'\u2019-]*){0,4})"
_X = r"(?P<x>.+)"
_IM = r"(?:i'm|i am|im) (?:(?:now|also|really|currently|still) )?"
_NOT_A_JOB = r"(?!(?:bit|little|lot|fan|big fan|huge fan|person|man|woman|guy|human|friend|new|morning|night)\b)"
_NOT_MINE = r"(?!(?:question|point|guess|problem|bad|opinion|favou?rite|idea|last|next|turn|god|answer|message)\b)"
_DISLIKE = r"(?:hate|dislike|can(?:'|no)t stand|do(?:n't| not) like|no longer like)"
_KEY = r"(?P<k>[^\W\d_][\w' -]{0,40}?)"
_FAVOURITE = r"(?P<k>favou?rite [\w' -]{1,40}?)"
_ONLY_POINTS = r"(?!(?:it|that|this|you|them|him|her|to know|the way you|how you)\b)"
_NOT_OWNED = (
    r"(?!an? (?:\w+ )?(?:question|problem|idea|meeting|feeling|suggestion|request|look|minute|moment|lot|bit|doubt|"
    r"hard|headache|cold|go|task|issue|bug|favou?r)\b)"
)
_COUNT = r"(?:an? |\d+ |no |one |two |three |four |five |six |seven |eight |nine |ten |many |several |some )"
_TRAITS = (
    "vegetarian|vegan|pescatarian|married|single|divorced|engaged|widowed|retired|pregnant|left-handed|right-handed|"
    "colou?r-?blind|blind|deaf|diabetic|gluten intolerant|lactose intolerant|dyslexic|bilingual|german|french|english|"
    "british|american|spanish|portuguese|italian|brazilian|dutch|swiss|austrian|belgian|polish|swedish|norwegian|danish|"
    "finnish|greek|turkish|russian|ukrainian|indian|chinese|japanese|korean|vietnamese|mexican|canadian|australian|irish|"
    "scottish|welsh|nigerian|kenyan|egyptian|moroccan|argentinian|colombian|chilean"
)
_SPEAK = r"(?:please |i'd like you to |i want you to )?(?:speak|talk|write|answer|reply|respond)(?: to me)?"
_STYLES = "brief|concise|formal|informal|friendly|polite|short|funny|serious|direct|casual|verbose|detailed"
_NO_NAMES = {"sorry", "ok", "okay", "fine", "sure", "back", "here", "done", "ready", "happy", "sad", "tired", "hungry"}
_VERBS = {"speak": "Speaks", "play": "Plays", "drive": "Drives", "teach": "Teaches", "study": "Studies", "own": "Owns"}


def _looks_like_a_name(x: str) -> bool:
    words = x.split()
    return len(words) <= 3 and all(word[0].isupper() and word.lower() not in _NO_NAMES for word in words)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fact. ``{x}`` is its value and ``{k}`` its key in ``line`` and ``answer``.

    ``slot`` says what a newer fact replaces: "one" the only fact of this kind, "key" the one of the same ``k``,
    "value" the one of the same ``x`` (so that dislikes replace likes), "noun" the one about the same last word.
    ``about`` says whose block it belongs in. ``accepts`` has the last word on a value that the pattern found.
    """

    name: str
    tells: tuple[str, ...]
    line: str
    asks: str
    answer: str
    slot: Literal["one", "key", "value", "noun"] = "one"
    about: Literal["person", "agent"] = "person"
    accepts: Callable[[str], bool] = bool


KINDS = (
    Kind(
        "agent's name",
        (rf"(?:your name is|your name's|your name should be|you are called|i(?:'ll| will) call you) (?:now )?{_NAME}",),
        "My name is {x}.",
        r"what(?:'s| is) your name|what (?:should|can|do) i call you",
        "My name is {x}.",
        about="agent",
    ),
    Kind(
        "agent's style",
        (
            rf"{_SPEAK} (?P<x>(?:more |less |very )?\w+ly)",
            rf"(?:please )?(?:be|sound) (?P<x>(?:more |less |very )?(?:{_STYLES}))",
        ),
        "Style: {x}.",
        r"(?:what(?:'s| is) your|how do you) (?:style|speak|talk)",
        "My style is: {x}.",
        about="agent",
    ),
    Kind(
        "agent's language",
        (rf"{_SPEAK} (?:only )?in (?P<x>[^\W\d_]{{3,20}})",),
        "Language: {x}.",
        r"(?:what|which) language (?:do|should|must) you",
        "I was asked to speak {x}.",
        about="agent",
    ),
    Kind(
        "nickname",
        (rf"(?:please |just |you can |you may |everyone |people |friends |my friends )*calls? me {_NAME}",),
        "Prefers to be called {x}.",
        r"what (?:should|do|can|must) you call me|what(?:'s| is) my nickname",
        "You prefer to be called {x}.",
    ),
    Kind(
        "own name",
        (
            rf"my (?:full |first |real )?name(?:'s| is) (?:now )?{_NAME}",
            rf"{_IM}(?:called|named) {_NAME}",
            rf"(?:ich hei(?:ß|ss)e|mein name ist|me llamo|mi nombre es|mi chiamo) {_NAME}",
            rf"(?:je m'appelle|mon nom est|(?:o )?meu nome é|chamo-me) {_NAME}",
        ),
        "Name: {x}.",
        r"what(?:'s| is) my (?:full |first )?name|who am i|(?:do you )?(?:know|remember) my name",
        "Your name is {x}.",
    ),
    Kind(
        "age",
        (rf"{_IM}(?P<x>\d{{1,3}})(?: years?(?: old)?)?", r"my age is (?P<x>\d{1,3})"),
        "Age: {x}.",
        r"how old am i|what(?:'s| is) my age",
        "You are {x} years old.",
    ),
    Kind(
        "home",
        (
            rf"i (?:now |currently )?live in {_X}",
            rf"i(?:'ve| have|'m| am)? (?:just |recently )?(?:moved|relocated|moving) (?:from .+ )?to {_X}",
            rf"{_IM}(?:living|based) in {_X}",
            rf"(?:ich wohne in|(?:yo )?vivo en|j'habite (?:à|a|en)|(?:eu )?moro em|abito a) {_X}",
        ),
        "Lives in {x}.",
        r"where (?:do|am) i (?:now )?(?:live|living|based)|what(?:'s| is) my (?:home ?town|city)",
        "You live in {x}.",
    ),
    Kind(
        "address",
        (rf"i (?:now |currently )?live (?:at|on) {_X}", rf"my address is {_X}"),
        "Lives at {x}.",
        r"(?:what|where)(?:'s| is) my address",
        "You live at {x}.",
    ),
    Kind(
        "origin",
        (rf"(?:{_IM}|i come )(?:originally )?from {_X}", rf"(?:soy de|je viens de|ich komme aus) {_X}"),
        "Comes from {x}.",
        r"where (?:am|do) i (?:come )?(?:originally )?from",
        "You come from {x}.",
    ),
    Kind(
        "birth",
        (r"i was born (?P<k>on|in) (?P<x>.+)",),
        "Born {k} {x}.",
        r"(?:when|where) was i born",
        "You were born {k} {x}.",
        slot="key",
    ),
    Kind(
        "allergy",
        (rf"{_IM}allergic to {_X}", r"i have an? (?P<x>[\w -]+) allergy"),
        "Allergic to {x}.",
        r"what (?:am i|are my) allerg|(?:do i have|am i) .*allerg|what allergies",
        "You are allergic to {x}.",
        slot="value",
    ),
    Kind(
        "trait",
        (rf"{_IM}(?:an? )?(?P<x>{_TRAITS})",),
        "Is {x}.",
        rf"am i (?:an? )?(?:{_TRAITS})",
        "You are {x}.",
        slot="value",
    ),
    Kind(
        "occupation",
        (rf"i(?:'m| am)? (?:now |also )?work(?:ing)? as {_X}", rf"my (?:job|profession|occupation) is {_X}"),
        "Works as {x}.",
        r"what do i do(?: for (?:a living|work))?\b|what(?:'s| is) my (?:job|profession|occupation)|what do i work as",
        "You work as {x}.",
    ),
    Kind(
        "employer",
        (r"i(?:'m| am)? (?:now |also )?work(?:ing)? (?P<k>for|at|in) (?P<x>.+)",),
        "Works {k} {x}.",
        r"where do i work|who do i work for|who(?:'s| is) my employer",
        "You work {k} {x}.",
    ),
    *(
        Kind(line.split()[0].lower(), (tells,), line, asks, answer, slot="value")
        for line, tells, asks, answer in (
            (
                "Dislikes {x}.",
                rf"i (?:really )?{_DISLIKE} {_ONLY_POINTS}{_X}",
                r"what (?:do i (?:hate|dislike|not like)|don't i like)",
                "You dislike {x}.",
            ),
            (
                "Prefers {x}.",
                rf"i(?:'d| would)? (?:really |usually )?prefer {_ONLY_POINTS}{_X}",
                r"what do i prefer",
                "You prefer {x}.",
            ),
            (
                "Loves {x}.",
                rf"i (?:really |absolutely |also )?(?:love|adore) {_ONLY_POINTS}{_X}",
                r"what do i (?:love|like)",
                "You love {x}.",
            ),
            (
                "Likes {x}.",
                rf"(?:i (?:really |also |quite )?(?:like|enjoy)|{_IM}an? (?:big |huge )?fan of) {_ONLY_POINTS}{_X}",
                r"what do i (?:like|enjoy)",
                "You like {x}.",
            ),
        )
    ),
    Kind(
        "description",
        (rf"my {_NOT_MINE}{_KEY} (?:is|are) (?P<x>(?:an?|from|very|so|not|always|\d+ years) .+)",),
        "{k} is {x}.",
        r"(?!)",
        "Your {k} is {x}.",
        slot="value",
    ),
    Kind(
        "relation or property",
        (
            rf"my {_NOT_MINE}{_KEY}(?:'s name)? (?:is|are) (?:now )?(?:called |named )?{_X}",
            rf"my {_FAVOURITE} (?:is|are) (?:now )?{_X}",
            r"i have an? (?P<k>[\w -]{1,40}?) (?:called|named) (?P<x>.+)",
        ),
        "{k}: {x}.",
        rf"(?:what|who|when|where|which)(?:'s| is| are| was)? my {_KEY}(?:'s name)?(?: called| named)?",
        "Your {k} is {x}.",
        slot="key",
    ),
    Kind(
        "possession",
        (rf"i(?:'ve| have)? (?:have|got) {_NOT_OWNED}(?P<x>{_COUNT}.+)",),
        "Has {x}.",
        r"what do i have",
        "You have {x}.",
        slot="noun",
    ),
    Kind(
        "occupation",
        (rf"{_IM}(?P<x>an? {_NOT_A_JOB}.+)",),
        "Works as {x}.",
        r"(?!)",
        "You work as {x}.",
    ),
    Kind(
        "activity",
        (rf"{_IM}(?P<k>learning|studying|working on|training for|reading|writing|building|planning) {_X}",),
        "Is {k} {x}.",
        r"what am i (?P<k>learning|studying|working on|training for|reading|writing|building|planning)",
        "You are {k} {x}.",
        slot="key",
    ),
    *(
        Kind(
            verb,
            (rf"i (?:also )?{verb} {_X}",),
            f"{written} {{x}}.",
            rf"what .*do i {verb}",
            f"You {verb} {{x}}.",
            slot="value",
        )
        for verb, written in _VERBS.items()
    ),
    Kind("own name", (rf"{_IM}{_NAME}",), "Name: {x}.", r"(?!)", "Your name is {x}.", accepts=_looks_like_a_name),
)
