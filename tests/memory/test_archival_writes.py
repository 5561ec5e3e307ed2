from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.errors import InvalidInput, Unavailable
from agents_core.memory.archival import ARCHIVAL_BACKENDS
from agents_core.memory.archival.base import ArchivalSearch, PassageDraft
from agents_core.memory.archival.pgvector import PgvectorBackend
from agents_core.memory.archival.reembed import reembed
from agents_core.memory.embedders import QueryVector
from agents_core.models import Passage, PassageTerm
from agents_core.models.pipeline import run_sync
from tests.memory.world import AbsentEmbedder, TopicEmbedder, make_archive

backend = PgvectorBackend()


def found(archive_id: str, query: str) -> list[str]:
    search = ArchivalSearch([archive_id], query)
    [rows] = run_sync([backend.search_statement(search, QueryVector())])
    return [hit.id for hit in backend.hits(search, rows)]


def test_the_backend_is_registered() -> None:
    assert ARCHIVAL_BACKENDS.load("pgvector") is PgvectorBackend


@pytest.mark.parametrize("fields", [{"text": ""}, {"text": " \n\x00"}, {"text": "x", "author": "a" * 201}])
def test_a_malformed_passage_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        PassageDraft("archive-1", **fields)


@pytest.mark.django_db
def test_a_stored_passage_keeps_what_it_was_given() -> None:
    archive = make_archive()
    draft = PassageDraft(
        archive.id, "Tea\x00 at 'five' 100%", "Ana", ["a", "b"], {"k": [1]}, vector=[1, 0.5], embedding_model="m"
    )
    run_sync(backend.insert_statements([draft]))
    passage = Passage.objects.get(pk=draft.id)
    assert (passage.text, passage.author, passage.tags, passage.metadata) == (
        "Tea at 'five' 100%",
        "Ana",
        ["a", "b"],
        {"k": [1]},
    )
    assert passage.indexed_text == f"[{draft.created_at:%-d %B %Y}] Ana: Tea at 'five' 100%"
    assert (passage.created_at, passage.embedding, passage.embedding_model) == (draft.created_at, [1, 0.5], "m")
    terms = {term.lexeme: term.frequency for term in PassageTerm.objects.filter(passage=passage)}
    assert {"tea", "five", "100", "ana"} <= terms.keys()
    assert passage.length == sum(terms.values())
    assert set(PassageTerm.objects.values_list("length", flat=True)) == {passage.length}


@pytest.mark.django_db
def test_a_text_of_a_megabyte_of_distinct_words_is_stored_and_found() -> None:
    archive = make_archive()
    draft = PassageDraft(archive.id, " ".join(f"w{number:x}" for number in range(150_000)))
    run_sync(backend.insert_statements([draft]))
    assert found(archive.id, "w1f4") == [draft.id]


@pytest.mark.django_db
def test_an_edited_passage_is_found_by_its_new_words_only() -> None:
    archive = make_archive()
    draft = PassageDraft(archive.id, "likes tea", "Ana", vector=[1, 0], embedding_model="m")
    run_sync(backend.insert_statements([draft]))
    run_sync(backend.edit_statements([replace(draft, text="likes coffee", vector=None, embedding_model=None)]))
    assert (found(archive.id, "tea"), found(archive.id, "coffee")) == ([], [draft.id])
    passage = Passage.objects.get(pk=draft.id)
    assert (passage.text, passage.embedding, passage.archive_id) == ("likes coffee", None, archive.id)


@pytest.mark.django_db
def test_a_deleted_passage_is_found_no_more_and_its_row_stays_marked() -> None:
    archive = make_archive()
    drafts = [PassageDraft(archive.id, text) for text in ("likes tea", "hates tea")]
    run_sync(backend.insert_statements(drafts))
    assert run_sync(backend.delete_statements([drafts[0].id]))[1] == [(drafts[0].id,)]
    assert found(archive.id, "tea") == [drafts[1].id]
    assert Passage.objects.get(pk=drafts[0].id).is_deleted
    assert run_sync(backend.delete_statements([drafts[0].id]))[1] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pool")
async def test_reembedding_gives_every_passage_a_vector_of_the_new_model(topics: TopicEmbedder) -> None:
    archive = await sync_to_async(make_archive)()
    old = [PassageDraft(archive.id, f"dog {n}", vector=[1.0], embedding_model="old") for n in range(70)]
    await sync_to_async(run_sync)(backend.insert_statements([*old, PassageDraft(archive.id, "a canvas")]))
    assert await reembed(archive.id, topics) == 71
    assert await Passage.objects.filter(embedding_model="topics").acount() == 71
    assert await reembed(archive.id, topics) == 0
    newest = await Passage.objects.aget(text="a canvas")
    assert newest.embedding == [0, 1, 0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pool")
async def test_reembedding_leaves_a_passage_that_is_edited_meanwhile(topics: TopicEmbedder) -> None:
    archive = await sync_to_async(make_archive)()
    draft = PassageDraft(archive.id, "a dog")
    await sync_to_async(run_sync)(backend.insert_statements([draft]))

    class EditsMeanwhile(TopicEmbedder):
        async def embed(self, texts):  # type: ignore[no-untyped-def]
            await sync_to_async(run_sync)(backend.edit_statements([replace(draft, text="a canvas")]))
            return await super().embed(texts)

    assert await reembed(archive.id, EditsMeanwhile(topics.topics)) == 0
    assert (await Passage.objects.aget(pk=draft.id)).embedding is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pool")
async def test_reembedding_with_an_absent_embedder_says_so(absent: AbsentEmbedder) -> None:
    archive = await sync_to_async(make_archive)()
    await sync_to_async(run_sync)(backend.insert_statements([PassageDraft(archive.id, "a dog")]))
    with pytest.raises(Unavailable, match="is away"):
        await reembed(archive.id, absent)
