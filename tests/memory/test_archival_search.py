import asyncio
from datetime import UTC, datetime

import pytest
from django.db import connection

from agents_core.llm.base import Embedder
from agents_core.llm.embeddings.hashing import HashingEmbedder
from agents_core.memory.archival.base import CANDIDATES, ArchivalSearch, Hit, PassageDraft, embedded
from agents_core.memory.archival.pgvector import AUTHOR_PRIOR, PgvectorBackend
from agents_core.memory.embedders import QueryVector, embed_query
from agents_core.models import Archive
from agents_core.models.pipeline import run_sync
from tests.memory.world import AbsentEmbedder, TopicEmbedder, make_archive

pytestmark = pytest.mark.django_db

backend = PgvectorBackend()

CORPUS = {
    "Caroline": [
        "I went to a support group for new parents yesterday and it was so powerful.",
        "The kids and I painted a sunset together last weekend.",
        "We adopted a puppy, she is called Biscuit and sleeps on the sofa.",
        "I am looking into adoption agencies, it has been my dream to have a family.",
    ],
    "Melanie": [
        "My daughter has her birthday on the thirteenth of August.",
        "I ran a charity race for mental health last Saturday, it was really rewarding.",
        "The new office is closer to the station, so the work day is shorter.",
        "We were camping in the mountains; the children loved the meteor shower.",
    ],
}


def fill(archive: Archive, texts: dict[str, list[str]], embedder: Embedder | None = None) -> None:
    drafts = [PassageDraft(archive.id, text, author) for author, said in texts.items() for text in said]
    store(asyncio.run(embedded(drafts, embedder)) if embedder else drafts)


def store(drafts: list[PassageDraft]) -> None:
    run_sync(backend.insert_statements(drafts))


def find(search: ArchivalSearch, embedder: Embedder | None = None) -> list[Hit]:
    statement = backend.search_statement(search, asyncio.run(embed_query(search.query, embedder)))
    [rows] = run_sync([statement])
    return backend.hits(search, rows)


def texts(search: ArchivalSearch, embedder: Embedder | None = None) -> list[str]:
    return [hit.text for hit in find(search, embedder) if hit.returned]


@pytest.fixture
def archive() -> Archive:
    return make_archive()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When is the birthday of Melanie's daughter?", "thirteenth of August"),
        ("What did the children love about camping?", "meteor shower"),
        ("What kind of race did she run for charity?", "charity race"),
        ("What is the dog called that they adopted?", "Biscuit"),
    ],
)
@pytest.mark.parametrize("with_vectors", [True, False])
def test_a_natural_question_finds_its_answer(archive: Archive, question: str, answer: str, with_vectors: bool) -> None:
    embedder = HashingEmbedder() if with_vectors else None
    fill(archive, CORPUS, embedder)
    assert answer in (texts(ArchivalSearch([archive.id], question), embedder))[0]


def test_words_that_no_passage_holds_do_not_hide_the_answer(archive: Archive) -> None:
    fill(archive, CORPUS)
    question = "Would you kindly recollect whichever nocturnal spectacle, perhaps a meteor, fascinated them?"
    assert "meteor" in (texts(ArchivalSearch([archive.id], question)))[0]


def test_meaning_finds_what_shares_no_word(archive: Archive, topics: TopicEmbedder) -> None:
    fill(archive, CORPUS, topics)
    assert "Biscuit" in (texts(ArchivalSearch([archive.id], "Any pet?", limit=1), topics))[0]


def test_a_rare_word_weighs_more_than_a_common_one(archive: Archive) -> None:
    store([PassageDraft(archive.id, text) for text in ["tea tea"] * 8 + ["tea with saffron"]])
    assert (texts(ArchivalSearch([archive.id], "tea saffron")))[0] == "tea with saffron"


def test_of_equal_matches_the_shorter_text_comes_first(archive: Archive) -> None:
    store([PassageDraft(archive.id, text) for text in ("saffron " + "other words follow here " * 20, "saffron")])
    assert (texts(ArchivalSearch([archive.id], "saffron")))[0] == "saffron"


def test_the_score_is_the_sum_of_its_parts(archive: Archive, topics: TopicEmbedder) -> None:
    fill(archive, CORPUS, topics)
    hits = find(ArchivalSearch([archive.id], "Where does Melanie do her work?"), topics)
    highest = max(hit.bm25 for hit in hits)
    for hit in hits:
        assert hit.score == pytest.approx(1.5 * (hit.cosine or 0) + hit.bm25 / highest + hit.prior)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].cosine == pytest.approx(1, abs=1e-3)


def test_the_one_person_named_is_preferred_and_two_are_not(archive: Archive) -> None:
    fill(archive, {"José Díaz": ["likes tea"], "Bea": ["likes tea"], "Cleo": ["likes tea"]})
    one = find(ArchivalSearch([archive.id], "What does Jose like? Does he like tea?"))
    assert (one[0].author, one[0].prior) == ("José Díaz", AUTHOR_PRIOR)
    assert {hit.prior for hit in one[1:]} == {0}
    two = find(ArchivalSearch([archive.id], "Do José and Bea like tea?"))
    assert {hit.prior for hit in two} == {0}


