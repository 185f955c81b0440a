"""What an interrupted preparation has left, and who may go on with it."""

import subprocess
import sys

import pytest

from topicfactors import DocumentVectorizer
from topicfactors.corpus.store import CountsStore, StoreWriter, passes, prepare
from topicfactors.corpus.store.unfinished import Workplace
from topicfactors.errors import StorageError

STEAM = [f"steam engine boiler {'abcd'[row % 4] * 4}" for row in range(40)]
OCEAN = ["ocean whale" if row % 2 else "steam whale whale" for row in range(40)]
SETTINGS = {"shard_documents": 20, "workers": 1}


def words():
    return DocumentVectorizer(min_df=1, max_df=1.0)


class HaltError(Exception):
    pass


@pytest.fixture
def halted(monkeypatch):
    """Prepare, and stop in the second pass when one shard is written."""

    def run(*arguments, **options):
        moved, move = [], passes.move

        def one(*task):
            if moved:
                raise HaltError
            moved.append(move(*task))
            return moved[-1]

        with monkeypatch.context() as patch:
            patch.setattr(passes, "move", one)
            with pytest.raises(HaltError):
                prepare(*arguments, **SETTINGS, **options)

    return run


def test_a_corpus_that_grew_meanwhile_is_counted_by_its_own_words(tmp_path, halted):
    halted(STEAM, tmp_path / "store", vectorizer=words())
    grown = [*STEAM, "aardvark"]
    store = prepare(grown, tmp_path / "store", vectorizer=words(), **SETTINGS)
    expected = store.vectorizer().transform(grown[:20])
    assert (store.shard(0) != expected).nnz == 0


def test_an_addition_that_was_given_up_leaves_no_counts(tmp_path, halted):
    prepare(STEAM + OCEAN, tmp_path / "store", vectorizer=words(), **SETTINGS)
    halted(STEAM, tmp_path / "store", append=True)
    store = prepare(OCEAN, tmp_path / "store", append=True, overwrite=True, **SETTINGS)
    store.verify()
    assert (store.shard(4) != store.vectorizer().transform(OCEAN[:20])).nnz == 0


def test_one_process_at_a_time(tmp_path):
    pytest.importorskip("fcntl")
    code = (
        "import sys; from topicfactors.corpus.store.unfinished import Workplace\n"
        f"place = Workplace(__import__('pathlib').Path({str(tmp_path / 'store')!r}))\n"
        "place.enter({}, False); print('in it', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as other:
        assert other.stdout.readline().strip() == b"in it"
        for overwrite in (False, True):
            with pytest.raises(StorageError, match="another process is preparing it"):
                prepare(STEAM, tmp_path / "store", overwrite=overwrite, **SETTINGS)
        other.kill()
        other.communicate()
    with StoreWriter(tmp_path / "store", overwrite=True) as writer:
        writer.add([[1]])
    assert len(writer.store) == 1


def test_a_store_that_came_meanwhile_is_kept(tmp_path):
    def documents():
        prepare(OCEAN, tmp_path / "store", vectorizer=words(), **SETTINGS)
        yield from STEAM

    with pytest.raises(StorageError, match="exists and is kept"):
        prepare(documents(), tmp_path / "store", **SETTINGS)
    assert CountsStore(tmp_path / "store").ids(0) == [str(row) for row in range(20)]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_what_was_added_meanwhile_is_kept(tmp_path):
    prepare(STEAM, tmp_path / "store", vectorizer=words(), **SETTINGS)

    def documents():
        prepare(OCEAN, tmp_path / "store", append=True, **SETTINGS)
        yield from STEAM

    with pytest.raises(StorageError, match="documents were added to it meanwhile"):
        prepare(documents(), tmp_path / "store", append=True, **SETTINGS)
    CountsStore(tmp_path / "store").verify()


def test_what_was_added_whole_is_not_added_twice(tmp_path, monkeypatch):
    """A kill may come when all is written, but for the folder that is to be taken away."""
    prepare(STEAM, tmp_path / "store", vectorizer=words(), **SETTINGS)
    with monkeypatch.context() as patch:
        patch.setattr(Workplace, "clear", Workplace.release)
        prepare(OCEAN, tmp_path / "store", append=True, **SETTINGS)
    with pytest.raises(StorageError, match=r"if it has the documents .* remove .*store.preparing"):
        prepare(OCEAN, tmp_path / "store", append=True, **SETTINGS)


@pytest.mark.parametrize("left", [["spool/"], [".preparation.json-ab12cd34"], []])
def test_what_a_kill_left_of_the_very_beginning_is_no_hindrance(tmp_path, left):
    for name in left:
        path = tmp_path / "store.preparing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(parents=True) if name.endswith("/") else path.touch()
    prepare(STEAM, tmp_path / "store", **SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_somebody_elses_stays(tmp_path, overwrite):
    (tmp_path / "store.preparing").mkdir()
    (tmp_path / "store.preparing" / "letters.txt").write_text("mine")
    with pytest.raises(StorageError, match="is no preparation of a store; move it"):
        prepare(STEAM, tmp_path / "store", overwrite=overwrite, **SETTINGS)
    assert [path.name for path in (tmp_path / "store.preparing").iterdir()] == ["letters.txt"]
