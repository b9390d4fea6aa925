"""Where the key comes from, and what is said where it does not come."""

import os
import stat
from pathlib import Path

import pytest

from trivium.machine.vault import keys
from trivium.machine.vault.settings import Encryption, read
from trivium.settings.errors import UserError

TEXT = "trivium-key-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # bytes 0 to 31
ID = "5219cc4d6ea809c8"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (keys.VARIABLE, keys.FILE):
        monkeypatch.delenv(name, raising=False)


def test_a_key_is_one_line_that_only_its_owner_reads(tmp_path: Path) -> None:
    key = keys.Key(bytes(range(32)))
    keys.write(tmp_path / "key", key)
    assert (tmp_path / "key").read_text() == TEXT + "\n"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert keys.read(tmp_path / "key", "x") == key
    with pytest.raises(UserError, match="is there already, and a key that is lost cannot be made again"):
        keys.write(tmp_path / "key", keys.made())


def test_new_keys_differ_and_are_not_printed() -> None:
    first, second = keys.made(), keys.made()
    assert first.secret != second.secret and len(first.secret) == 32
    assert repr(first) == f"Key({first.id})" and first.secret.hex() not in repr(first)


@pytest.mark.parametrize("text", ["", "secret", "trivium-key-1:", TEXT[:-4], TEXT + "AAAA", TEXT.replace("Q", "!")])
def test_what_is_no_key_is_not_told(text: str) -> None:
    with pytest.raises(UserError) as caught:
        keys.parse(text, "The variable TRIVIUM_KEY")
    assert str(caught.value) == ("The variable TRIVIUM_KEY holds no key of Trivium, which is one line that begins with "
                                 "`trivium-key-1:`. `trivium key FILE` makes one.")


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.write(tmp_path / "a", keys.Key(b"a" * 32))
    keys.write(tmp_path / "b", keys.Key(b"b" * 32))
    asked = Encryption(key_file="a")
    assert keys.given(Encryption(), tmp_path) is None
    assert keys.given(asked, tmp_path) == keys.Key(b"a" * 32)
    monkeypatch.setenv(keys.FILE, str(tmp_path / "b"))
    assert keys.given(asked, tmp_path) == keys.Key(b"b" * 32)
    monkeypatch.setenv(keys.VARIABLE, TEXT)
    assert keys.given(asked, tmp_path) == keys.Key(bytes(range(32)))


def test_a_project_asks_for_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"encrypted with the key 1234 .* and no key is given. Set TRIVIUM_KEY_FILE"):
        keys.given(Encryption(key_id="1234"), tmp_path)
    monkeypatch.setenv(keys.VARIABLE, TEXT)
    assert keys.given(Encryption(key_id=ID), tmp_path) is not None
    with pytest.raises(UserError, match=rf"with the key 1234 .* and the key that is given is {ID}"):
        keys.given(Encryption(key_id="1234"), tmp_path)


def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="The key file .*gone, which `encryption.key_file` in params.yaml names, cannot "
                                        "be read: No such file or directory"):
        keys.given(Encryption(key_file="gone"), tmp_path)


def test_settings_are_read_alone(tmp_path: Path) -> None:
    assert read(tmp_path) == Encryption()
    (tmp_path / "params.yaml").write_text("seeds: wrong\nencryption: {key_id: ab, folder: /x}\n")
    assert read(tmp_path) == Encryption(key_id="ab", folder="/x")
    (tmp_path / "params.yaml").write_text("encryption: {key_fil: ab}\n")
    with pytest.raises(UserError, match="key_file"):
        read(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    with pytest.raises(UserError) as caught:
        keys.read(tmp_path / "key", "TRIVIUM_KEY_FILE")
    assert str(caught.value) == (f"The key file {tmp_path / 'key'}, which TRIVIUM_KEY_FILE names, is a pipe. Put the "
                                 "key into a file, or into TRIVIUM_KEY.")
