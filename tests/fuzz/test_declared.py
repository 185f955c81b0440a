"""What a file declares is not believed before it is there."""

import gzip
import io
import json
import lzma
import tarfile
import zipfile

import numpy as np
import pytest

from tests.fuzz import models, stores
from tests.fuzz.guard import inside, little_memory
from tests.fuzz.spoiling import copied
from topicfactors import load, read_corpus
from topicfactors.corpus import unpacking
from topicfactors.corpus.count_readers import read_counts
from topicfactors.corpus.store import CountsStore
from topicfactors.errors import InputError, StorageError

BANNER = "%%MatrixMarket matrix coordinate integer general\n"


def refused(read, path, message, error=InputError):
    """One line, little memory, nothing outside."""
    with little_memory(), inside(path.parent), pytest.raises(error, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.txt.gz", "a.json.gz", "a.csv.gz", "a.mtx.gz"])
def test_a_file_that_unpacks_without_end(tmp_path, name, monkeypatch):
    monkeypatch.setattr(unpacking, "ROOM", 2**20)
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"steam\n" * 2**18))
    refused(read_counts if "mtx" in name else read_corpus, path, "unpacks to more than|line 1")


def test_an_archive_that_unpacks_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "ROOM", 2**20)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("a.txt")
        member.size = 2**23
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    (tmp_path / "a.txz").write_bytes(lzma.compress(stream.getvalue()))
    refused(read_corpus, tmp_path / "a.txz", "unpacks to more than")


def test_a_text_of_a_folder_that_unpacks_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "ROOM", 2**20)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"x" * 2**23))
    assert "unpacks to more than" in read_corpus(tmp_path).problems[0].reason


def test_a_sparse_member(tmp_path):
    """GNU's: a terabyte of nothing in a kilobyte."""
    member = tarfile.TarInfo("a.txt")
    member.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386:482] = b"00000000000\0" * 8
    header[483:495] = tarfile.itn(10**12, 12, tarfile.GNU_FORMAT)
    header[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(header))[0]
    (tmp_path / "a.tar").write_bytes(bytes(header) + bytes(1024))
    refused(read_corpus, tmp_path / "a.tar", "unpacks to more than")


def test_a_member_with_a_name_of_a_terabyte(tmp_path):
    member = tarfile.TarInfo("a.txt")
    member.type, member.size = tarfile.XHDTYPE, 10**12
    data = member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
    for name, content in {"a.tar": data, "a.tgz": gzip.compress(data)}.items():
        (tmp_path / name).write_bytes(content)
        refused(read_corpus, tmp_path / name, "a name of 1,000,000,000,000 bytes")


@pytest.mark.parametrize("sizes", [(10**12, 2), (2 * 10**9, 2), (2, 10**12), (2, 2 * 10**9)])
def test_a_matrix_of_nothing(tmp_path, sizes):
    rows, columns = sizes
    (tmp_path / "a.mtx").write_text(f"{BANNER}{rows} {columns} 1\n1 1 1\n")
    (tmp_path / "docword.a.txt").write_text(f"{rows}\n{columns}\n1\n1 1 1\n")
    for name in ("a.mtx", "docword.a.txt"):
        refused(read_counts, tmp_path / name, "of so many counts at most")


@pytest.mark.parametrize("size", ["9" * 5000, "\xb2", "-1", "1e3"])
def test_sizes_that_are_none(tmp_path, size):
    (tmp_path / "a.mtx").write_text(f"{BANNER}{size} 2 1\n1 1 1\n", encoding="latin-1")
    (tmp_path / "docword.a.txt").write_text(f"{size}\n2\n1\n1 1 1\n", encoding="latin-1")
    for name, line in {"a.mtx": 2, "docword.a.txt": 1}.items():
        refused(read_counts, tmp_path / name, f"line {line}: ")


@pytest.mark.parametrize("place", ["1e300", "nan", "inf", "-1", "1.5", "9" * 400])
def test_places_that_are_none(tmp_path, place):
    (tmp_path / "a.mtx").write_text(f"{BANNER}2 2 1\n{place} 1 1\n")
    refused(read_counts, tmp_path / "a.mtx", "line 3: document")


