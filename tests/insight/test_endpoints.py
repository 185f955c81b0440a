"""Labels asked of a server on this machine; nothing goes further."""

import io
import json
import urllib.error

import pytest

from tests.insight.servers import said, serving
from topicfactors import ConfigurationError
from topicfactors.insight.endpoints import INSTRUCTION, Answer, Endpoint, answers, prompt


@pytest.fixture
def serve(monkeypatch):
    yield from serving(monkeypatch)


def asked(server, count=1, **options):
    endpoint = Endpoint(server.url, "small", **options)
    return list(answers(endpoint, [f"words {number}" for number in range(count)]))


def test_a_question_is_deterministic_and_has_nothing_but_the_prompt(serve):
    server = serve(said(' "Steam engines." '))
    assert asked(server, key="secret", seed=7) == [Answer("Steam engines")]
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["Authorization"] == "Bearer secret"
    assert server.asked[0] == {
        "model": "small",
        "messages": [
            {"role": "system", "content": INSTRUCTION},
            {"role": "user", "content": "words 0"},
        ],
        "temperature": 0,
        "seed": 7,
    }
    assert "secret" not in repr(Endpoint(server.url, "small", key="secret"))


def test_without_a_key_none_is_sent(serve):
    server = serve(said("Steam"))
    asked(server)
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("content", "label"),
    [("Label: Steam", "Steam"), ("**Steam   engines**\n", "Steam engines"), ("«Пар»", "Пар")],
)
def test_what_models_put_around_a_label_goes(serve, content, label):
    assert asked(serve(said(content))) == [Answer(label)]


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (said(""), "the answer is empty"),
        (said(None), "holds no text"),
        (said("x" * 61), "no label of one line"),
        (said("Steam\nbecause of the engine"), "no label of one line"),
        ("<html>", "not of the chat protocol: '<html>'"),
        ("{}", "not of the chat protocol"),
        (json.dumps({"choices": []}), "not of the chat protocol"),
        ("[" * 100_000, "not of the chat protocol"),
        ((400, '{"error": {"message": "no\\nseed"}}', {}), "answers 400 Bad Request: no seed"),
    ],
)
def test_a_bad_answer_is_one_line_and_the_next_is_asked(serve, reply, problem):
    server = serve(reply, said("Salt"))
    first, second = asked(server, 2)
    assert first.label is None
    assert problem in first.problem
    assert "\n" not in first.problem
    assert second == Answer("Salt")


def test_a_label_that_another_factor_has_is_not_taken(serve):
    first, second = asked(serve(said("Steam"), said("Steam")), 2)
    assert first.label == "Steam"
    assert "the label of another factor" in second.problem


def test_a_label_that_cannot_be_a_name_is_not_taken(serve):
    server = serve(said("7"))
    endpoint = Endpoint(server.url, "small")
    (found,) = answers(endpoint, ["words"], lambda label: not label.isdecimal())
    assert found == Answer(None, "'7' cannot be a name")


def test_a_busy_server_is_asked_again_after_longer_pauses(serve):
    busy = (429, "", {})
    server = serve(busy, (503, "", {"Retry-After": "9"}), None, said("Steam"))
    assert asked(server) == [Answer("Steam")]
    assert serve.pauses == [1.0, 9.0, 4.0]


def test_after_too_many_tries_no_more_is_asked(serve):
    server = serve(*[(500, "down", {})] * 2)
    first, second = asked(server, 2, tries=2)
    assert "answers 500 Internal Server Error: down" in first.problem
    assert second.problem.startswith("not asked, as ")
    assert len(server.asked) == 2


def test_a_refused_key_ends_it_and_is_not_repeated_aloud(serve):
    server = serve((401, '{"error": {"message": "bad key sk-123"}}', {}))
    first, second = asked(server, 2, key="sk-123")
    assert "bad key …" in first.problem
    assert "sk-123" not in first.problem + second.problem
    assert len(server.asked) == 1


def test_nothing_goes_where_a_server_sends_it_on(serve):
    other = serve(said("Steam"))
    server = serve((302, "", {"Location": other.url}))
    (found,) = asked(server, key="secret")
    assert "answers 302" in found.problem
    assert other.asked == []


def test_a_server_that_breaks_off_while_it_says_why_is_one_line(monkeypatch):
    class Silent(io.BytesIO):
        def read(self, *asked):
            raise TimeoutError

    def refused(*asked):
        raise urllib.error.HTTPError("http://localhost/v1", 401, "Unauthorized", {}, Silent())

    monkeypatch.setattr("topicfactors.insight.endpoints._once", refused)
    (found,) = answers(Endpoint("http://localhost/v1", "small"), ["words"])
    assert found == Answer(None, "http://localhost/v1 answers 401 Unauthorized")


def test_a_server_that_is_not_there_is_one_line(serve):
    server = serve()
    server.server.shutdown()
    server.server.server_close()
    (found,) = asked(server, tries=2)
    assert "does not answer" in found.problem
    assert "\n" not in found.problem


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.org/v1", "must be https, or on this machine"),
        ("http://localhost.example.org/v1", "must be https"),
        ("ftp://localhost/v1", "must be a URL such as"),
        ("localhost:8000/v1", "must be a URL such as"),
        ("http://[::1", "must be a URL such as"),
        ("http://localhost:abc/v1", "must be a URL such as"),
        ("http://localhost/v1\n", "must be a URL such as"),
        ("https://me:secret@example.org/v1", "without a user"),
        ("https://example.org/v1?key=1", "without a user"),
    ],
)
def test_where_it_may_not_go(url, said):
    with pytest.raises(ConfigurationError, match=said):
        Endpoint(url, "small")


def test_models_and_keys_that_are_none():
    with pytest.raises(ConfigurationError, match="must have a name"):
        Endpoint("https://example.org/v1", " ")
    with pytest.raises(ConfigurationError, match="printable ASCII"):
        Endpoint("https://example.org/v1", "small", key="a\nb")
    assert Endpoint("https://[::1]:8000/v1/", "m").address.endswith(":8000/v1/chat/completions")
    assert Endpoint("http://localhost/v1/chat/completions", "m").address.count("chat") == 1


def test_a_prompt_has_what_it_is_given_and_no_more():
    assert prompt(["engine", "coal"]).splitlines() == [
        "Words of the topic, the most telling first: engine, coal."
    ]
    text = prompt(["engine"], ["salt"], ["A long\n\n text"])
    assert "less than others: salt." in text
    assert text.endswith("- A long text")
