"""Archives of texts: the same rows as the folder that was packed."""

import bz2
import gzip
import io
import lzma
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors import read_corpus
from topicfactors.corpus.readers import stream_documents
from topicfactors.errors import InputError

PACK = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tgz": gzip.compress,
    ".tar.bz2": bz2.compress,
    ".tbz2": bz2.compress,
    ".tar.xz": lzma.compress,
    ".txz": lzma.compress,
}
FILES = {
    "news/2": b"two",
    "news/10.txt": "Škoda".encode("utf-16"),
    "b.txt": b"caf\xe9",
    "a.TXT": b"one",
    "x/y/deep": b"deep",
    "x/binary": b"\x7f\0\1",
    "x/empty.txt": b" \n",
    "picture.jpg": b"no text",
    "x/packed.txt.gz": gzip.compress(b"packed"),
    ".hidden": b"no",
    "x/.git/config": b"no",
    "__MACOSX/a.TXT": b"no",
}


def tar(files, *members):
    """Bytes of an uncompressed archive of files and of members made by hand."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in members:
            archive.addfile(member)
    return stream.getvalue()


def unpacked(root, files):
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def same(one, other):
    assert one.ids == other.ids
    assert one.labels == other.labels
    assert list(one.texts) == list(other.texts)
    assert one.problems == other.problems
    assert one.notes == other.notes


@pytest.mark.parametrize("suffix", sorted(PACK))
@pytest.mark.parametrize("around", ["", "./", "corpus/", "./corpus/"])
def test_an_archive_is_read_as_its_folder(tmp_path, suffix, around):
    path = tmp_path / f"t{suffix}"
    path.write_bytes(PACK[suffix](tar({around + name: data for name, data in FILES.items()})))
    same(read_corpus(path), read_corpus(unpacked(tmp_path / "folder", FILES)))


@pytest.mark.parametrize("suffix", [".tar", ".tgz"])
class TestNames:
    def write(self, folder, suffix, files, *members):
        path = folder / f"t{suffix}"
        path.write_bytes(PACK[suffix](tar(files, *members)))
        return path

    def test_one_folder_alone_surrounds_and_its_subfolders_are_labels(self, tmp_path, suffix):
        path = self.write(tmp_path, suffix, {"20news/autos/1": b"a", "20news/autos/2": b"b"})
        corpus = read_corpus(path)
        assert (corpus.ids, corpus.labels) == (["autos/1", "autos/2"], ["autos", "autos"])

    def test_a_picture_beside_the_folder_is_something_outside_it(self, tmp_path, suffix):
        path = self.write(tmp_path, suffix, {"news/1": b"a", "cover.jpg": b"b"})
        assert read_corpus(path).ids == ["news/1"]

    def test_links_devices_and_ways_out_are_not_read(self, tmp_path, suffix):
        link, device = tarfile.TarInfo("link.txt"), tarfile.TarInfo("device")
        link.type, link.linkname, device.type = tarfile.SYMTYPE, "/etc/passwd", tarfile.CHRTYPE
        files = {"a.txt": b"a", "../up.txt": b"up", "x/../../up": b"up", "/absolute.txt": b"b"}
        path = self.write(tmp_path, suffix, files, link, device)
        assert read_corpus(path).ids == ["a.txt", "absolute.txt"]

    def test_hard_links_are_the_text_they_point_to(self, tmp_path, suffix):
        links = []
        for name, target in (("0.txt", "d/a.txt"), ("z.txt", "0.txt"), ("y.txt", "nowhere")):
            links.append(tarfile.TarInfo(name))
            links[-1].type, links[-1].linkname = tarfile.LNKTYPE, target
        files = {"d/a.txt": b"one", "d/b.txt": b"two"}
        corpus = read_corpus(self.write(tmp_path, suffix, files, *links))
        assert corpus.ids == ["0.txt", "d/a.txt", "d/b.txt", "z.txt"]
        assert list(corpus.texts) == ["one", "one", "two", "one"]

    def test_files_that_are_not_read_are_counted(self, tmp_path, suffix):
        files = {"d/a.txt": b"one", "d/c.md": b"no", "d/b.html": b"no"}
        corpus = read_corpus(self.write(tmp_path, suffix, files))
        assert corpus.notes == ["2 files are no .txt and were not read (first: b.html)"]

    def test_of_two_members_of_one_name_the_later_counts(self, tmp_path, suffix):
        files = {"a.txt": b"old", "b.txt": b"b", "./a.txt": b"new"}
        assert list(read_corpus(self.write(tmp_path, suffix, files)).texts) == ["new", "b"]

    def test_long_names_and_names_that_are_not_utf8(self, tmp_path, suffix):
        name = "/".join(["folder" * 20] * 3) + "/caf\udce9.txt"
        path = self.write(tmp_path, suffix, {name: b"text", "a": b"a"})
        assert read_corpus(path).ids == ["a", name.replace("\udce9", "é")]

    def test_an_archive_without_texts_is_refused(self, tmp_path, suffix):
        for files in ({"picture.jpg": b"x"}, {}):
            with pytest.raises(InputError, match="no texts in this archive; expected files"):
                read_corpus(self.write(tmp_path, suffix, files))


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_a_damaged_archive_is_refused_before_its_first_document(tmp_path, suffix):
    whole = tar({f"{row}.txt": b"%d steam\n" % (row * 7919) * 99 for row in range(200)})
    member = 1536  # bytes of a header and a text
    cuts = {
        "no archive": b"junk" * 500,
        "in a text": whole[: 5 * member + 700],
        "in a header": whole[: 5 * member + 100],
        "between members": whole[: 5 * member],
        "inside": whole[: 5 * member] + b"x" * 512 + whole[5 * member + 512 :],
        "empty": b"",
    }
    path = tmp_path / f"t{suffix}"
    packed = PACK[suffix](whole)
    for data in [*map(PACK[suffix], cuts.values()), packed[: len(packed) // 2]]:
        path.write_bytes(data)
        with pytest.raises(InputError, match="no tar archive, or a damaged one") as caught:
            next(stream_documents(path))
        assert "\n" not in str(caught.value)


def test_a_wrong_checksum_is_refused(tmp_path):
    packed = bytearray(gzip.compress(tar({"a.txt": b"text"})))
    packed[-6] ^= 1
    (tmp_path / "t.tgz").write_bytes(packed)
    with pytest.raises(InputError, match="CRC"):
        read_corpus(tmp_path / "t.tgz")


NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0/._"), min_size=1, max_size=8)
TREE = st.dictionaries(st.lists(NAME, min_size=2, max_size=2).map("/".join), st.text(), max_size=6)


@pytest.mark.parametrize("suffix", [".tar", ".tgz"])
@settings(deadline=None, max_examples=50)
@given(files=TREE, line_end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_texts_come_back_from_folders_and_archives(tmp_path_factory, suffix, files, line_end):
    files = {f"{name}.txt": (line_end + text).encode() for name, text in files.items()}
    files["_"] = b"so that no folder surrounds everything"
    root = tmp_path_factory.mktemp("any")
    (root / f"t{suffix}").write_bytes(PACK[suffix](tar(files)))
    corpus = read_corpus(root / f"t{suffix}")
    same(corpus, read_corpus(unpacked(root / "folder", files)))
    found = dict(zip(corpus.ids, corpus.texts, strict=True))
    whole = {name: data.decode() for name, data in files.items()}
    empty = {name for name, text in whole.items() if not text.strip() or "\0" in text}
    assert found == {name: "" if name in empty else text for name, text in whole.items()}