def test_a_column_far_away(tmp_path):
    (tmp_path / "a.svm").write_text("0 2000000000:1\n")
    refused(read_counts, tmp_path / "a.svm", "of so many counts at most")


def npz(path, **arrays):
    whole = {"format": b"csr", "shape": (2, 2), "data": [1.0], "indices": [0], "indptr": [0, 1, 1]}
    np.savez_compressed(path, **{**whole, **arrays})


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"shape": (10**12, 2)}, "damaged"),
        ({"format": b"csc", "shape": (2 * 10**9, 2)}, "of so many counts at most"),
        ({"data": np.array([object()], dtype=object)}, "pickle"),
        ({"format": b"coo", "row": [0], "col": [0], "shape": (3, 2**40)}, "of so many counts"),
    ],
)
def test_an_npz_of_something_else(tmp_path, arrays, message):
    npz(tmp_path / "a.npz", **arrays)
    refused(read_counts, tmp_path / "a.npz", message)


def test_an_npz_with_a_password(tmp_path):
    npz(tmp_path / "a.npz")
    content = bytearray((tmp_path / "a.npz").read_bytes())
    for mark, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.rindex(mark) + flags] |= 1
    (tmp_path / "a.npz").write_bytes(content)
    refused(read_counts, tmp_path / "a.npz", "encrypted")


def test_an_npz_that_unpacks_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "ROOM", 2**20)
    npz(tmp_path / "a.npz", data=np.ones(2**20))
    refused(read_counts, tmp_path / "a.npz", "unpacks to more than")


def test_an_npz_that_declares_a_terabyte(tmp_path):
    npz(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "a.npz") as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["data.npy"] = parts["data.npy"].replace(b"(1,), }      ", b"(10**12,), }"[:13])
    parts["data.npy"] = parts["data.npy"].replace(b"(1,), }", b"(99999999999,), }")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    refused(read_counts, tmp_path / "a.npz", "damaged")


def test_a_table_that_unpacks_without_end(tmp_path, monkeypatch):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(unpacking, "ROOM", 2**20)
    table = pyarrow.table({"text": ["steam" * 1000] * 2**12})
    parquet.write_table(table, tmp_path / "a.parquet")
    refused(read_corpus, tmp_path / "a.parquet", "unpacks to more than")


class TestStores:
    """Stores that somebody has forged, with sizes and checksums that are right."""

    def test_a_name_with_half_of_a_surrogate_pair(self):
        with copied(stores.of_texts()) as folder:
            text = (folder / "manifest.json").read_text()
            (folder / "manifest.json").write_text(text.replace("shards/000000", r"\ud800", 1))
            refused(CountsStore.open, folder, "manifest.json: damaged", StorageError)

    def test_documents_that_nest_too_deeply(self):
        with copied(stores.of_texts()) as folder:
            (folder / "shards/000000.json").write_text("[" * 100_000)
            stores.seal(folder)
            refused(lambda at: CountsStore.open(at).ids(0), folder, "damaged", StorageError)

    def test_labels_that_are_no_texts(self):
        with copied(stores.of_texts()) as folder:
            path = folder / "shards/000000.json"
            known = json.loads(path.read_text())
            known["labels"][0] = {"a": 1}
            path.write_text(json.dumps(known))
            stores.seal(folder)
            refused(lambda at: CountsStore.open(at).labels(0), folder, "damaged", StorageError)

    @pytest.mark.parametrize(
        "content", ["[]", "[" * 100_000, '["a", "a"]', '{"a": 1}', r'["\ud800"]']
    )
    def test_a_preparation_with_other_words(self, content):
        with copied(stores.unfinished()) as folder:
            (folder / "store.preparing/spool/000000.json").write_text(content)
            refused(stores.go_on, folder / "store", "begin anew", StorageError)

    def test_a_preparation_with_links(self, tmp_path):
        with copied(stores.unfinished()) as folder:
            words = folder / "store.preparing/vocabulary.txt"
            words.unlink(missing_ok=True)
            words.symlink_to(tmp_path / "out")
            refused(stores.go_on, folder / "store", "holds links", StorageError)
        assert not (tmp_path / "out").exists()


