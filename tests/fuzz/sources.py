"""A small file of every kind that readers read."""

import bz2
import csv
import functools
import gzip
import importlib.util
import io
import json
import lzma
import tarfile

import numpy as np
import scipy.io
import scipy.sparse
from sklearn.datasets import dump_svmlight_file

RECORDS = [{"id": f"d{n}", "label": "x", "text": f"steam engine {n}", "year": n} for n in range(4)]
COUNTS = scipy.sparse.csr_matrix([[1, 0, 2], [0, 3, 0], [4, 0, 0], [0, 0, 0]])
COMPRESSIONS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def _csv(delimiter=","):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, RECORDS[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(RECORDS)
    return stream.getvalue().encode()


def _tar(kind=tarfile.PAX_FORMAT):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=kind) as archive:
        for record in RECORDS:
            data = record["text"].encode()
            member = tarfile.TarInfo(f"corpus/{record['label']}/{record['id']}.txt")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("corpus/link")
        link.type, link.linkname = tarfile.LNKTYPE, "corpus/x/d0.txt"
        archive.addfile(link)
        outside = tarfile.TarInfo("../outside")
        archive.addfile(outside, io.BytesIO())
    return stream.getvalue()


def _parquet():
    import pyarrow
    import pyarrow.parquet

    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(RECORDS), stream)
    return stream.getvalue()


def _written(write, *args, **options):
    stream = io.BytesIO()
    write(*args, stream, **options)
    return stream.getvalue()


def _npz():
    stream = io.BytesIO()
    scipy.sparse.save_npz(stream, COUNTS)
    return stream.getvalue()


def _mtx(field="integer"):
    stream = io.BytesIO()
    scipy.io.mmwrite(stream, COUNTS, field=field)
    return stream.getvalue()


def _docword():
    entries = COUNTS.tocoo()
    lines = [
        f"{r + 1} {c + 1} {v}"
        for r, c, v in zip(entries.row, entries.col, entries.data, strict=True)
    ]
    return "\n".join(["4", "3", str(COUNTS.nnz), *lines, ""]).encode()


@functools.cache
def texts():
    """Files of texts by their name."""
    jsonl = "\n".join(map(json.dumps, RECORDS)).encode()
    files = {
        "a.csv": _csv(),
        "a.tsv": _csv("\t"),
        "a.json": json.dumps(RECORDS).encode(),
        "a.jsonl": jsonl,
        "a.txt": b"steam engine\r\n\r\nclocks\ncaf\xe9\n",
        "b.txt": "steam\nengine\n".encode("utf-16"),
        "a.tar": _tar(),
        "b.tar": _tar(tarfile.GNU_FORMAT),
        "a.tgz": gzip.compress(_tar()),
    }
    if importlib.util.find_spec("pyarrow"):
        files["a.parquet"] = _parquet()
    packed = {f"a.jsonl{suffix}": pack(jsonl) for suffix, pack in COMPRESSIONS.items()}
    return files | packed


@functools.cache
def counts():
    """Files of counts by their name."""
    files = {
        "a.mtx": _mtx(),
        "b.mtx": _mtx("pattern"),
        "a.npz": _npz(),
        "docword.a.txt": _docword(),
        "a.svm": _written(lambda to: dump_svmlight_file(COUNTS, np.arange(4), to)),
    }
    return files | {"a.mtx.gz": gzip.compress(files["a.mtx"]), "b.npz.xz": lzma.compress(_npz())}
