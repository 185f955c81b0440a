"""Counts from files: every format the same, and one line for what is wrong."""

import bz2
import gzip
import io
import lzma

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from gensim.corpora import Dictionary, MmCorpus
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import dump_svmlight_file

from topicfactors.corpus.count_readers import COUNT_READERS, is_counts, read_counts
from topicfactors.errors import InputError

TABLE = np.array([[2, 0, 1, 0], [0, 0, 0, 0], [0, 3, 0, 1]])
WORDS = ["steam", "time", "Škoda", "piston rod"]
NAMES = ["t.mtx", "t.mm", "docword.t.txt", "t.svmlight", "t.libsvm", "t.svm", "t.npz"]
BANNER = "%%MatrixMarket matrix coordinate real general\n"


def encoded(name, table):
    """A matrix in the format of a name, as bytes."""
    sparse, stream = scipy.sparse.coo_matrix(table), io.BytesIO()
    if name.endswith((".mtx", ".mm")):
        scipy.io.mmwrite(stream, sparse)
    elif name.endswith(".npz"):
        scipy.sparse.save_npz(stream, sparse)
    elif name.startswith("docword"):
        lines = [*sparse.shape, sparse.nnz]
        places = zip(sparse.row + 1, sparse.col + 1, sparse.data, strict=True)
        lines += [f"{row} {column} {count}" for row, column, count in places]
        return "".join(f"{line}\n" for line in lines).encode()
    else:
        dump_svmlight_file(sparse.tocsr(), np.arange(len(table)), stream, zero_based=False)
    return stream.getvalue()


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("packed", ["", ".gz", ".bz2", ".xz"])
@pytest.mark.parametrize("name", NAMES)
def test_every_format_is_read_packed_or_not(tmp_path, name, packed):
    pack = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[packed]
    found = read_counts(write(tmp_path / f"{name}{packed}", pack(encoded(name, TABLE))))
    assert found.counts.toarray().tolist() == TABLE.tolist()
    assert found.counts.dtype == np.int32
    assert found.counts.feature_names is None
    assert found.ids == ["0", "1", "2"]
    assert found.labels == (["0", "1", "2"] if "svm" in name else None)
    assert found.notes[-1] == "columns are named by number, for want of a vocabulary"
    assert len(found.notes) == 1 + ("svm" in name)


@pytest.mark.parametrize("name", [*NAMES, "a.mtx.gz", "docword.x.txt.bz2", "https://h/a.npz?v=1"])
def test_counts_are_known_by_their_names(name):
    assert is_counts(name)


@pytest.mark.parametrize("name", ["t.csv", "t.txt", "docword.txt", "t.txt.gz", "lee", "-", ""])
def test_texts_are_no_counts(name):
    assert not is_counts(name)
    with pytest.raises(InputError, match="cannot tell how to read counts") as caught:
        read_counts(name)
    assert all(suffix in str(caught.value) for suffix in COUNT_READERS)


