"""The sample corpora, made from what is installed."""

import re
from collections import Counter

import pytest
import sklearn.datasets

from topicfactors import read_corpus
from topicfactors.corpus import samples
from topicfactors.corpus.documents import Document
from topicfactors.corpus.samples import (
    SAMPLES,
    corpora_folder,
    lee,
    newsgroup_post,
    read_sample,
    revolution,
)
from topicfactors.errors import InputError


def test_lee_has_300_articles():
    documents = list(lee())
    assert len(documents) == 300
    assert [document.id for document in documents[:2]] == ["lee-0", "lee-1"]
    assert all(len(document.text.split()) > 20 for document in documents)
    corpus = read_corpus("lee")
    assert len(corpus) == 300
    assert corpus.problems == []


def test_lee_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(samples, "_package_folder", lambda name: None)
    with pytest.raises(InputError, match="pip install gensim"):
        next(read_sample("lee"))


def test_every_sample_has_its_page():
    for name in SAMPLES:
        page = (corpora_folder() / name / "README.md").read_text(encoding="utf-8")
        assert all(
            f"**{word}**" in page for word in ("Source", "Licence", "Size", "How it is made", "id")
        )


@pytest.mark.slow
def test_pydocs_has_thousands_of_documents_labelled_by_package():
    corpus = read_corpus("pydocs")
    assert len(corpus) > 5_000
    assert len(set(corpus.ids)) == len(corpus)
    assert len(set(corpus.texts)) == len(corpus)
    assert {"numpy", "scipy", "sklearn", "torch", "email"} <= set(corpus.labels)
    assert corpus.problems == []
    lines = (line.lstrip() for text in corpus.texts for line in text.splitlines())
    assert not any(line.startswith(">>>") for line in lines)
    assert min(len(text.split()) for text in corpus.texts) >= samples.SHORTEST
    again = read_corpus("pydocs")
    assert again.ids == corpus.ids


def test_a_docstring_corpus_of_one_package_has_unique_ids(tmp_path, monkeypatch):
    prose = "a property of thirty words " * 6
    (tmp_path / "pydocs").mkdir()
    (tmp_path / "pydocs" / "packages.txt").write_text("# a comment\n\nmade_up\nnot_there\n")
    package = tmp_path / "made_up"
    (package / "_private").mkdir(parents=True)
    (package / "_private" / "a.py").write_text(f'"""Private {prose}"""')
    (package / "tests").mkdir()
    (package / "tests" / "a.py").write_text(f'"""Test {prose}"""')
    (package / "broken.py").write_text("def (:")
    (package / "short.py").write_text('"""Too short."""')
    (package / "__init__.py").write_text(
        f'"""Top {prose}"""\n'
        "class Engine:\n"
        "    @property\n"
        "    def steam(self):\n"
        f'        """Get {prose}\n        >>> code()\n        """\n'
        "    @steam.setter\n"
        "    def steam(self, value):\n"
        f'        """Set {prose}"""\n'
        "def _hidden():\n"
        f'    """Hidden {prose}"""\n'
    )
    monkeypatch.setattr(samples, "corpora_folder", lambda: tmp_path)
    monkeypatch.setattr(
        samples, "_package_folder", lambda name: package if name == "made_up" else None
    )
    documents = list(read_sample("pydocs"))
    assert [document.id for document in documents] == [
        "made_up",
        "made_up.Engine.steam",
        "made_up.Engine.steam#2",
    ]
    assert {document.label for document in documents} == {"made_up"}
    assert ">>>" not in documents[1].text


def words_of(text):
    return re.sub(r"[^\w\s]", "", text.lower()).split()


def test_revolution_has_notes_of_fifty_to_a_hundred_words():
    notes = list(revolution())
    assert len(notes) >= 150
    assert len({note.id for note in notes}) == len(notes)
    assert all(50 <= len(note.text.split()) <= 100 for note in notes)
    assert {note.label for note in notes} == {note.covariates["field"] for note in notes}
    assert min(Counter(note.label for note in notes).values()) >= 10
    assert all(note.covariates["decade"] in range(1500, 1900, 10) for note in notes)


def test_no_two_notes_of_revolution_begin_alike_or_share_five_words():
    """There is no template behind them."""
    beginnings = Counter(" ".join(words_of(note.text)[:2]) for note in revolution())
    assert max(beginnings.values()) == 1
    runs = Counter(
        run
        for note in revolution()
        for run in {
            " ".join(words[n : n + 5])
            for words in [words_of(note.text)]
            for n in range(len(words) - 4)
        }
    )
    assert max(runs.values()) == 1


def test_revolution_is_a_corpus_with_metadata():
    corpus = read_corpus("revolution")
    assert corpus.problems == []
    assert corpus.notes == []
    assert len(corpus.covariates["decade"]) == len(corpus) == len(corpus.labels)


class Fetched:
    filenames = ("/d/20news-bydate-test/sci.space/1", "/d/20news-bydate-train/rec.autos/7")
    data = ("To the moon.", " ")


def test_newsgroups_come_through_scikit_learn(monkeypatch):
    monkeypatch.setattr(sklearn.datasets, "fetch_20newsgroups", lambda **options: Fetched)
    first, second = read_sample("20newsgroups")
    assert first == Document(
        "To the moon.", "20news-bydate-test/sci.space/1", "sci.space", {"part": "test"}
    )
    assert (second.label, second.covariates, second.problem) == (
        "rec.autos",
        {"part": "train"},
        "is empty",
    )


def test_newsgroups_without_a_network_say_what_to_do(monkeypatch):
    def fetch(**options):
        raise OSError("no route to host")

    monkeypatch.setattr(sklearn.datasets, "fetch_20newsgroups", fetch)
    with pytest.raises(InputError, match=r"no route to host.*--source PATH"):
        next(read_sample("20newsgroups"))


def test_a_post_outside_the_split_has_no_part():
    post = newsgroup_post(Document("a text", "sci.space/5", "sci.space"))
    assert (post.label, post.covariates) == ("sci.space", {"part": None})
