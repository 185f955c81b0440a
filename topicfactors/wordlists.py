"""Files of a saved vectorizer: vocabulary.txt, a word a line, and phrases.json."""

from __future__ import annotations

import json
from pathlib import Path

from topicfactors.errors import ConfigurationError, StorageError
from topicfactors.values import is_number

SHOWN = 300  # characters of an error that are passed on


def write_words(path: Path, words: list[str]) -> None:
    """A vocabulary, one word a line."""
    broken = [word for word in words if "\n" in word or "\r" in word]
    if broken:
        raise ConfigurationError(
            f"the word {broken[0]!r} has a line break and cannot be kept in a vocabulary of one "
            "word a line; rename that column"
        )
    path.write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")


def read_words(path: Path) -> list[str] | None:
    """The words of a vocabulary; None where there is none."""
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path}: cannot be read: {one_line(error)}") from error
    if not text.endswith("\n"):
        raise StorageError(f"{path}: breaks off in its last line; save the model again")
    return text[:-1].split("\n")


def read_phrases(path: Path, expected: int) -> dict[str, float]:
    """So many learnt phrases and their scores."""
    if expected == 0:
        return {}
    try:
        phrases: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(f"{path}: cannot be read: {one_line(error)}") from error
    scored = isinstance(phrases, dict) and all(map(is_number, phrases.values()))
    if not scored or len(phrases) != expected:
        raise StorageError(
            f"{path}: expected {expected} phrases and the score of each; save the model again"
        )
    return phrases


def one_line(error: BaseException) -> str:
    """What an error says, without line breaks and not endlessly."""
    return " ".join(str(error).split())[:SHOWN]
