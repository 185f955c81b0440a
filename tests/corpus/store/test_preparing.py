"""A corpus that is counted into a store is counted as in memory, whatever happens on the way."""

import hashlib

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from tests.corpus.store.texts import texts
from topicfactors import DocumentVectorizer
from topicfactors.corpus import tokenizers
from topicfactors.corpus.store import CountsStore, passes, passing, repeats
from topicfactors.corpus.store import prepare as prepared
from topicfactors.errors import ConfigurationError, CorpusWarning, InputError, StorageError


def prepare(corpus, folder, *, workers=1, **settings):
    """In this process unless told otherwise: each piece is kept before the next is read."""
    return prepared(corpus, folder, workers=workers, **settings)


def together(store):
    return scipy.sparse.vstack([store.shard(number) for number in range(len(store.sizes))])


def contents(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"min_df": 1, "max_df": 1.0, "max_features": None},
        {"min_df": 0.02, "max_df": 0.2, "max_features": 30},
        {"token_pattern": r"\w\w+", "max_features": 7},
        {"min_length": 1, "lowercase": False},
    ],
)
def test_counts_and_words_are_those_of_the_vectorizer(tmp_path, settings):
    corpus = [*texts(300), "", "the"]
    vectorizer = DocumentVectorizer(**settings)
    with pytest.warns(CorpusWarning):
        expected = vectorizer.fit_transform(corpus)
    store = prepare(
        corpus, tmp_path / "store", vectorizer=DocumentVectorizer(**settings), shard_documents=70
    )
    assert store.sizes == [70, 70, 70, 70, 22]
    assert store.feature_names.tolist() == expected.feature_names.tolist()
    assert (together(store) != expected).nnz == 0
    np.testing.assert_array_equal(store.word_totals, np.asarray(expected.sum(0)).ravel())
    np.testing.assert_array_equal(store.document_frequency, expected.getnnz(0))
    assert store.vectorizer().vocabulary_ == vectorizer.vocabulary_
    assert store.notes == ["1 document is kept as an empty row: row 300 (id 300) is empty"]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_several_processes_make_the_same_store(tmp_path, monkeypatch):
    monkeypatch.setattr(passes, "SERIAL", 4_000)
    monkeypatch.setattr(passes, "PIECE", 2_000)
    monkeypatch.setattr(passing, "PIECE", 2_000)
    alone = prepare(texts(400), tmp_path / "alone", shard_documents=90)
    prepare(texts(400), tmp_path / "several", workers=2, shard_documents=90)
    assert contents(tmp_path / "several") == contents(tmp_path / "alone")
    assert len(alone.sizes) == 5


def test_long_documents_make_short_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(passing, "SHARD_CHARACTERS", 2_000)
    store = prepare(texts(300), tmp_path / "store")
    assert max(store.sizes) < 100
    assert sum(store.sizes) == 300


def test_ids_labels_and_columns_are_kept(tmp_path):
    frame = [
        {"id": f"n{row}", "text": text, "label": "ab"[row % 2], "year": 1800 + row, "place": None}
        for row, text in enumerate(texts(50))
    ]
    store = prepare(frame, tmp_path / "store", columns=["year", "place"], shard_documents=20)
    assert store.ids(2)[0] == "n40"
    assert store.labels(1)[:2] == ["a", "b"]
    assert store.columns(1)["year"][:2] == [1820, 1821]
    assert store.columns(1)["place"][:2] == [None, None]


class HaltError(Exception):
    pass


def interrupted(corpus, after):
    yield from corpus[:after]
    raise HaltError