class TestVocabulary:
    @pytest.mark.parametrize("kind", ["file", "list", "dictionary"])
    def test_it_is_given_as_a_file_a_list_or_a_dictionary(self, tmp_path, kind):
        path = write(tmp_path / "t.mtx", encoded("t.mtx", TABLE))
        vocabulary = {
            "file": write(tmp_path / "words", "\n".join(WORDS)),
            "list": WORDS,
            "dictionary": Dictionary([[word] for word in WORDS]),
        }[kind]
        found = read_counts(path, vocabulary=vocabulary)
        assert found.counts.feature_names.tolist() == WORDS
        assert found.notes == []

    @pytest.mark.parametrize(
        ("name", "beside"),
        [
            ("t.mtx.gz", "t.vocab.txt"),
            ("t.npz", "t.vocabulary.txt"),
            ("t.svm", "vocab.txt"),
            ("t.mm", "vocabulary.txt"),
            ("docword.t.txt.gz", "vocab.t.txt"),
        ],
    )
    def test_one_beside_the_counts_is_taken_when_it_fits(self, tmp_path, name, beside):
        data = encoded(name.removesuffix(".gz"), TABLE)
        path = write(tmp_path / name, gzip.compress(data) if name.endswith(".gz") else data)
        write(tmp_path / beside, "\n".join(WORDS) + "\n")
        found = read_counts(path)
        assert found.counts.feature_names.tolist() == WORDS
        assert found.notes[-1:] == [f"the words are the lines of {beside}, beside it"]
        write(tmp_path / beside, "\n".join(WORDS[:3]))
        found = read_counts(path)
        assert found.counts.feature_names is None
        assert found.notes[-2:] == [
            f"{beside}, beside it, has 3 lines for 4 columns and is not taken",
            "columns are named by number, for want of a vocabulary",
        ]

    @pytest.mark.parametrize("words", [["a"], [*"abcde"]])
    def test_one_of_another_size_is_refused(self, tmp_path, words):
        path = write(tmp_path / "t.mtx", encoded("t.mtx", TABLE))
        with pytest.raises(InputError, match=rf"4 columns, but {len(words)} words in the vocab"):
            read_counts(path, vocabulary=words)

    def test_svmlight_may_end_before_the_last_word(self, tmp_path):
        path = write(tmp_path / "t.svm", encoded("t.svm", TABLE))
        found = read_counts(path, vocabulary=[*WORDS, "nowhere"])
        assert found.counts.toarray().tolist() == [[*row, 0] for row in TABLE.tolist()]


class TestIds:
    def test_they_are_given_as_a_file_or_a_list(self, tmp_path):
        path = write(tmp_path / "t.mtx", encoded("t.mtx", TABLE))
        ids = write(tmp_path / "ids", "a\n\nč\n")
        assert read_counts(path, ids=ids).ids == ["a", "row 1", "č"]
        assert read_counts(path, ids=[7, None, "x"]).ids == ["7", "row 1", "x"]

    def test_too_few_are_refused(self, tmp_path):
        path = write(tmp_path / "t.mtx", encoded("t.mtx", TABLE))
        with pytest.raises(InputError, match=r"t\.mtx: 3 documents, but 2 ids; give one for each"):
            read_counts(path, ids=["a", "b"])

    def test_one_that_comes_twice_is_noted(self, tmp_path):
        path = write(tmp_path / "t.mtx", encoded("t.mtx", TABLE))
        notes = read_counts(path, vocabulary=WORDS, ids=["a", "b", "a"]).notes
        assert notes == ["id 'a' comes more than once (rows 0 and 2)"]


