"""Which error a provider's own words become."""

import json

import pytest

from agents_core.llm.errors import (
    ContextWindowExceeded,
    ModelAuthenticationError,
    ModelBadRequest,
    ModelInsufficientCredits,
    ModelNotFound,
    ModelRateLimited,
)
from agents_core.llm.providers._refusals import Target, quote, refused

TARGET = Target("The server", "http://localhost:8000", "A_KEY", 120, "test-model")

TOO_LONG = [
    (400, "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens."),
    (400, "prompt is too long: 210000 tokens > 200000 maximum"),
    (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
    (413, "Request exceeds the maximum size: request_too_large"),
    (400, "the request exceeds the available context size. try increasing the context size"),
    (400, "Please reduce the length of the messages or completion."),
    (400, "The prompt (length 9000) is longer than the maximum model length of 8192"),
    (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
    (400, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193."),
    (400, "the input length exceeds the context length"),
    (
        400,
        "The number of tokens to keep from the initial prompt is greater than the context length.",
    ),
    (500, "Trying to keep the first 5000 tokens when context the overflows."),
]


@pytest.mark.parametrize(("status", "text"), TOO_LONG)
def test_a_request_beyond_the_window_is_known_by_every_servers_words(status: int, text: str) -> None:
    body = json.dumps({"error": {"message": text}}).encode()
    assert type(refused(status, {}, body, TARGET)) is ContextWindowExceeded


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"message": "Your credit balance is too low to access the API."}}, ModelInsufficientCredits),
        (429, {"error": {"code": "insufficient_quota", "message": "quota"}}, ModelInsufficientCredits),
        (429, {"error": {"code": "rate_limit_exceeded", "message": "too many tokens per minute"}}, ModelRateLimited),
        (
            400,
            [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}],
            ModelAuthenticationError,
        ),
        (404, {"error": {"message": "model 'test-model' not found, try pulling it first"}}, ModelNotFound),
        (404, {"object": "error", "message": "The model `test-model` does not exist.", "code": 404}, ModelNotFound),
        (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: test-model"}}, ModelNotFound),
        (404, {"detail": "Not Found"}, ModelBadRequest),
        (400, {"error": {"message": "temperature must be <= 2"}}, ModelBadRequest),
        (400, {"error": {"message": "'effort' is not supported for this model"}}, ModelBadRequest),
        (413, {"error": {"message": "Request too large for model on tokens per minute"}}, ContextWindowExceeded),
    ],
)
def test_other_words(status: int, body: object, kind: type[Exception]) -> None:
    assert type(refused(status, {}, json.dumps(body).encode(), TARGET)) is kind


def test_a_web_page_that_asks_for_a_login_is_about_the_key() -> None:
    assert type(refused(401, {}, b"<html>Log in", TARGET)) is ModelAuthenticationError


def test_an_address_without_v1_is_told_to_have_one() -> None:
    assert "http://localhost:8000/v1" in refused(404, {}, b'{"detail":"Not Found"}', TARGET).advice


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no"}}', "no"),
        (b'{"error": "no"}', "no"),
        (b'{"message": "no"}', "no"),
        (b'{"detail": [{"msg": "no"}]}', '{"detail": [{"msg": "no"}]}'),
        (b'[{"error": {"message": "no"}}]', "no"),
        (b"plain words", "plain words"),
        (b"", "(no text)"),
    ],
)
def test_the_providers_words_are_found_in_every_shape(body: bytes, said: str) -> None:
    assert quote(body) == said


def test_long_words_are_cut() -> None:
    assert len(quote(b"x" * 5000)) < 600
