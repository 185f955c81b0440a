"""Files of texts and of counts that hold anything at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import sources
from tests.fuzz.guard import guarded
from tests.fuzz.settings import few
from tests.fuzz.spoiling import copied, spoiled_bytes
from topicfactors import read_corpus
from topicfactors.corpus.count_readers import read_counts
from topicfactors.corpus.vocabularies import words_of

NAMED = [{}, {"text_column": "text"}, {"strict": True}, {"covariates": ["year"]}]


def read_texts(path, **options):
    """Read a file of texts, and all that is known of them."""
    with guarded(path.parent):
        corpus = read_corpus(path, **options)
        texts = list(corpus)
        assert len(texts) == len(corpus) == len(corpus.ids)
        assert not any("\0" in text for text in texts)
        "".join([*texts, *corpus.ids, *(label or "" for label in corpus.labels or ())]).encode()
        assert not any("\n" in note for note in corpus.notes)


def read_numbers(path, **options):
    """Read a file of counts."""
    with guarded(path.parent):
        read = read_counts(path, **options)
        assert read.counts.shape[0] == len(read.ids)
        assert read.counts.data.min() > 0
        read.counts.check_format(full_check=True)
        assert not any("\n" in note for note in read.notes)


@pytest.mark.parametrize("name", sorted(sources.texts()))
def test_what_nobody_has_changed_is_read(tmp_path, name):
    (tmp_path / name).write_bytes(sources.texts()[name])
    assert len(read_corpus(tmp_path / name)) >= 2


@pytest.mark.parametrize("name", sorted(sources.counts()))
def test_counts_that_nobody_has_changed_are_read(tmp_path, name):
    (tmp_path / name).write_bytes(sources.counts()[name])
    assert read_counts(tmp_path / name).counts.sum() >= 4


@few
@given(data=st.data())
def test_a_changed_file_of_texts(data):
    name = data.draw(st.sampled_from(sorted(sources.texts())))
    content = data.draw(spoiled_bytes(sources.texts()[name]))
    with copied(None) as folder:
        (folder / name).write_bytes(content)
        read_texts(folder / name, **data.draw(st.sampled_from(NAMED)))


@few
@given(data=st.data())
def test_a_file_of_texts_in_a_folder(data):
    with copied(None) as folder:
        for name in ("a.txt", "b.txt.gz", "c", "d.md"):
            content = sources.texts()["a.jsonl.gz" if name.endswith("gz") else "b.txt"]
            (folder / name).write_bytes(data.draw(spoiled_bytes(content)))
        read_texts(folder)


@few
@given(data=st.data())
def test_a_changed_file_of_counts(data):
    name = data.draw(st.sampled_from(sorted(sources.counts())))
    content = data.draw(spoiled_bytes(sources.counts()[name]))
    with copied(None) as folder:
        (folder / name).write_bytes(content)
        read_numbers(folder / name)


@few
@given(data=st.data())
def test_a_vocabulary_beside_counts(data):
    with copied(None) as folder:
        (folder / "a.mtx").write_bytes(sources.counts()["a.mtx"])
        words = data.draw(spoiled_bytes(b"steam\nengine\ndamp\n"))
        (folder / "vocab.txt").write_bytes(words)
        read_numbers(folder / "a.mtx")
        with guarded(folder):
            words_of(folder / "vocab.txt")