WRONG = {
    "no banner": ("t.mtx", "junk", r"t\.mtx, line 1: not the banner of a Matrix Market file"),
    "empty": ("t.mtx", "", r"t\.mtx, line 1: not the banner of a Matrix Market file"),
    "no sizes": ("t.mtx", BANNER + "%\n\n2 2\n", r"t\.mtx, line 4: must be the numbers of doc"),
    "nothing more": ("t.mtx", BANNER, r"t\.mtx, line 2: must be the numbers of documents"),
    "few entries": (
        "t.mtx",
        BANNER + "2 2 3\n1 1 1\n",
        r"t\.mtx: 1 entries, where its head says 3",
    ),
    "many entries": ("t.mtx", BANNER + "2 2 1\n1 1 1\n2 2 1\n", r"2 entries, where its head says"),
    "row": (
        "t.mtx",
        BANNER + "2 2 2\n1 1 1\n3 1 1\n",
        r"t\.mtx, line 4: document 3, word 1 is out",
    ),
    "column": ("t.mtx", BANNER + "2 2 1\n1 0 1\n", r"line 3: document 1, word 0 is outside"),
    "half": ("t.mtx", BANNER + "2 2 1\n1 1.5 1\n", r"line 3: document 1, word 1\.5 is outside"),
    "no number": ("t.mtx", BANNER + "2 2 2\n1 1 1\n1 x 1\n", r"t\.mtx, line 4: must be 3 numbers"),
    "a number short": ("t.mtx", BANNER + "2 2 2\n1 1 1\n1 1\n", r"t\.mtx, line 4: must be 3 num"),
    "numbers short": (
        "t.mtx",
        BANNER + "2 2 1\n1 1\n",
        r"t\.mtx, line 3: must be 3 numbers, got '1 1'",
    ),
    "blank lines": (
        "t.mtx",
        BANNER + "% c\n\n2 2 2\n\n1 1 1\n\n3 1 1\n",
        r"t\.mtx, line 8: document 3, word 1 is out",
    ),
    "a comment among the entries": (
        "t.mtx",
        BANNER + "2 2 2\n1 1 1\n\n% mid\n2 2 3\n",
        r"t\.mtx, line 5: must be 3 numbers, got '% mid'$",
    ),
    "numbers of another length": (
        "docword.t.txt",
        "2\n2\n2\n1 1 1\n\n1 1\n",
        r"docword\.t\.txt, line 6: must be 3 numbers, got '1 1'$",
    ),
    "too many rows": (
        "t.mtx",
        BANNER + f"{10**12} 2 1\n1 1 1\n",
        r"so many counts at most 1,000,100",
    ),
    "negative": ("t.mtx", BANNER + "2 2 1\n2 1 -3\n", r"row 1 \(id 1\), column 0: -3 is no count"),
    "NaN": ("t.mtx", BANNER + "2 2 1\n1 2 nan\n", r"row 0 \(id 0\), column 1: nan is no count"),
    "infinite": (
        "t.mtx",
        BANNER + "2 2 1\n1 2 inf\n",
        r"column 1: inf is no count; counts are fin",
    ),
    "no entries": ("t.mtx", BANNER + "2 2 0\n", r"no counts in it \(2 documents × 2 words\)"),
    "only zeros": ("t.mtx", BANNER + "2 2 1\n1 1 0\n", r"no counts in it"),
    "dense": (
        "t.mm",
        "%%MatrixMarket matrix array real general\n1 1\n2\n",
        r"kind 'array general'",
    ),
    "skewed": (
        "t.mtx",
        "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 1\n",
        r"kind 'coordinate skew-symmetric'; counts must be 'coordinate general'",
    ),
    "complex": (
        "t.mtx",
        "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n",
        r"complex numbers are no counts; must be real or integer",
    ),
    "UCI empty": ("docword.t.txt", "", r"line 1: .*must be the number of documents, got ''"),
    "UCI words": ("docword.t.txt", "2\nx\n1\n", r"line 2: .*must be the number of words, got 'x'"),
    "UCI range": ("docword.t.txt", "2\n2\n1\n1 3 1\n", r"line 4: document 1, word 3 is outside"),
    "UCI few": ("docword.t.txt", "2\n2\n2\n1 1 1\n", r"docword\.t\.txt: 1 entries, where its"),
    "svmlight index": ("t.svm", "1 1:2\n0 a:2\n", r"t\.svm, line 2: no svmlight file, or a dam"),
    "svmlight target": ("t.svm", "x 1:2\n", r"t\.svm, line 1: no svmlight file.*could not convert"),
    "svmlight pair": ("t.svm", "1 1:2\n\n1 7\n", r"t\.svm, line 3: no svmlight file"),
    "svmlight order": ("t.svm", "1 1:2\n1 3:2 2:1\n", r"line 2: .*should be sorted and unique"),
    "svmlight range": ("t.svm", "1 99999999999:1\n", r"t\.svm, line 1: "),
    "svmlight minus": ("t.svm", "1 1:2\n1 1:1 2:-4\n", r"row 1 \(id 1\), column 1: -4 is no count"),
    "svmlight empty": ("t.svm", "", r"no counts in it"),
    "npz junk": ("t.npz", "junk", r"t\.npz: no SciPy \.npz file, or a damaged one"),
}