@pytest.mark.parametrize(("mode", "expected"), [("any", {"a", "b", "ab"}), ("all", {"ab"})])
def test_tags_are_filtered_before_the_limit(archive: Archive, mode: str, expected: set[str]) -> None:
    tagged = {"a": ["red"], "b": ["blue"], "ab": ["blue", "red"]}
    store(
        [PassageDraft(archive.id, "tea " * 9) for _ in range(60)]
        + [PassageDraft(archive.id, f"some words around tea {name}", tags=tags) for name, tags in tagged.items()]
    )
    search = ArchivalSearch([archive.id], "tea", ["red", "blue"], mode, limit=3)  # type: ignore[arg-type]
    assert {text.split()[-1] for text in texts(search)} == expected


def test_dates_bound_the_hits_and_both_ends_count(archive: Archive) -> None:
    days = [datetime(2026, 5, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    store([PassageDraft(archive.id, f"tea {day.day}", created_at=day) for day in days])
    search = ArchivalSearch([archive.id], "tea", start=days[1], end=days[2])
    assert set(texts(search)) == {"tea 2", "tea 3"}


def test_a_date_can_be_asked_for(archive: Archive) -> None:
    store(
        [
            PassageDraft(archive.id, f"We met, as planned in {n}.", created_at=datetime(2026, n, 8, tzinfo=UTC))
            for n in (4, 5)
        ]
    )
    assert texts(ArchivalSearch([archive.id], "What happened on 8 May 2026?", limit=1)) == ["We met, as planned in 5."]


def test_a_quoted_phrase_must_stand_in_a_hit(archive: Archive) -> None:
    fill(archive, {"Ana": ["the red door of the house", "the door was red", "100% Red_Door"]})
    assert texts(ArchivalSearch([archive.id], 'which "Red  door" was it')) == ["the red door of the house"]
    assert texts(ArchivalSearch([archive.id], 'which "0% red_d" was it, the door')) == ["100% Red_Door"]


def test_vectors_of_another_model_are_not_compared(archive: Archive, topics: TopicEmbedder) -> None:
    fill(archive, CORPUS, HashingEmbedder())
    hits = find(ArchivalSearch([archive.id], "my pet puppy"), topics)
    assert [hit.cosine for hit in hits] == [None]
    assert "Biscuit" in hits[0].text


def test_a_model_whose_vectors_changed_their_length_breaks_nothing(archive: Archive) -> None:
    fill(archive, CORPUS, TopicEmbedder([["dog"], ["art"]]))
    hits = find(ArchivalSearch([archive.id], "puppy"), TopicEmbedder([["dog"], ["art"], ["job"]]))
    assert {hit.cosine for hit in hits} == {None}


def test_an_absent_embedder_leaves_the_words_and_a_note(archive: Archive, absent: AbsentEmbedder) -> None:
    fill(archive, CORPUS)
    assert "Biscuit" in (texts(ArchivalSearch([archive.id], "the puppy"), absent))[0]
    assert asyncio.run(embed_query("the puppy", absent)).note == "Searched by words only: The embedding server is away."


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Zoë trinkt Kaffee in München", "wo trinkt zoe kaffee"),
        ("Анна живёт в Москве", "где живет анна"),
        ("彼女は京都に住んでいます", "京都"),
        ("वह दिल्ली में रहती है", "दिल्ली"),
        ("The 🚀 launch was “great”", "LAUNCH"),
    ],
)
def test_other_scripts_and_accents_are_found(archive: Archive, text: str, query: str) -> None:
    fill(archive, {"Ana": [text, "something else entirely"]})
    assert texts(ArchivalSearch([archive.id], query)) == [text]


@pytest.mark.parametrize("query", ["", "  \n", "what is it?", "?!", '""', "\x00", "no such words anywhere"])
def test_a_query_without_a_match_gives_no_hit(archive: Archive, query: str) -> None:
    fill(archive, CORPUS)
    assert find(ArchivalSearch([archive.id], query)) == []


def test_a_query_of_ten_kilobytes_is_answered(archive: Archive) -> None:
    fill(archive, CORPUS, HashingEmbedder())
    query = "puppy " + "some rather long question with %s and 'quotes' \\ " * 200
    assert "Biscuit" in (texts(ArchivalSearch([archive.id], query), HashingEmbedder()))[0]


def test_no_archives_and_empty_archives_give_no_hits(archive: Archive) -> None:
    assert find(ArchivalSearch([], "tea"), HashingEmbedder()) == []
    assert find(ArchivalSearch([archive.id], "tea"), HashingEmbedder()) == []


def test_other_archives_are_not_searched(archive: Archive) -> None:
    other = make_archive()
    fill(other, CORPUS, HashingEmbedder())
    store([PassageDraft(archive.id, "puppy training")])
    assert texts(ArchivalSearch([archive.id], "the puppy"), HashingEmbedder()) == ["puppy training"]


def test_candidates_explain_beyond_the_limit(archive: Archive) -> None:
    store([PassageDraft(archive.id, "tea " * count) for count in range(1, CANDIDATES + 10)])
    hits = find(ArchivalSearch([archive.id], "tea", limit=3))
    assert [hit.rank for hit in hits] == list(range(1, CANDIDATES + 1))
    assert [hit.returned for hit in hits[:4]] == [True, True, True, False]
    assert set(hits[0].candidate()) == {"id", "score", "cosine", "bm25", "prior", "rank", "returned"}


def test_the_search_reads_postings_by_their_index(archive: Archive) -> None:
    statement = backend.search_statement(ArchivalSearch([archive.id], "tea"), QueryVector())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement.sql}", statement.params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "passage_term_pkey" in plan
    assert "Seq Scan on passage" not in plan
