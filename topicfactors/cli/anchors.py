"""The file of ``--anchors``: a line a factor, its name and its words.

In TOML, ``steam = ["engine", "boiler", "-locomotive"]``; in JSON (a name that ends in .json), an
object of the same.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.anchoring import read_anchors


def read_anchor_file(path: str | None) -> dict[str, list[str]] | None:
    """Names and words, as the model takes them; None where there is no file.

    Raises
    ------
    InputError
        With the file and, where there is one, the line.
    """
    if path is None:
        return None
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: cannot be read: not UTF-8; save it as UTF-8") from error
    found = _parsed(path, text)
    if not isinstance(found, dict) or not found:
        raise InputError(
            f'{path}: no anchors in it; expected lines such as steam = ["engine", "-locomotive"]'
        )
    for name, words in found.items():
        try:
            read_anchors({name: words})
        except ConfigurationError as error:
            raise InputError(f"{path}{_line_of(name, text)}: {error}") from error
    return {name: list(words) for name, words in found.items()}


def _parsed(path: str, text: str) -> Any:
    try:
        return json.loads(text) if path.lower().endswith(".json") else tomllib.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {error.lineno}: not JSON: {error.msg}; expected an object such as "
            '{"steam": ["engine", "-locomotive"]}'
        ) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+)", str(error))
        where = f", line {place[1]}" if place else f", line {text.count(chr(10)) + 1}"
        what = str(error).partition(" (at")[0]
        raise InputError(
            f'{path}{where}: not TOML: {what}; expected lines such as steam = ["engine", '
            '"-locomotive"]'
        ) from error
    except RecursionError as error:
        raise InputError(f"{path}: too deeply nested; expected names and lists of words") from error


def _line_of(name: str, text: str) -> str:
    """``", line 3"`` where the name begins a line; nothing where it cannot be told."""
    begins = re.compile(rf"""[\[{{,\s]*["']?{re.escape(name)}["']?\s*[\]=:.]""")
    for number, line in enumerate(text.splitlines(), 1):
        if begins.match(line):
            return f", line {number}"
    return ""