@pytest.mark.parametrize(("name", "data", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line(tmp_path, name, data, message):
    with pytest.raises(InputError, match=message) as caught:
        read_counts(write(tmp_path / name, data))
    assert "\n" not in str(caught.value)


def test_a_pattern_counts_ones(tmp_path):
    data = "%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 1\n2 2\n"
    found = read_counts(write(tmp_path / "t.mtx", data))
    assert found.counts.toarray().tolist() == [[1, 0], [0, 1]]


def test_half_of_a_symmetric_matrix_stands_for_both(tmp_path):
    data = "%%MatrixMarket matrix coordinate integer symmetric\n2 2 2\n1 1 5\n2 1 3\n"
    found = read_counts(write(tmp_path / "t.mtx", data))
    assert found.counts.toarray().tolist() == [[5, 3], [3, 0]]


def test_unsigned_numbers_and_byte_order_marks(tmp_path):
    data = "\ufeff%%MatrixMarket matrix coordinate unsigned-integer general\n1 2 1\n1 2 3\n"
    for name, text in (("t.mtx", data), ("docword.t.txt", "\ufeff1\n2\n1\n1 2 3\n")):
        assert read_counts(write(tmp_path / name, text)).counts.toarray().tolist() == [[0, 3]]
    found = read_counts(write(tmp_path / "t.svm", "\ufeff1 0:1 1:3\n"))
    assert found.counts.toarray().tolist() == [[1, 3]]


class TestWhereSvmlightBegins:
    DATA = "1 1:1 2:3\n0 2:2\n"

    def read(self, folder, data=DATA, **options):
        return read_counts(write(folder / "t.svm", data), **options)

    def test_auto_says_what_it_took(self, tmp_path):
        found = self.read(tmp_path, vocabulary=["a", "b", "c"])
        assert found.counts.toarray().tolist() == [[1, 3, 0], [0, 2, 0]]
        assert found.notes == [
            "columns counted from 1, as none is 0 (zero_based=True of read_counts says otherwise)"
        ]
        assert self.read(tmp_path, "1 0:1\n", vocabulary=["a"]).notes == ["columns counted from 0"]

    def test_it_can_be_told(self, tmp_path):
        found = self.read(tmp_path, vocabulary=["a", "b", "c"], zero_based=True)
        assert found.counts.toarray().tolist() == [[0, 1, 3], [0, 0, 2]]
        assert found.notes == ["columns counted from 0"]
        found = self.read(tmp_path, vocabulary=["a", "b"], zero_based=False)
        assert found.counts.toarray().tolist() == [[1, 3], [0, 2]]
        assert found.notes == ["columns counted from 1"]

    def test_what_cannot_be_is_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"t\.svm: a column is 0, where zero_based=False"):
            self.read(tmp_path, "1 0:1\n", zero_based=False)
        with pytest.raises(InputError, match="zero_based must be True, False or 'auto', got 'no'"):
            self.read(tmp_path, zero_based="no")
        path = write(tmp_path / "t.mtx", encoded("t.mtx", TABLE))
        with pytest.raises(InputError, match="zero_based is for svmlight alone"):
            read_counts(path, zero_based=True)

    @pytest.mark.parametrize(("columns", "width"), [(5, 5), (1, 2), (None, 2)])
    def test_it_is_as_wide_as_the_model(self, tmp_path, columns, width):
        assert self.read(tmp_path, columns=columns).counts.shape == (2, width)


def test_other_formats_are_as_wide_as_they_say(tmp_path):
    path = write(tmp_path / "t.mtx", encoded("t.mtx", TABLE))
    assert read_counts(path, columns=9).counts.shape == TABLE.shape


def test_numbers_that_are_not_whole_stay(tmp_path):
    path = write(tmp_path / "t.mtx", BANNER + "1 2 2\n1 1 0.5\n1 2 2\n")
    found = read_counts(path).counts
    assert (found.dtype, found.toarray().tolist()) == (np.float32, [[0.5, 2.0]])


@pytest.mark.parametrize(("target", "label"), [("3", "3"), ("-1.0", "-1"), ("0.5", "0.5")])
def test_targets_of_svmlight_are_labels(tmp_path, target, label):
    path = write(tmp_path / "t.svm", f"{target} 0:1 # comment\nnan 1:1\n")
    found = read_counts(path)
    assert found.labels == [label, None]
    assert found.counts.shape == (2, 2)


class TestNpz:
    @pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
    @pytest.mark.parametrize("make", [scipy.sparse.coo_matrix, scipy.sparse.coo_array])
    def test_every_sparse_format(self, tmp_path, form, make):
        scipy.sparse.save_npz(tmp_path / "t.npz", make(TABLE).asformat(form))
        assert read_counts(tmp_path / "t.npz").counts.toarray().tolist() == TABLE.tolist()

    @pytest.mark.parametrize(
        "arrays",
        [
            {"x": TABLE},
            {"x": np.array([{}], dtype=object)},
            {"format": "csr", "shape": [1, 1], "data": [1], "indices": [9], "indptr": [0, 1]},
            {"format": "csr", "shape": [1, 1], "data": [1], "indices": [0], "indptr": [0, 5]},
            {"format": "csr", "shape": [1, 1], "data": [1j], "indices": [0], "indptr": [0, 1]},
            {"format": "coo", "shape": [2, 2], "data": [1], "row": [5], "col": [0]},
        ],
    )
    def test_other_archives_are_refused(self, tmp_path, arrays):
        np.savez(tmp_path / "t.npz", **arrays)
        with pytest.raises(InputError, match=r"t\.npz: no SciPy \.npz file, or a damaged one"):
            read_counts(tmp_path / "t.npz")

    def test_a_cut_file_is_refused(self, tmp_path):
        data = encoded("t.npz", TABLE)
        for size in range(0, len(data), 37):
            with pytest.raises(InputError, match=r"t\.npz: no SciPy"):
                read_counts(write(tmp_path / "t.npz", data[:size]))


@pytest.mark.parametrize("name", [f"{name}.gz" for name in NAMES])
def test_a_damaged_compression_is_refused(tmp_path, name):
    table = np.random.default_rng(0).integers(0, 9, (60, 80))
    packed = gzip.compress(encoded(name[:-3], table))
    for data in (packed[: len(packed) // 2], b"junk"):
        with pytest.raises(InputError, match=name):
            read_counts(write(tmp_path / name, data))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"cannot be opened.*No such file"):
        read_counts(tmp_path / name)


def test_what_gensim_writes_is_read(tmp_path):
    bags = [[(0, 2.0), (2, 1.0)], [], [(1, 3.0), (3, 1.0)]]
    MmCorpus.serialize(str(tmp_path / "t.mm"), bags)
    found = read_counts(tmp_path / "t.mm", vocabulary=Dictionary([[word] for word in WORDS]))
    assert found.counts.toarray().tolist() == TABLE.tolist()


SMALL = arrays(
    np.int64,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.sampled_from([0, 0, 0, 1, 2, 7, 10**6]),
)


@pytest.mark.parametrize("name", ["t.mtx", "docword.t.txt", "t.svm", "t.npz"])
@settings(deadline=None, max_examples=50)
@given(table=SMALL)
def test_any_counts_come_back(tmp_path_factory, name, table):
    table[0, 0] = table[0, -1] = 1  # svmlight knows its width by its entries alone
    path = write(tmp_path_factory.mktemp("any") / name, encoded(name, table))
    assert read_counts(path).counts.toarray().tolist() == table.tolist()