class TestModels:
    """Folders of models that are not what they seem."""

    def spoil(self, kind, change, message):
        with copied(models.saved(kind)) as folder:
            path = folder / "config.json"
            config = json.loads(path.read_text(encoding="utf-8"))
            change(config["steps"][-1])
            path.write_text(json.dumps(config), encoding="utf-8")
            refused(load, folder, message, StorageError)

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            ("pipeline", {"encoder": "bag-of-words:width=1000000000"}),
            ("pipeline", {"decoder": "mlp:width=1000000000"}),
            ("boltzmann", {"prior": "boltzmann:chains=1000000000"}),
            ("covariates", {"encoder": "bag-of-words:width=300000000000"}),
        ],
    )
    def test_parts_are_no_larger_than_their_weights(self, kind, options):
        self.spoil(
            kind, lambda step: step["parameters"].update(options), "describes a larger model"
        )

    @pytest.mark.parametrize("name", ["words", "factors"])
    def test_sizes_are_those_of_the_weights(self, name):
        change = lambda step: step["fitted"].update({name: 10**12})  # noqa: E731
        self.spoil("pipeline", change, "of another model")

    def test_more_factors_of_a_classifier_than_there_are(self):
        change = lambda step: step["fitted"].update(factors=10**10)  # noqa: E731
        self.spoil("classifier", change, "serves at most 8 factors")

    @pytest.mark.parametrize(
        ("kind", "name", "value", "message"),
        [
            ("pipeline", "status", ["active"] * 3, "status"),
            ("pipeline", "anchored", {"steam": 2}, "'steam' is number 2 of 2"),
            ("pipeline", "named", 7, "7 where there should be a dict"),
            ("pipeline", "documents", 10**40, "where there should be a int"),
            ("pipeline", "history", [[1]], "a Epoch has 9"),
            ("covariates", "covariates", [["year", "number", "prevalence", []]], "0 means"),
            ("covariates", "covariates", [["year", "name", "prevalence", [0]]], "of no kind"),
            ("classifier", "classes", {"type": "str", "values": ["a", "a", "b"]}, "different"),
            ("classifier", "classes", {"type": "U99999999", "values": ["a"]}, "of the type"),
        ],
    )
    def test_facts_are_what_they_should_be(self, kind, name, value, message):
        self.spoil(kind, lambda step: step["fitted"].update({name: value}), message)

    def test_halves_of_surrogate_pairs(self):
        self.spoil("pipeline", lambda step: step.update(name="\ud800"), "surrogates")

    @pytest.mark.parametrize("name", ["words", "phrases"])
    def test_how_many_words_is_a_number(self, name):
        change = lambda step: step["fitted"].update({name: "a\nb"})  # noqa: E731
        self.spoil("phrases", change, "where there should be a int")

    def test_nesting(self):
        with copied(models.saved("pipeline")) as folder:
            (folder / "config.json").write_text("[" * 100_000)
            refused(load, folder, "cannot be read", StorageError)

    @pytest.mark.parametrize("name", ["vocabulary.txt", "weights.safetensors", "config.json"])
    def test_links_out_of_the_folder(self, tmp_path, name):
        with copied(models.saved("pipeline")) as folder:
            (folder / name).rename(tmp_path / name)
            (folder / name).symlink_to(tmp_path / name)
            refused(load, folder, "leads out of the folder", StorageError)

    def test_weights_that_are_no_numbers(self):
        from safetensors.numpy import load_file, save_file

        with copied(models.saved("pipeline")) as folder:
            weights = load_file(folder / "weights.safetensors")
            weights["objective.joint.decoder.raw"][0, 0] = np.nan
            save_file(weights, folder / "weights.safetensors")
            refused(load, folder, "raw holds numbers that are not finite", StorageError)
