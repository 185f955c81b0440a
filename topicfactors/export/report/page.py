"""The page itself: its parts in one HTML file, with the data as JSON that no text can leave."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from topicfactors import __version__
from topicfactors.export.factors import PLURALS
from topicfactors.export.report.cards import cards
from topicfactors.export.report.explorer import explorer
from topicfactors.export.report.material import Material
from topicfactors.export.report.over import over
from topicfactors.export.report.relations import relations
from topicfactors.export.tables import dump_json
from topicfactors.files import whole_file

STYLE = "style.css"
SCRIPTS = ("base.js", "overview.js", "cards.js", "map.js", "explorer.js", "over.js", "start.js")
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def write_page(material: Material, path: Path) -> None:
    """Write the report of a model, whole or not at all.

    Raises
    ------
    StorageError
        When the file cannot be written.
    """
    text = page(contents(material))
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def contents(material: Material) -> dict[str, Any]:
    """Everything the page shows, as JSON can hold it."""
    return {
        "title": material.title,
        "noun": material.noun,
        "plural": PLURALS[material.noun],
        "version": __version__,
        "facts": [list(fact) for fact in material.facts],
        "scores": [score._asdict() for score in material.scores],
        "curve": [list(point) for point in material.curve],
        "best": material.best,
        "coherence": material.coherence,
        "diversity": material.diversity,
        "notes": list(material.notes),
        "factors": cards(material),
        "relations": relations(material),
        "documents": explorer(material),
        "over": over(material.found, material.labels, material.columns),
    }


def page(told: Mapping[str, Any]) -> str:
    """The HTML of what :func:`contents` gives."""
    style = _part(STYLE)
    script = "\n".join(map(_part, SCRIPTS))
    parts = {
        "POLICY": f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'",
        "STYLE": style,
        "SCRIPT": script,
        "DATA": escaped(dump_json(dict(told))),  # last: its texts may hold anything
    }
    text = _part("page.html")
    for name, part in parts.items():
        before, _, after = text.partition(f"@@{name}@@")
        text = before + part + after
    return text


def escaped(json: str) -> str:
    r"""JSON that is safe inside a script element, whatever its texts hold.

    >>> escaped('["</script>"]')
    '["\\u003c/script\\u003e"]'
    """
    for sign, escape in UNSAFE.items():
        json = json.replace(sign, escape)
    return json


def _part(name: str) -> str:
    files = resources.files("topicfactors.export.report") / "parts" / name
    return files.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
