"""What was written is what is read, and what is not what was written is refused in one line."""

import json

import numpy as np
import pytest
import scipy.sparse

from tests.corpus.store.conftest import WORDS
from topicfactors import DocumentVectorizer
from topicfactors.corpus.store import CountsStore, StoreWriter
from topicfactors.corpus.store.arrays import checksum
from topicfactors.errors import InputError, StorageError


def test_counts_ids_labels_and_columns_come_back(folder, counts):
    store = CountsStore.open(folder)
    assert store.shape == (23, 30)
    assert len(store) == 23
    assert (store.sizes, store.starts) == ([10, 10, 3], [0, 10, 20])
    assert (store.nnz, store.tokens) == (counts.nnz, counts.sum())
    assert store.feature_names.tolist() == WORDS
    together = scipy.sparse.vstack([store.shard(number) for number in range(3)])
    assert together.dtype == np.float32
    assert (together != counts).nnz == 0
    assert store.shard(1).feature_names.tolist() == WORDS
    assert store.ids(2) == ["d20", "d21", "d22"]
    assert store.labels(2) == ["even", None, "even"]
    assert store.columns(2) == {"year": [1820, 1821, 1822]}
    np.testing.assert_array_equal(store.word_totals, np.asarray(counts.sum(0)).ravel())
    np.testing.assert_array_equal(store.document_frequency, (counts > 0).sum(0).A1)
    assert store.vectorizer() is None
    store.verify()


@pytest.mark.parametrize("rows", [[], [22], [5, 19, 5, 0], list(range(22, -1, -1))])
def test_rows_come_in_the_order_asked_for(folder, counts, rows):
    found = CountsStore.open(folder).rows(rows)
    np.testing.assert_array_equal(found.toarray(), counts.toarray()[rows])


def test_rows_outside_are_refused(folder):
    with pytest.raises(InputError, match="rows must be from 0 to 22, got -1 to 4"):
        CountsStore.open(folder).rows([4, -1])


def test_types_are_as_small_as_suffices(folder):
    kinds = [CountsStore.open(folder)._mapped(number) for number in range(3)]
    assert [found.values.dtype for found in kinds] == [np.uint16, np.uint8, np.uint8]
    assert {found.words.dtype for found in kinds} == {np.dtype(np.uint16)}


def test_real_valued_counts_and_wide_vocabularies(tmp_path):
    wide = scipy.sparse.csr_matrix(([0.5, 2.0], ([0, 1], [3, 70_000])), shape=(2, 70_001))
    with StoreWriter(tmp_path / "store") as writer:
        writer.add(wide)
    store = CountsStore.open(tmp_path / "store")
    assert store.ids(0) == ["0", "1"]
    assert [store.feature_names, store.labels(0), store.columns(0)] == [None] * 3
    assert (store.shard(0) != wide).nnz == 0


def test_the_vectorizer_comes_back(tmp_path):
    texts = ["steam engines and clocks", "clocks of steam", "a pendulum and steam"]
    vectorizer = DocumentVectorizer(min_df=1, max_df=1.0, stop_words=["and"])
    counts = vectorizer.fit_transform(texts)
    with StoreWriter(tmp_path / "store", vectorizer=vectorizer) as writer:
        writer.add(counts)
    found = CountsStore.open(tmp_path / "store").vectorizer()
    assert found.get_params() == vectorizer.get_params()
    assert (found.transform(texts) != counts).nnz == 0


def test_an_error_leaves_nothing(tmp_path, counts):
    def spoil():
        with StoreWriter(tmp_path / "store") as writer:
            writer.add(counts)
            writer.add(-counts)

    with pytest.raises(InputError, match="row 23: -2 is no count"):
        spoil()
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_exists_is_kept(folder, counts):
    with pytest.raises(StorageError, match="is kept"):
        StoreWriter(folder)
    with StoreWriter(folder, overwrite=True) as writer:
        writer.add(counts[:5])
    assert CountsStore.open(folder).shape == (5, 30)


def test_the_fingerprint_is_of_what_is_in_it(folder, tmp_path, counts):
    def made(name, of):
        with StoreWriter(tmp_path / name, words=WORDS) as writer:
            writer.add(of)
        return CountsStore.open(tmp_path / name).fingerprint

    assert made("a", counts) == made("b", counts) != made("c", counts[:22])


def test_no_store(tmp_path):
    with pytest.raises(StorageError, match="no such store"):
        CountsStore.open(tmp_path / "none")
    with pytest.raises(StorageError, match=r"no store here \(manifest.json is missing\)"):
        CountsStore.open(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="no such store"):
        CountsStore.open(tmp_path / "file")


