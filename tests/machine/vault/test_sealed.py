"""The encrypted form of a file: known bytes, and everything that can be done to them."""

import hashlib
import hmac
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trivium.machine.vault.keys import Key
from trivium.machine.vault.sealed import CHUNK, EXTRA, FIXED, Unreadable, is_form, is_sealed, seal, unseal

KEY = Key(bytes(range(32)))
NAME = "data/raw/labels.parquet"
HEAD = FIXED + len(NAME)  # bytes before the first chunk


def sealed(folder: Path, content: bytes, name: str = NAME, key: Key = KEY) -> Path:
    (folder / "clear").write_bytes(content)
    seal(folder / "clear", folder / "sealed", key, name)
    return folder / "sealed"


def opened(path: Path, name: str | None = NAME, key: Key = KEY) -> bytes:
    unseal(path, path.with_name("opened"), key, name)
    return path.with_name("opened").read_bytes()


def refused(path: Path, name: str | None = NAME, key: Key = KEY) -> str:
    with pytest.raises(Unreadable) as caught:
        opened(path, name, key)
    assert not path.with_name("opened").exists()
    return str(caught.value).replace(str(path), "FILE")


def test_the_cipher_gives_what_its_authors_published() -> None:
    """Test case 16 of McGrew and Viega, The Galois/Counter Mode of Operation."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    plain = bytes.fromhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                          "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    beside = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    assert AESGCM(key).encrypt(bytes.fromhex("cafebabefacedbaddecaf888"), plain, beside).hex() == (
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b")


def test_keys_are_derived_as_rfc_5869_says() -> None:
    salt = b"s" * 32
    expected = HKDF(SHA256(), 32, salt, b"trivium 1 file").derive(KEY.secret)
    assert KEY.derive(b"file", salt) == expected


def test_the_form_is_what_it_says(tmp_path: Path) -> None:
    """Made once more from its description, by other code."""
    content = b"x" * CHUNK + b"yz"
    mac = HKDF(SHA256(), 32, None, b"trivium 1 tag").derive(KEY.secret)
    tag = hmac.new(mac, len(NAME).to_bytes(2, "big") + NAME.encode() + content, hashlib.sha256).digest()
    header = b"TRIVENC1" + bytes.fromhex(KEY.id) + tag + len(NAME).to_bytes(2, "big") + NAME.encode()
    cipher = AESGCM(HKDF(SHA256(), 32, tag, b"trivium 1 file").derive(KEY.secret))
    chunks = [cipher.encrypt(bytes(12), content[:CHUNK], header),
              cipher.encrypt(bytes(10) + b"\x01\x01", content[CHUNK:], header)]
    assert sealed(tmp_path, content).read_bytes() == header + b"".join(chunks)


def test_the_bytes_of_version_1(tmp_path: Path) -> None:
    """If this fails, files that people have cannot be read any more."""
    made = sealed(tmp_path, b"a small grey cat").read_bytes()
    assert KEY.id == "5219cc4d6ea809c8"
    assert hashlib.sha256(made).hexdigest() == "c4e903a331657310c5bc3885b36ca2943af8d335577d20ee4835cb136aac039c"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7])
def test_there_and_back(tmp_path: Path, size: int) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    path = sealed(tmp_path, content)
    chunks = max(1, -(-size // CHUNK))
    assert path.stat().st_size == HEAD + size + EXTRA * chunks
    assert opened(path) == content
    assert is_sealed(path) and not is_sealed(tmp_path / "clear") and not is_sealed(tmp_path / "nothing")


def test_equal_contents_are_equal_only_under_one_name_and_key(tmp_path: Path) -> None:
    first = sealed(tmp_path, b"cat").read_bytes()
    assert sealed(tmp_path, b"cat").read_bytes() == first
    for content, name, key in ((b"cats", NAME, KEY), (b"cat", "data/raw/b", KEY), (b"cat", NAME, Key(b"k" * 32))):
        assert sealed(tmp_path, content, name, key).read_bytes()[16:48] != first[16:48]


def test_a_form_is_known_to_its_last_byte(tmp_path: Path) -> None:
    path, clear = sealed(tmp_path, bytes(CHUNK + 1)), tmp_path / "clear"
    content = path.read_bytes()
    assert is_form(path, clear, KEY, NAME) and not is_form(path, clear, KEY, "other")
    for other in (content + b"\0", content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b""):
        path.write_bytes(other)
        assert not is_form(path, clear, KEY, NAME)


def test_one_byte_more_changes_every_chunk(tmp_path: Path) -> None:
    first, second = (sealed(tmp_path, bytes(CHUNK) + end).read_bytes() for end in (b"a", b"b"))
    assert first[HEAD:HEAD + 64] != second[HEAD:HEAD + 64]


@pytest.mark.parametrize("place", [0, 8, 16, 47, 48, 49, 50, HEAD, HEAD + 5, HEAD + CHUNK + EXTRA + 3, -1])
def test_a_bit_that_flips_is_found_wherever_it_is(tmp_path: Path, place: int) -> None:
    path = sealed(tmp_path, bytes(2 * CHUNK))
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize("keep", [0, 7, 20, FIXED, HEAD, HEAD + 5, HEAD + CHUNK + EXTRA, HEAD + 2 * CHUNK + 32, -1])
def test_a_part_that_is_cut_off_is_missed(tmp_path: Path, keep: int) -> None:
    path = sealed(tmp_path, bytes(2 * CHUNK + 9))
    path.write_bytes(path.read_bytes()[:keep])
    refused(path)


def test_chunks_cannot_move_nor_be_added(tmp_path: Path) -> None:
    path = sealed(tmp_path, bytes(CHUNK) + b"\x01" * CHUNK + b"end")
    whole, step = path.read_bytes(), CHUNK + EXTRA
    first, second, last = whole[HEAD:HEAD + step], whole[HEAD + step:HEAD + 2 * step], whole[HEAD + 2 * step:]
    for chunks in (second + first + last, first + first + last, first + last, first + second + last + last,
                   last + first + second, first + second + second + last):
        path.write_bytes(whole[:HEAD] + chunks)
        assert "is damaged" in refused(path)


def test_a_chunk_of_another_file_is_found(tmp_path: Path) -> None:
    other = sealed(tmp_path, b"b" * 9).read_bytes()
    path = sealed(tmp_path, b"a" * 9)
    path.write_bytes(path.read_bytes()[:HEAD] + other[HEAD:])
    assert "is damaged" in refused(path)


def test_what_is_said(tmp_path: Path) -> None:
    path = sealed(tmp_path, b"cat", "data/raw/text.parquet")
    assert refused(path).startswith("FILE holds what belongs to data/raw/text.parquet: files were swapped. Remove it;")
    assert refused(path, key=Key(b"k" * 32)) == (
        f"FILE is encrypted with the key {KEY.id}, and the key that is given is {Key(b'k' * 32).id}. Set "
        "TRIVIUM_KEY_FILE to the file of the first.")
    path.write_bytes(path.read_bytes()[:-1])
    assert refused(path, None) == (
        "FILE is damaged: it was changed or cut off after it was encrypted. Remove it; `dvc checkout` brings it back "
        "from the cache, `dvc pull` from the remote.")
    path.write_bytes(b"PAR1")
    assert refused(path) == "FILE is not encrypted, and this project is: `trivium encrypt` encrypts what is here."
