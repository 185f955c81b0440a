"""manifest.json: what a store holds, and the size and checksum of every file of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from topicfactors.corpus.store.arrays import checksum, damaged
from topicfactors.errors import StorageError
from topicfactors.files import whole_file
from topicfactors.values import is_number, is_whole

NAME = "manifest.json"
KIND = "topicfactors store"
FORMAT = 1
VOCABULARY = "vocabulary.txt"
MARK = "preparation.json"  # in the folder of what is not finished
UNFINISHED = ".preparing"  # what the name of a store ends in until it is finished
PHRASES = "phrases.json"


class ElsewhereError(ValueError):
    """A path that leads out of the folder."""


class Kept(NamedTuple):
    """A file of a store."""

    name: str  # path inside the folder, with slashes
    size: int  # bytes
    sha256: str


class Shard(NamedTuple):
    """Documents in a row, kept together."""

    counts: Kept
    documents: Kept  # ids, labels, columns
    size: int  # documents
    nnz: int
    tokens: float


class Manifest(NamedTuple):
    """What a store holds."""

    words: int
    shards: list[Shard]
    files: list[Kept]  # beside the shards
    labelled: bool
    columns: list[str]
    vectorizer: dict[str, Any] | None  # its parameters
    notes: list[str]
    version: str  # of topicfactors

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that is in the store, from the checksums."""
        digest = hashlib.sha256()
        every = [*self.files, *(part for shard in self.shards for part in shard[:2])]
        for kept in every:
            digest.update(f"{kept.name} {kept.sha256}\n".encode())
        return digest.hexdigest()


def is_store(path: str | Path) -> bool:
    """Is there a store, or what is left of one, or the beginning of one?

    >>> is_store("no such folder")
    False
    """
    folder = Path(path)
    if str(path) == "-" or not folder.name:
        return False
    try:
        if not folder.exists():
            return (unfinished(folder) / MARK).is_file()
        with (folder / NAME).open("rb") as file:
            return KIND.encode() in file.read(100)
    except OSError:
        return any((folder / name).is_file() for name in (MARK, "shards/000000.safetensors"))
    except ValueError:  # a text for a path
        return False


def kept(folder: Path, name: str) -> Kept:
    """A file that was written, as the manifest has it."""
    path = folder / name
    return Kept(name, path.stat().st_size, checksum(path))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write or replace it, whole; whatever it names is there already."""
    described = {
        "kind": KIND,
        "format": FORMAT,
        "topicfactors": manifest.version,
        "documents": sum(shard.size for shard in manifest.shards),
        "words": manifest.words,
        "labelled": manifest.labelled,
        "columns": manifest.columns,
        "vectorizer": manifest.vectorizer,
        "notes": manifest.notes,
        "files": manifest.files,
        "shards": manifest.shards,
    }
    with whole_file(folder / NAME) as temporary:
        temporary.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """What the manifest of a folder says, checked against the sizes of its files.

    Raises
    ------
    StorageError
        When there is no store, or one that is unfinished, incomplete or of another version.
    """
    path = folder / NAME
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(described, ensure_ascii=False).encode()  # no halves of surrogate pairs
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _no_store(folder) from error
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise damaged(path) from error
    if not isinstance(described, dict) or described.get("kind") != KIND:
        raise StorageError(f"{path}: is of something else than a store of topicfactors")
    if described.get("format") != FORMAT:
        raise StorageError(
            f"{folder}: a store of format {described.get('format')!r}, written by topicfactors "
            f"{str(described.get('topicfactors'))[:20]}; this version reads format {FORMAT}: "
            "prepare the store again, or upgrade"
        )
    try:
        manifest = _manifest(described)
    except ElsewhereError as error:
        raise StorageError(
            f"{path}: names {str(error)!r}, which is no path inside of the folder; this is not "
            "what topicfactors prepare has written"
        ) from error
    except (LookupError, TypeError, ValueError) as error:
        raise damaged(path) from error
    _check_files(folder, manifest)
    return manifest


def unfinished(folder: Path) -> Path:
    """The folder in which a store is prepared; it gets its name when it is finished."""
    place = folder.resolve() if folder.name in ("", "..") else folder
    return place.with_name(place.name + UNFINISHED)


def _no_store(folder: Path) -> StorageError:
    begun = folder if folder.name.endswith(UNFINISHED) else unfinished(folder)
    if begun.is_dir():
        return StorageError(
            f"{begun}: a preparation that was not finished; give the same command (topicfactors "
            "prepare) again, and it goes on"
        )
    why = f"no store here ({NAME} is missing)" if folder.is_dir() else "no such store"
    return StorageError(f"{folder}: {why}; expected a folder that topicfactors prepare has written")


def _manifest(described: dict[str, Any]) -> Manifest:
    shards = [_shard(*entry) for entry in _list(described["shards"])]
    words, documents = _whole(described["words"]), sum(shard.size for shard in shards)
    if documents != described["documents"]:
        raise ValueError("documents")
    vectorizer = described["vectorizer"]
    if vectorizer is not None and not isinstance(vectorizer, dict):
        raise TypeError("vectorizer")
    return Manifest(
        words,
        shards,
        [_kept(*entry) for entry in _list(described["files"])],
        bool(described["labelled"]),
        _texts(described["columns"]),
        vectorizer,
        _texts(described["notes"]),
        str(described["topicfactors"]),
    )


def _shard(counts: Any, documents: Any, size: Any, nnz: Any, tokens: Any) -> Shard:
    if not is_number(tokens) or not math.isfinite(tokens) or tokens < 0:
        raise ValueError("tokens")
    return Shard(_kept(*counts), _kept(*documents), _whole(size), _whole(nnz), float(tokens))


def _kept(name: Any, size: Any, sha256: Any) -> Kept:
    place = PurePosixPath(name)
    if place.is_absolute() or not place.parts or ".." in place.parts or set(name) & set(":\\\0"):
        raise ElsewhereError(name[:60])
    if not isinstance(sha256, str):
        raise TypeError("sha256")
    return Kept(name, _whole(size), sha256)


def _whole(number: Any) -> int:
    if not is_whole(number) or number < 0:
        raise ValueError("no number of things")
    return number


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def _texts(value: Any) -> list[str]:
    if not all(isinstance(text, str) for text in _list(value)):
        raise TypeError("no texts")
    return list(value)


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Refuse a store of which a file is missing, elsewhere or of another size."""
    inside = folder.resolve()
    for one in every_file(manifest):
        path = folder / one.name
        try:
            size = path.stat().st_size
        except OSError as error:
            raise StorageError(f"{path}: is missing; prepare the store again") from error
        if not path.resolve().is_relative_to(inside):
            raise StorageError(f"{path}: leads out of the folder of the store; take a copy of it")
        if size != one.size:
            raise StorageError(
                f"{path}: has {size:,} bytes where {one.size:,} were written; prepare the store "
                "again, or take a copy of it"
            )


def every_file(manifest: Manifest) -> Sequence[Kept]:
    """All files of a store but the manifest."""
    return [*manifest.files, *(part for shard in manifest.shards for part in shard[:2])]
