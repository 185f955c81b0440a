"""Files and JSON that are nearly what they should be."""

import copy
import json
import shutil
import struct
import tempfile
from contextlib import contextmanager
from pathlib import Path

from hypothesis import strategies as st

WILD = [
    *(None, True, False, 0, -1, 1, 2, 10**6, 2**31, 10**12, 2**63, 10**400, 0.5, -0.0, 1e308),
    *(
        float("nan"),
        float("inf"),
        "",
        "auto",
        "x",
        "nan",
        "10",
        "../x",
        "/etc/passwd",
        "\0",
        "\ud800",
    ),
    *("a\nb", "nvil:samples=1000000000000", "mlp:width=1000000000", "mlp:width=[[[["),
    *([], {}, [[]], [None], [1, 2], ["a", "a"], {"": None}, {"a": {"a": {}}}),
]
PIECES = [b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n", b'"', b"{", b"[" * 20_000, b"9" * 400]
PIECES += [
    b"NaN",
    b"1e999",
    b"-1",
    b"\\ud800",
    b"../",
    b"\x80\x80",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
]


@st.composite
def spoiled_bytes(draw, content):
    """A file of which some bytes are others, more, fewer or none."""
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        begin = draw(st.integers(0, len(content)))
        end = begin + draw(st.sampled_from([0, 0, 1, 1, 2, 8, 64, 10**9]))
        new = draw(st.sampled_from(PIECES) | st.binary(max_size=9))
        content = content[:begin] + new + content[end:]
    return content


def paths(tree, before=()):
    """Where every value of a tree of JSON is."""
    yield before
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from paths(value, (*before, name))
    elif isinstance(tree, list):
        for number, value in enumerate(tree[:4]):
            yield from paths(value, (*before, number))


@st.composite
def spoiled_tree(draw, tree):
    """A tree of JSON of which a few values are others, absent, doubled or nested."""
    tree = json.loads(json.dumps(tree))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        *above, last = draw(st.sampled_from([path for path in paths(tree) if path] or [(0,)]))
        place = tree
        for step in above:
            place = place[step]
        what = draw(st.sampled_from(["wild", "wild", "wild", "gone", "twice", "other"]))
        if what == "gone":
            del place[last]
        elif what == "twice" and isinstance(place, list):
            place.insert(last, copy.deepcopy(place[last]))
        elif what == "other" and isinstance(place, dict):
            place[draw(st.text(max_size=3))] = place.pop(last)
        else:
            place[last] = copy.deepcopy(draw(st.sampled_from(WILD)))
        if not tree:
            break
    return tree


@st.composite
def respoiled_header(draw, content):
    """A safetensors file that declares other arrays than it has."""
    (length,) = struct.unpack("<Q", content[:8])
    text = json.dumps(draw(spoiled_tree(json.loads(content[8 : 8 + length])))).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


@contextmanager
def copied(folder):
    """A copy of a folder, or an empty one, that goes again."""
    with tempfile.TemporaryDirectory(prefix="fuzz") as place:
        copy = Path(place) / "inner" / "copy"
        if folder is None:
            copy.mkdir(parents=True)
        else:
            shutil.copytree(folder, copy)
        yield copy
