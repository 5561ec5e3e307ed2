"""The offline model in conversation: tell, change, ask, forget, with the tools of each kind of agent."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents_core.errors import InvalidInput
from agents_core.llm.base import PROVIDERS, Endpoint
from agents_core.llm.errors import ContextWindowExceeded, ModelNotFound
from agents_core.llm.providers.offline import SUMMARY_REQUEST, OfflineProvider
from agents_core.llm.types import (
    ChatMessage,
    Image,
    ModelRequest,
    Reasoning,
    ReasoningDelta,
    Sent,
    Text,
    TextDelta,
    ToolSpec,
)
from tests.llm.offline_world import (
    ARCHIVAL_TOOLS,
    MEMGPT_TOOLS,
    ROLL_DICE,
    V1_TOOLS,
    ToolFailureError,
    World,
    answered,
    finished,
)


def with_archive() -> World:
    return World(tools=V1_TOOLS + ARCHIVAL_TOOLS)


# --- what a person tells ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("My name is Inês", "Name: Inês."),
        ("my name is inês silva.", "Name: Inês Silva."),
        ("Hi, I'm Bo!", "Name: Bo."),
        ("I am called Anne-Marie O'Brien", "Name: Anne-Marie O'Brien."),
        ("Ich heiße Jürgen Groß.", "Name: Jürgen Groß."),
        ("Me llamo José María", "Name: José María."),
        ("Je m\u2019appelle Zoë", "Name: Zoë."),
        ("call me Bo", "Prefers to be called Bo."),
        ("I live in Porto", "Lives in Porto."),
        ("i now live in são paulo these days", "Lives in são paulo."),
        ("I moved to Lisbon last month", "Lives in Lisbon."),
        ("I've just moved from Porto to St. Ives.", "Lives in St. Ives."),
        ("Ich wohne in Köln", "Lives in Köln."),
        ("Vivo en Málaga", "Lives in Málaga."),
        ("I'm from Brazil", "Comes from Brazil."),
        ("I work as a cardiologist", "Works as a cardiologist."),
        ("I'm a nurse", "Works as a nurse."),
        ("I work at Siemens", "Works at Siemens."),
        ("I'm 34 years old", "Age: 34."),
        ("I was born on 3 May 1990", "Born on 3 May 1990."),
        ("I like tea", "Likes tea."),
        ("I really love my job", "Loves their job."),
        ("I prefer tea to coffee", "Prefers tea to coffee."),
        ("I can't stand loud music", "Dislikes loud music."),
        ("I'm allergic to peanuts.", "Allergic to peanuts."),
        ("I have a peanut allergy", "Allergic to peanut."),
        ("I'm vegetarian", "Is vegetarian."),
        ("my sister is called Ana", "Sister: Ana."),
        ("My dog's name is Rex", "Dog: Rex."),
        ("I have a son named Tomás", "Son: Tomás."),
        ("my sister is a nurse", "Sister is a nurse."),
        ("my birthday is 3 May", "Birthday: 3 May."),
        ("I live at 12 Baker Street, London.", "Lives at 12 Baker Street, London."),
        ("My favourite colour is green", "Favourite colour: green."),
        ("I have two cats", "Has two cats."),
        ("I'm learning Rust", "Is learning Rust."),
        ("I play the piano", "Plays the piano."),
    ],
)
async def test_what_a_person_tells_becomes_one_tidy_line(said: str, line: str) -> None:
    world = World()
    reply = await world.say(said)
    assert world.blocks == {"human": line, "persona": ""}
    assert line in reply


@pytest.mark.parametrize(
    "said",
    [
        "I'm tired",
        "I'm sorry",
        "I like it",
        "I love you",
        "I have a question",
        "I have to go",
        "I'd like to know more",
        "My question is simple",
        "Is my name Bo?",
        "Do I live in Porto?",
        "The weather is bad.",
        "",
        "???",
        "🎉",
    ],
)
async def test_what_is_no_fact_is_not_stored(said: str) -> None:
    world = World()
    await world.say(said)
    assert world.blocks == {"human": "", "persona": ""}


@pytest.mark.parametrize(
    ("first", "then", "line"),
    [
        ("My name is Ana", "My name is Inês", "Name: Inês."),
        ("I live in Porto", "I moved to Lisbon", "Lives in Lisbon."),
        ("I like tea", "I don't like tea any more", "Dislikes tea."),
        ("I have two cats", "I have three cats", "Has three cats."),
        ("my sister is called Ana", "my sister is called Eva", "Sister: Eva."),
        ("I work as a nurse", "I'm a doctor", "Works as a doctor."),
    ],
)
async def test_a_newer_fact_of_the_same_kind_replaces_the_older(first: str, then: str, line: str) -> None:
    world = World()
    await world.say(first)
    reply = await world.say(then)
    assert world.blocks["human"] == line
    assert world.called == ["memory_replace"]
    assert "in place of" in reply


async def test_the_same_fact_again_is_known_and_not_written() -> None:
    world = World()
    await world.say("I live in Porto")
    assert "already know" in await world.say("I live in Porto.")
    assert world.called == []


async def test_facts_of_different_kinds_stand_side_by_side() -> None:
    world = World()
    for said in ("I like tea", "I like coffee", "my sister is called Ana", "my sister is a nurse"):
        await world.say(said)
    assert world.blocks["human"] == "Likes tea.\nLikes coffee.\nSister: Ana.\nSister is a nurse."


async def test_several_facts_take_a_step_each_or_one_in_parallel() -> None:
    said = "My name is Inês, I live in Porto and work as a cardiologist."
    lines = "Name: Inês.\nLives in Porto.\nWorks as a cardiologist."
    one_by_one, at_once = World(), World(options={"parallel_tool_calls": True})
    assert "Nice to meet you, Inês" in await one_by_one.say(said)
    await at_once.say(said)
    assert (one_by_one.steps, one_by_one.blocks["human"]) == (4, lines)
    assert (at_once.steps, at_once.blocks["human"]) == (2, lines)


async def test_of_two_facts_for_one_place_the_later_counts() -> None:
    world = World()
    await world.say("I live in Porto. No, I live in Lisbon.")
    assert world.blocks["human"] == "Lives in Lisbon."


@pytest.mark.parametrize("recompiles", [True, False])
@pytest.mark.parametrize(
    "tools",
    [
        V1_TOOLS,
        ("core_memory_append", "core_memory_replace"),
        ("memory",),
        ("memory_apply_patch",),
        ("memory_rethink",),
    ],
    ids=lambda tools: tools[0],
)
async def test_any_memory_tools_will_do(tools: tuple[str, ...], recompiles: bool) -> None:
    world = World(tools=tools, recompiles=recompiles)
    await world.say("My name is Inês. I live in Porto. I like tea.")
    assert world.blocks["human"] == "Name: Inês.\nLives in Porto.\nLikes tea."
    await world.say("I moved to Lisbon")
    assert "Lives in Lisbon." in world.blocks["human"].split("\n")
    await world.say("Forget that I live in Lisbon")
    assert sorted(line for line in world.blocks["human"].split("\n") if line) == ["Likes tea.", "Name: Inês."]


async def test_line_numbers_in_the_prompt_do_not_get_into_memory() -> None:
    world = World(numbered=True, blocks={"human": "Name: Inês.\nLives in Porto.", "persona": "I am Sam."})
    await world.say("I moved to Lisbon")
    assert world.blocks["human"] == "Name: Inês.\nLives in Lisbon."
    assert "Inês" in await world.say("What is my name?")


async def test_a_sentence_that_people_wrote_is_corrected_in_place() -> None:
    world = World(blocks={"human": "The user's name is Sarah. She lives in Berlin and sings.", "persona": ""})
    assert await world.say("What's my name?") == "Your name is Sarah."
    await world.say("My name is Inês")
    assert world.blocks["human"] == "The user's name is Inês. She lives in Berlin and sings."


async def test_a_read_only_block_is_respected_and_said() -> None:
    world = World(read_only=("human",))
    assert "read-only" in await world.say("My name is Inês")
    assert world.called == []


async def test_a_full_block_spills_into_the_archive() -> None:
    world = World(tools=V1_TOOLS + ARCHIVAL_TOOLS, limit_chars=10)
    assert "is full" in await world.say("I live in Porto")
    assert (world.archive, world.called) == (["Lives in Porto."], ["memory_insert", "archival_memory_insert"])


async def test_a_full_block_without_an_archive_is_said() -> None:
    world = World(limit_chars=10)
    assert "does not fit within the limit" in await world.say("I live in Porto")
    assert world.called == ["memory_insert"]


async def test_words_that_have_gone_are_added_anew_once() -> None:
    world = World(recompiles=False, blocks={"human": "Lives in Porto.", "persona": ""})
    prompt = world.system()
    world.blocks["human"] = "Somebody cleared this."
    world.system = lambda: prompt  # type: ignore[method-assign]
    await world.say("I moved to Lisbon")
    assert world.called == ["memory_replace", "memory_insert"]
    assert world.blocks["human"].endswith("Lives in Lisbon.")


async def test_without_memory_tools_it_says_so() -> None:
    assert "no tool" in await World(tools=()).say("My name is Inês")
    assert "no memory block" in await World(tools=(), blocks={}).say("My name is Inês")


# --- forgetting, the persona, the archive -------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("forget that I live in Porto", "Name: Inês.\nSister: Ana.\nLikes tea."),
        ("Please forget my sister.", "Name: Inês.\nLives in Porto.\nLikes tea."),
        ("I no longer live in Porto", "Name: Inês.\nSister: Ana.\nLikes tea."),
        ("forget about tea", "Name: Inês.\nLives in Porto.\nSister: Ana."),
    ],
)
async def test_what_shall_be_forgotten_leaves_the_block(said: str, left: str) -> None:
    world = World(blocks={"human": "Name: Inês.\nLives in Porto.\nSister: Ana.\nLikes tea.", "persona": ""})
    assert "removed" in await world.say(said)
    assert world.blocks["human"] == left


async def test_there_is_nothing_to_forget_of_what_was_never_known() -> None:
    world = World(blocks={"human": "Name: Inês.", "persona": ""})
    assert "nothing about" in await world.say("forget that I own a boat")
    assert world.called == []


@pytest.mark.parametrize(
    ("said", "persona"),
    [
        ("Your name is Max", "My name is Max."),
        ("speak more formally", "Style: more formally."),
        ("I'd like you to speak more formally.", "Style: more formally."),
        ("Be brief.", "Style: brief."),
        ("Please answer in German", "Language: German."),
    ],
)
async def test_corrections_of_the_agent_go_to_its_persona(said: str, persona: str) -> None:
    world = World()
    await world.say(said)
    assert world.blocks == {"human": "", "persona": persona}


async def test_the_agent_knows_its_own_name_and_not_the_persons() -> None:
    world = World(blocks={"human": "Name: Inês.", "persona": "I am Sam, a friend."})
    assert await world.say("What is your name?") == "My name is Sam."
    await world.say("your name is Max")
    assert world.blocks["persona"] == "I am Max, a friend."


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Remember that the door code is 4411.", "The door code is 4411."),
        ("note that Ana arrives on Friday", "Ana arrives on Friday"),
        ("Save this: milk, eggs. And bread.", "Milk, eggs. And bread."),
        ("Could you please remember the meeting is at 9?", "The meeting is at 9"),
        ("Hey, remember that I am a mänsch", "I am a mänsch"),
    ],
)
async def test_what_to_remember_goes_into_the_archive(said: str, kept: str) -> None:
    world = with_archive()
    assert kept in await world.say(said)
    assert [text.rstrip(".") for text in world.archive] == [kept.rstrip(".")]
    assert world.blocks["human"] == ""


async def test_a_long_note_is_stored_whole() -> None:
    world = with_archive()
    note = "The heron nests here. " * 500 + "The end."
    await world.say(f"Remember this: {note}")
    assert world.archive == [note]


async def test_without_an_archive_it_goes_into_the_persons_block() -> None:
    world = World()
    await world.say("Remember that the door code is 4411.")
    assert world.blocks["human"] == "The door code is 4411."
    assert "already know" in await world.say("Remember that the door code is 4411.")


# --- questions ----------------------------------------------------------------------------------

KNOWN = "Name: Inês.\nLives in Porto.\nSister: Ana.\nLikes tea.\nLikes jazz.\nHas two cats.\nAge: 34."


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        ("What's my name?", "Your name is Inês."),
        ("who am I", "Your name is Inês."),
        ("where do i live?", "You live in Porto."),
        ("Hi! How old am I?", "You are 34 years old."),
        ("What is my sister called?", "Your sister is Ana."),
        ("What\u2019s my sister\u2019s name?", "Your sister is Ana."),
        ("What do I like?", "You like tea. You like jazz."),
        ("How many cats do I have?", "“Has two cats.”"),
        ("Do I like jazz?", "“Likes jazz.”"),
        ("did I mention my sister?", "“Sister: Ana.”"),
    ],
)
async def test_core_memory_answers_first(asked: str, reply: str) -> None:
    world = World(tools=V1_TOOLS + ARCHIVAL_TOOLS, blocks={"human": KNOWN, "persona": ""})
    assert reply in await world.say(asked)
    assert world.called == []


async def test_all_that_is_known_of_a_person_is_told() -> None:
    world = World(blocks={"human": KNOWN, "persona": ""})
    reply = await world.say("What do you know about me?")
    assert all(line in reply for line in KNOWN.split("\n"))
    assert "nothing about you yet" in await World().say("What do you know about me?")


async def test_then_the_archive_then_the_conversation_are_searched() -> None:
    world = with_archive()
    world.archive.append("The door code is 4411.")
    assert "“The door code is 4411.”" in await world.say("What is the door code?")
    assert world.called == ["archival_memory_search"]
    await world.say("The heron nested beside the mill.")
    assert "heron nested" in await world.say("Where did the heron nest?")
    assert world.called == ["archival_memory_search", "conversation_search"]


async def test_what_was_talked_of_is_sought_in_the_conversation_first() -> None:
    world = with_archive()
    await world.say("The heron nested beside the mill.")
    assert "user: The heron nested" in await world.say("Do you remember what I said about the heron?")
    assert world.called == ["conversation_search"]


async def test_nothing_found_is_not_known() -> None:
    world = with_archive()
    assert (await world.say("What is the capital of France?")).startswith("I don't know.")
    assert world.called == ["archival_memory_search", "conversation_search"]


async def test_without_search_tools_the_messages_in_sight_are_read() -> None:
    world = World(tools=())
    await world.say("The heron nested beside the mill.")
    assert "heron nested" in await world.say("Where did the heron nest?")


async def test_a_search_by_name_lists_what_it_found() -> None:
    world = with_archive()
    world.archive += ["The door code is 4411.", "The gate code is 17."]
    reply = await world.say("search archival for code")
    assert ("4411" in reply, "17" in reply, world.called) == (True, True, ["archival_memory_search"])


@pytest.mark.parametrize(
    ("asked", "start"),
    [
        ("What did we talk about on 3 May 2026?", "2026-05-03T00:00:00"),
        ("What did we talk about on May 3rd?", "2026-05-03T00:00:00"),
        ("what did I say on 2026-05-03?", "2026-05-03T00:00:00"),
        ("What did we talk about yesterday?", "2026-11-19T00:00:00"),
    ],
)
@pytest.mark.parametrize("search", ["conversation_search", "conversation_search_date"])
async def test_a_day_is_searched_by_date(asked: str, start: str, search: str) -> None:
    world = World(tools=(search,))
    clock = ChatMessage("user", (Text('{"type": "login", "time": "2026-11-20 10:00:00 AM UTC"}'),))
    request = replace(world.request(), messages=(clock, ChatMessage("user", (Text(asked),))))
    (call,) = (await answered(request)).tool_calls
    assert call.name == search
    assert json.loads(call.arguments)["start_date"] == start


# --- tools named by the person ------------------------------------------------------------------


def dice_world(fail: bool = False) -> tuple[World, list[dict[str, Any]]]:
    rolled: list[dict[str, Any]] = []

    def roll(**arguments: Any) -> int:
        if fail:
            raise ToolFailureError("TimeoutError: timed out after 5 s")
        rolled.append(arguments)
        return 4

    return World(extra={"roll_dice": (ROLL_DICE, roll)}), rolled


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ('call roll_dice with sides=6 and label="x"', {"sides": 6, "label": "x"}),
        ("Please use roll_dice(sides=6, label='the big one')", {"sides": 6, "label": "the big one"}),
        ("roll_dice 6", {"sides": 6}),
        ("roll dice 6", {"sides": 6}),
        ("run the tool roll_dice with 20, mode: LOADED", {"sides": 20, "mode": "loaded"}),
        ("Can you call `roll_dice` with sides: 8?", {"sides": 8}),
    ],
)
async def test_a_named_tool_is_called_with_typed_arguments(said: str, arguments: dict[str, Any]) -> None:
    world, rolled = dice_world()
    assert await world.say(said) == "`roll_dice` returned: 4"
    assert rolled == [arguments]


async def test_a_missing_argument_is_asked_for_and_the_answer_used() -> None:
    world, rolled = dice_world()
    assert "I still need `sides` (integer: How many sides.)" in await world.say("call roll_dice with label='a b'")
    assert await world.say("12") == "`roll_dice` returned: 4"
    assert rolled == [{"label": "a b", "sides": 12}]


@pytest.mark.parametrize(
    ("said", "fits"),
    [("roll_dice(sides=abc)", "a number"), ("roll_dice 6.5", "whole number"), ("roll_dice 6 mode=odd", "fair, loaded")],
)
async def test_an_unfit_argument_is_not_sent(said: str, fits: str) -> None:
    world, rolled = dice_world()
    assert fits in await world.say(said)
    assert rolled == []


async def test_a_failure_is_explained_and_not_repeated() -> None:
    world, _ = dice_world(fail=True)
    reply = await world.say("roll_dice 6")
    assert "took too long" in reply
    assert "timed out after 5 s" in reply
    assert world.called == ["roll_dice"]


# --- small talk ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("hello", "Hello, Inês!"),
        ("Guten Tag", "Hello, Inês!"),
        ("thanks!", "welcome"),
        ("Bye", "Goodbye"),
        ("what can you do?", "Remember that"),
        ("Who are you?", "not a language model"),
        ("Are you ChatGPT?", "Settings → Providers"),
        ("what time is it?", "no clock"),
        ("how are you?", "rules"),
        ("The weather is bad.", "None of my rules"),
    ],
)
async def test_small_talk(said: str, reply: str) -> None:
    assert reply in await World(blocks={"human": "Name: Inês.", "persona": ""}).say(said)


async def test_a_message_of_several_parts_gets_all_its_answers() -> None:
    world = with_archive()
    reply = await world.say("Hi! My name is Inês. Remember that the door code is 4411. What can you do?")
    assert (world.blocks["human"], world.archive) == ("Name: Inês.", ["The door code is 4411."])
    assert all(part in reply for part in ("Hello", "Nice to meet you, Inês", "stored", "Try:"))


async def test_the_newest_time_in_sight_is_told() -> None:
    world = World()
    await world.say("My name is Inês")
    assert "2026-11-20 10:00" in await world.say("What time is it?")


async def test_an_image_without_words_is_not_pretended_to_be_seen() -> None:
    message = ChatMessage("user", (Image("image/png", "AAAA"),))
    assert "cannot see images" in (await answered(ModelRequest("rules", "", (message,)))).text


# --- kinds of agents ----------------------------------------------------------------------------


async def test_a_memgpt_agent_speaks_by_send_message_and_asks_for_heartbeats() -> None:
    world = World(tools=MEMGPT_TOOLS, heartbeats=True, recompiles=False)
    assert "Nice to meet you" in await world.say("My name is Inês. I live in Porto.")
    assert world.called == ["core_memory_append", "core_memory_append", "send_message"]
    beats = [json.loads(call.arguments).get("request_heartbeat") for m in world.messages for call in m.tool_calls]
    assert beats == [True, True, None]
    assert await world.say("Where do I live?") == "You live in Porto."


async def test_packed_user_messages_and_heartbeats_are_understood() -> None:
    packed = json.dumps({"type": "user_message", "message": "Where do I live?", "time": "now"})
    beat = json.dumps({"type": "heartbeat", "reason": "automatic"})
    world = World(blocks={"human": "Lives in Porto.", "persona": ""})
    messages = (ChatMessage("user", (Text(packed),)), ChatMessage("user", (Text(beat),)))
    assert (await answered(replace(world.request(), messages=messages))).text == "You live in Porto."


async def test_thoughts_are_given_where_a_tool_wants_them_first() -> None:
    spec = ToolSpec(
        "send_message",
        "",
        {"type": "object", "properties": {"thinking": {"type": "string"}, "message": {"type": "string"}}},
    )
    request = ModelRequest("rules", "", (ChatMessage("user", (Text("hello"),)),), (spec,))
    (call,) = (await answered(request)).tool_calls
    assert list(json.loads(call.arguments)) == ["thinking", "message"]


async def test_a_sleep_time_agent_reads_the_transcript_and_finishes() -> None:
    world = World(tools=("memory_insert", "memory_replace", "memory_finish_edits"))
    await world.say("Reminder for you.\nuser: I live in Porto\nassistant: I live in a computer.\nuser: I like tea")
    assert world.blocks["human"] == "Lives in Porto.\nLikes tea."
    assert world.called[-1] == "memory_finish_edits"


async def test_another_agents_system_message_is_answered() -> None:
    world = World(blocks={"human": "Lives in Porto.", "persona": ""})
    request = replace(world.request(), messages=(ChatMessage("system", (Text("Where do I live?"),)),))
    assert (await answered(request)).text == "You live in Porto."


@pytest.mark.parametrize("choice", ["conversation_search", "roll_dice", "memory_insert"])
async def test_a_forced_tool_is_called_with_all_it_requires(choice: str) -> None:
    world, _ = dice_world()
    world.messages.append(ChatMessage("user", (Text("hello"),)))
    (call,) = (await answered(replace(world.request(), tool_choice=choice))).tool_calls
    assert call.name == choice
    assert json.loads(call.arguments)


async def test_required_calls_some_tool_and_none_calls_no_tool() -> None:
    world, _ = dice_world()
    world.messages.append(ChatMessage("user", (Text("My name is Inês"),)))
    assert (await answered(replace(world.request(), tool_choice="required"))).tool_calls
    assert not (await answered(replace(world.request(), tool_choice="none"))).tool_calls


async def test_after_its_message_was_sent_a_heartbeatless_agent_ends_in_plain_words() -> None:
    world = World(tools=("send_message",))
    await world.say("hello")
    answer = await answered(world.request())
    assert (answer.text != "", answer.tool_calls) == (True, ())


SCHEMA = {
    "type": "object",
    "properties": {
        "reply": {"type": "string", "maxLength": 30},
        "mood": {"enum": ["good", "bad"]},
        "score": {"type": "integer", "minimum": 1, "maximum": 5},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 2},
        "maybe": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
    },
    "required": ["reply", "mood", "score", "tags"],
    "$defs": {"tag": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}


async def test_a_json_answer_fits_its_schema() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    value = json.loads(await World(options={"response_format": form}).say("hello"))
    assert len(value["reply"]) <= 30
    assert value["mood"] in ("good", "bad")
    assert 1 <= value["score"] <= 5
    assert [list(tag) for tag in value["tags"]] == [["name"], ["name"]]
    assert value["maybe"] is False


async def test_a_json_object_is_an_object() -> None:
    assert isinstance(json.loads(await World(options={"response_format": {"type": "json_object"}}).say("hi")), dict)


# --- summaries ----------------------------------------------------------------------------------


async def test_a_summary_keeps_what_must_not_be_lost_within_its_words() -> None:
    talk = [
        "It is nice to chat about things in general like that, is it not?",
        "My name is Inês and the budget is 4,500 euros.",
        "Well, one thing after the other, and so on and so forth, as they say.",
        "Do not email Carlos before 3 May.",
        "The import failed with error 42.",
        "We decided to use Postgres.",
    ]
    messages = tuple(ChatMessage("user", (Text(text),)) for text in talk)
    summary = (await answered(ModelRequest("rules", f"{SUMMARY_REQUEST} in at most 40 words.", messages))).text
    assert len(summary.split()) <= 40
    assert all(word in summary for word in ("4,500", "Do not email Carlos", "error 42", "decided"))
    assert "so forth" not in summary
    assert summary.index("4,500") < summary.index("error 42")


async def test_a_summary_of_nothing_says_so() -> None:
    assert (await answered(ModelRequest("rules", SUMMARY_REQUEST, ()))).text == "Nothing was said."


# --- the provider -------------------------------------------------------------------------------


async def test_the_stream_comes_in_pieces_with_the_rule_as_reasoning() -> None:
    world = World()
    world.messages.append(ChatMessage("user", (Text("what can you do?"),)))
    items = [item async for item in OfflineProvider(Endpoint()).stream(world.request())]
    last = await finished(world.request())
    assert isinstance(items[0], Sent)
    assert json.loads(items[0].body)["messages"][-1]["content"] == "what can you do?"
    assert "".join(item.text for item in items if isinstance(item, TextDelta)) == last.message.text
    assert "".join(item.text for item in items if isinstance(item, ReasoningDelta)) == "Rule 'help'."
    assert isinstance(last.message.parts[0], Reasoning)
    assert json.loads(last.body)["choices"][0]["message"]["content"] == last.message.text
    assert last.usage.input_tokens > last.usage.output_tokens > 0


async def test_it_lists_its_models_and_knows_no_other() -> None:
    provider = PROVIDERS.load("offline")(Endpoint())
    assert [(info.name, info.context_window) for info in await provider.list_models()] == [
        ("rules", 32_000),
        ("rules-8k", 8_000),
    ]
    with pytest.raises(ModelNotFound, match="rules-8k"):
        await finished(ModelRequest("gpt", "", ()))


async def test_a_request_beyond_the_window_is_refused_like_a_real_one() -> None:
    long = ModelRequest("rules-8k", "word " * 20_000, ())
    with pytest.raises(ContextWindowExceeded, match="rules-8k takes 8000"):
        await finished(long)
    await finished(replace(long, model="rules"))


async def test_a_delay_that_is_no_number_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFLINE_DELAY_MS", "soon")
    with pytest.raises(InvalidInput, match="OFFLINE_DELAY_MS"):
        OfflineProvider(Endpoint())


async def test_the_same_request_gets_the_same_answer() -> None:
    world = with_archive()
    world.messages.append(ChatMessage("user", (Text("I live in Porto and I like tea"),)))
    first, second = await finished(world.request()), await finished(world.request())
    assert (first.message, first.body) == (second.message, second.body)


WORDS = re.findall(
    r"\S+",
    """I my name is live in Porto call roll_dice ( ) = , " ' { } remember that forget ? . : what where do did say on
    3 May 6 search archival for not like \ud800 é speak your 99999999999999999999 [ ] <value> -5.5.5""",
)


async def test_an_edited_search_or_note_is_not_made_again() -> None:
    world = with_archive()
    world.archive.append("The gate code is 17.")
    world.edits = {"content": "Edited by a person.", "query": "gate"}
    assert "“Edited by a person.”" in await world.say("Remember that the door code is 4411.")
    assert world.called == ["archival_memory_insert"]
    await world.say("What is the barn key?")
    assert world.called == ["archival_memory_search", "conversation_search"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.one_of(st.text(max_size=300), st.lists(st.sampled_from([*WORDS, "\n"]), max_size=30).map(" ".join)),
    human=st.text(max_size=100),
)
async def test_any_text_gets_exactly_one_answer(said: str, human: str) -> None:
    world, _ = dice_world()
    world.tools = V1_TOOLS + ARCHIVAL_TOOLS
    world.blocks["human"] = human
    await world.say(said)


@pytest.mark.parametrize(
    "said",
    [
        " " * 50_000 + "x",
        "a" * 100_000,
        "I like " * 8_000,
        "(" * 20_000,
        "no " * 20_000,
        '"' * 30_000,
        "\n" * 9_000,
        "1." * 9_000,
    ],
)
async def test_long_and_odd_texts_are_answered_at_once(said: str) -> None:
    world, _ = dice_world()
    await world.say(said)


async def test_anything_may_stand_where_json_is_expected() -> None:
    texts = [
        "{",
        "[",
        '{"type": []}',
        '{"type": {}}',
        "[" * 20_000,
        '{"type": "user_message", "message": 3}',
        "null",
        "{}",
    ]
    for text in texts:
        await answered(ModelRequest("rules", "<memory_blocks><value></value>", (ChatMessage("user", (Text(text),)),)))