@pytest.mark.parametrize("after", [5, 69, 71, 215, 299])
def test_what_was_interrupted_goes_on(tmp_path, after, monkeypatch):
    corpus = texts(300)
    prepare(corpus, tmp_path / "whole", shard_documents=70)
    with pytest.raises(HaltError):
        prepare(interrupted(corpus, after), tmp_path / "store", shard_documents=70)
    assert (tmp_path / "store.preparing").exists() == (after >= 71)
    counted, count = [], tokenizers.count_block

    def count_and_tell(rules, block):
        counted.extend(block)
        return count(rules, block)

    monkeypatch.setattr(passes, "count_block", count_and_tell)
    prepare(corpus, tmp_path / "store", shard_documents=70)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")
    assert len(counted) == 300 - 70 * (after // 70 if after >= 71 else 0)
    assert not (tmp_path / "store.preparing").exists()


def test_what_stops_between_the_passes_goes_on(tmp_path, monkeypatch):
    corpus = texts(300)
    prepare(corpus, tmp_path / "whole", shard_documents=70)
    with monkeypatch.context() as patch:
        moved, move = [], passes.move

        def third(*task):
            if len(moved) == 3:
                raise HaltError
            moved.append(move(*task))
            return moved[-1]

        patch.setattr(passes, "move", third)
        with pytest.raises(HaltError):
            prepare(corpus, tmp_path / "store", shard_documents=70)
    prepare(corpus, tmp_path / "store", shard_documents=70)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_another_corpus_or_other_settings_do_not_go_on(tmp_path):
    corpus = texts(300)
    with pytest.raises(HaltError):
        prepare(interrupted(corpus, 200), tmp_path / "store", shard_documents=70)
    with pytest.raises(StorageError, match="begun there with min_df=2, not min_df=3"):
        prepare(
            corpus,
            tmp_path / "store",
            shard_documents=70,
            vectorizer=DocumentVectorizer(min_df=3),
        )
    with pytest.raises(InputError, match=r"is not the corpus .* \(rows 0 to 69 are others\)"):
        prepare(texts(300, seed=1), tmp_path / "store", shard_documents=70)
    with pytest.raises(InputError, match=r"is not the corpus .* \(rows 70 to 139 are others\)"):
        prepare(corpus[:100], tmp_path / "store", shard_documents=70)
    store = prepare(texts(300, seed=1), tmp_path / "store", shard_documents=70, overwrite=True)
    assert len(store) == 300


def test_documents_are_added_by_the_words_of_the_store(tmp_path):
    first, more = texts(200), [*texts(90, seed=5), "unheard words"]
    store = prepare(first, tmp_path / "store", shard_documents=80)
    before = contents(tmp_path / "store")
    grown = prepare(more, tmp_path / "store", append=True, shard_documents=80)
    assert grown.sizes == [80, 80, 40, 80, 11]
    expected = scipy.sparse.vstack([together(store), store.vectorizer().transform(more)])
    assert (together(grown) != expected).nnz == 0
    np.testing.assert_array_equal(grown.word_totals, np.asarray(expected.sum(0)).ravel())
    assert "tokens are of words that the vocabulary does not have" in grown.notes[-1]
    assert store.word_totals.sum() == store.tokens  # that was opened before
    after = contents(tmp_path / "store")
    kept = [name for name in before if name.parts[0] == "shards" or name.name == "vocabulary.txt"]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    grown.verify()


def test_adding_goes_on_too(tmp_path):
    prepare(texts(100), tmp_path / "store", shard_documents=40)
    prepare(texts(100), tmp_path / "whole", shard_documents=40)
    more = texts(150, seed=3)
    prepare(more, tmp_path / "whole", append=True, shard_documents=40)
    with pytest.raises(HaltError):
        prepare(interrupted(more, 100), tmp_path / "store", append=True, shard_documents=40)
    assert len(CountsStore.open(tmp_path / "store")) == 100
    prepare(more, tmp_path / "store", append=True, shard_documents=40)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


@pytest.mark.parametrize("append", [False, True])
def test_what_a_kill_left_half_written_is_taken_away(tmp_path, append):
    """A process that is killed cannot take away the file that it is writing."""
    corpus = texts(150)
    for name in ("whole", "store") if append else ():
        prepare(texts(50), tmp_path / name, shard_documents=40)
    prepare(corpus, tmp_path / "whole", append=append, shard_documents=40)
    with pytest.raises(HaltError):
        prepare(interrupted(corpus, 100), tmp_path / "store", append=append, shard_documents=40)
    target = tmp_path / "store" if append else tmp_path / "store.preparing" / "store"
    left = [target / "shards" / ".000001.safetensors-rdv0iuxg", target / ".manifest.json-ab_12345"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half of it")
    somebody_elses = target / ".notes.txt"
    somebody_elses.write_text("kept")
    prepare(corpus, tmp_path / "store", append=append, shard_documents=40)
    (tmp_path / "store" / ".notes.txt").unlink()
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_a_fitted_vectorizer_keeps_its_words(tmp_path):
    vectorizer = DocumentVectorizer(phrases=True, phrase_min_count=1, phrase_threshold=0.5)
    vectorizer.fit(texts(200))
    assert vectorizer.phrases_
    more = texts(100, seed=2)
    store = prepare(more, tmp_path / "store", vectorizer=vectorizer)
    assert (together(store) != vectorizer.transform(more)).nnz == 0
    assert store.vectorizer().phrases_ == vectorizer.phrases_
    with pytest.raises(ConfigurationError, match="phrases are learnt from all texts at once"):
        prepare(more, tmp_path / "other", vectorizer=DocumentVectorizer(phrases=True))


def test_rare_words_are_forgotten_where_there_are_too_many(tmp_path, monkeypatch):
    corpus = [
        f"{text} only{'abcdefghij'[row % 10]}{'x' * (row // 10)}"
        for row, text in enumerate(texts(200))
    ]
    expected = DocumentVectorizer(min_df=20).fit_transform(corpus)
    monkeypatch.setattr(passes, "MOST", 300)
    store = prepare(
        corpus, tmp_path / "store", vectorizer=DocumentVectorizer(min_df=20), shard_documents=50
    )
    assert store.feature_names.tolist() == expected.feature_names.tolist()
    assert (together(store) != expected).nnz == 0
    assert "more than 300 different words came" in store.notes[-1]


def test_counts_go_in_and_are_added(tmp_path):
    counts = scipy.sparse.csr_matrix(np.random.default_rng(0).poisson(0.5, (50, 8)))
    prepare(counts, tmp_path / "store", shard_documents=20)
    store = prepare(counts[:7], tmp_path / "store", shard_documents=20, append=True)
    assert store.sizes == [20, 20, 10, 7]
    assert store.ids(3)[0] == "50"
    assert (together(store) != scipy.sparse.vstack([counts, counts[:7]])).nnz == 0
    with pytest.raises(InputError, match="was prepared from counts and cannot read texts"):
        prepare(["a text"], tmp_path / "store", append=True)


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        ([], "there are no documents"),
        (["", " "], "every text is empty"),
        (["the of", "and"], "none of their tokens passes"),
        (["steam", "engine"], "asks for more documents than max_df"),
    ],
)
def test_what_has_no_words_leaves_nothing(tmp_path, corpus, said):
    with pytest.raises(InputError, match=said):
        prepare(corpus, tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


def test_strict(tmp_path):
    with pytest.raises(InputError, match=r"row 1 \(id 1\) is empty"):
        prepare(["steam engines", ""], tmp_path / "store", strict=True)


@pytest.mark.parametrize("room", [5, 1 << 22])
def test_ids_that_come_again_are_told(tmp_path, room, monkeypatch):
    monkeypatch.setattr(repeats, "ROOM", room)
    ids = [*"abcdefghijklmnopq", "f", "c", "c", "r"]
    rows = [{"id": name, "text": text} for name, text in zip(ids, texts(21), strict=True)]
    store = prepare(rows, tmp_path / "store", shard_documents=4)
    assert store.notes == ["id 'f' comes more than once (rows 5 and 17); so does 1 more"]
    with pytest.raises(InputError, match=r"id 'f' comes more than once .* without strict"):
        prepare(rows, tmp_path / "strict", strict=True)


def test_ids_that_the_store_has_already_are_told(tmp_path):
    rows = [{"id": f"d{n}", "text": text} for n, text in enumerate(texts(30))]
    prepare(rows[:20], tmp_path / "store", shard_documents=7)
    store = prepare(rows[18:], tmp_path / "store", append=True)
    assert store.notes[0] == "id 'd18' comes more than once (rows 18 and 20); so does 1 more"
    with pytest.raises(InputError, match="id 'd1' comes more than once"):
        prepare(rows[1:2], tmp_path / "store", append=True, strict=True)
    assert len(CountsStore(tmp_path / "store")) == 32


def test_counts_of_a_file_that_are_added_are_numbered_on(tmp_path):
    scipy.io.mmwrite(tmp_path / "counts.mtx", scipy.sparse.csr_matrix([[1, 0], [2, 3]]))
    prepare(tmp_path / "counts.mtx", tmp_path / "store")
    store = prepare(tmp_path / "counts.mtx", tmp_path / "store", append=True)
    assert [store.ids(0), store.ids(1)] == [["0", "1"], ["2", "3"]]


def test_columns_hold_what_a_file_can(tmp_path):
    rows = [{"text": text, "what": "half \ud83d", "n": 10**400} for text in texts(20)]
    store = prepare(rows, tmp_path / "store", columns=["what", "n"])
    assert store.columns(0)["what"][0] == "half \N{REPLACEMENT CHARACTER}"
    assert store.columns(0)["n"][0] == 10**400