def test_an_unfinished_preparation_says_how_to_go_on(tmp_path, counts):
    writer = StoreWriter(tmp_path / "store", shard_documents=5)
    writer.add(counts)
    for name in ("store", "store.preparing"):
        with pytest.raises(StorageError, match="not finished; give the same command"):
            CountsStore.open(tmp_path / name)


def test_a_shard_that_is_missing_or_cut(folder):
    shard = folder / "shards" / "000001.safetensors"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    with pytest.raises(StorageError, match=f"000001.safetensors: has {len(whole) - 1} bytes where"):
        CountsStore.open(folder)
    shard.unlink()
    with pytest.raises(StorageError, match=r"000001\.safetensors: is missing"):
        CountsStore.open(folder)


@pytest.mark.parametrize("name", ["shards/000001.safetensors", "shards/000001.json"])
def test_a_byte_that_changed_is_found_when_it_is_read(folder, name):
    path = folder / name
    spoilt = bytearray(path.read_bytes())
    spoilt[-3] ^= 1
    path.write_bytes(spoilt)
    store = CountsStore.open(folder)
    store.shard(0), store.ids(0)
    with pytest.raises(StorageError, match="damaged"):
        store.shard(1), store.ids(1)
    with pytest.raises(StorageError, match="damaged"):
        store.verify()


def change(folder, **more):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.update(more)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_other_versions_and_other_manifests(folder):
    change(folder, format=2)
    with pytest.raises(StorageError, match=r"format 2, written by topicfactors .* reads format 1"):
        CountsStore.open(folder)
    change(folder, kind="else")
    with pytest.raises(StorageError, match="of something else"):
        CountsStore.open(folder)


@pytest.mark.parametrize("name", ["../out.json", "/etc/passwd", "shards/../../out", "C:\\x"])
def test_a_path_outside_of_the_folder(folder, name):
    change(folder, files=[[name, 3, "0"]])
    with pytest.raises(StorageError, match="no path inside of the folder"):
        CountsStore.open(folder)


def test_a_link_out_of_the_folder(folder, tmp_path):
    shard = folder / "shards" / "000002.json"
    shard.rename(tmp_path / "elsewhere")
    shard.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="leads out of the folder"):
        CountsStore.open(folder)


def forge(folder, name, content):
    """Put a file in place of another, with the checksum that belongs to it."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in [*manifest["files"], *(part for s in manifest["shards"] for part in s[:2])]:
        if entry[0] == name:
            entry[1:] = [len(content), checksum(folder / name)]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def laid(header, data=b""):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


LARGE = 10**15


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        laid([]),
        laid({"offsets": {"dtype": "I64", "shape": [LARGE], "data_offsets": [0, 8 * LARGE]}}),
        laid({"offsets": {"dtype": "I64", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 16),
        laid({"offsets": {"dtype": "O", "shape": [0], "data_offsets": [0, 0]}}),
        laid({"offsets": 3}),
    ],
)
def test_what_a_shard_declares_is_never_believed(folder, content):
    forge(folder, "shards/000000.safetensors", content)
    with pytest.raises(StorageError, match="damaged"):
        CountsStore.open(folder).shard(0)


@pytest.mark.parametrize(
    ("offsets", "words", "values"),
    [
        ([0, 1, 9], [0, 1], [1, 1]),
        ([0, 3, 2], [0, 1], [1, 1]),
        ([0, 1, 2], [0, 30], [1, 1]),
        ([0, 2, 2], [1, 1], [1, 1]),
        ([0, 1, 2], [0, 1], [1, 0]),
        ([0, 1], [0], [1]),
    ],
)
def test_rows_that_are_none_are_refused(tmp_path, offsets, words, values):
    from topicfactors.corpus.store.arrays import write_arrays

    with StoreWriter(tmp_path / "store", words=WORDS) as writer:
        writer.add(scipy.sparse.csr_matrix(np.eye(2, 30)))
    spoilt = tmp_path / "spoilt"
    kinds = (np.int64, np.uint16, np.uint8)
    parts = zip(("offsets", "words", "values"), (offsets, words, values), kinds, strict=True)
    write_arrays(spoilt, {name: np.array(part, kind) for name, part, kind in parts})
    forge(tmp_path / "store", "shards/000000.safetensors", spoilt.read_bytes())
    with pytest.raises(StorageError, match="damaged"):
        CountsStore.open(tmp_path / "store").shard(0)
