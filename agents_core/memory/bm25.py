"""BM25 in plain SQL, over a table of postings, and the other parts that searches add to it.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
"""

K1 = 1.2
B = 0.75


def bm25_tables(postings: str, document: str, owned: str) -> str:
    """Common table expressions that end in ``ranked(id, bm25)``: one row a document that has a word of the query.

    Args:
        postings: the table (lexeme, frequency, length and the columns below).
        document: its column with the document's id.
        owned: an SQL condition that its rows lie in the corpus, so that the index on (owner, lexeme) serves.

    Expects a table ``corpus(size, mean_length)``, of ``float8``, and the parameter ``words``. A document matches when
    it has any of the words. All numbers are ``float8``: a bare 1.2 would be ``numeric``, which is several times slower.
    """
    norm = f"{K1}::float8 * ({1 - B}::float8 + {B}::float8 * length / (SELECT mean_length FROM corpus))"
    return f"""
    asked AS MATERIALIZED (SELECT tsvector_to_array(to_tsvector('english', %(words)s)) AS lexemes),
    rarity AS MATERIALIZED (
        SELECT lexeme, ln(1 + ((SELECT size FROM corpus) - count(*) + 0.5::float8) / (count(*) + 0.5::float8)) AS idf
        FROM {postings} WHERE {owned} AND lexeme = ANY ((SELECT lexemes FROM asked)::text[])
        GROUP BY lexeme
    ),
    ranked AS MATERIALIZED (
        SELECT {document} AS id, sum(idf * frequency * {K1 + 1}::float8 / (frequency + {norm})) AS bm25
        FROM rarity CROSS JOIN LATERAL (
            SELECT {document}, frequency, length FROM {postings}
            WHERE {owned} AND lexeme = rarity.lexeme OFFSET 0
        ) AS posting
        GROUP BY {document}
    )"""


def bm25_share(column: str) -> str:
    """SQL for a BM25 between 0 and 1: its share of the highest in the corpus."""
    return f"coalesce({column} / nullif((SELECT max(bm25) FROM ranked), 0), 0)"


def cosine(column: str) -> str:
    """SQL for the likeness of a ``halfvec`` column to the query; NULL where there is none or another model made it.

    Expects a column ``embedding_model`` beside it, a table ``probe(vector)`` and the parameter ``model``. A vector of
    zeros has no direction: it is like nothing.
    """
    return f"""
    CASE WHEN embedding_model = %(model)s AND vector_dims({column}) = vector_dims((SELECT vector FROM probe))
        THEN coalesce(1 - nullif({column} <=> (SELECT vector FROM probe), 'NaN'), 0) END"""


PROBE = """
    probe AS MATERIALIZED (SELECT %(vector)s::halfvec AS vector)"""
"""The table that ``cosine`` expects: the text is read once, whatever the plan."""


def named(people: str) -> str:
    """A table expression ``named(person)``: the one of ``people``, a query, whom the question names, if only one.

    Expects the parameter ``names``, the folded words of the question.
    """
    return rf"""
    people AS MATERIALIZED ({people}),
    named AS MATERIALIZED (
        SELECT min(person) AS person FROM people
        WHERE regexp_split_to_array(
            lower(regexp_replace(normalize(person, NFKD), '[\u0300-\u036f]', '', 'g')), '[^[:alnum:]]+'
        ) && %(names)s::text[]
        HAVING count(*) = 1
    )"""
