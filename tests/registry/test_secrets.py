"""What is sealed opens again for the same thing, and for nothing else."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.secrets import SecretsError, Vault, open_vault
from registry.settings import Settings


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "secrets.key")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return Vault(tmp_path_factory.mktemp("vault") / "secrets.key")


@given(plaintext=st.binary(max_size=4096), context=st.text(max_size=80))
def test_what_is_sealed_opens_again(shared: Vault, plaintext: bytes, context: str) -> None:
    try:
        context.encode()
    except UnicodeEncodeError:
        return
    sealed = shared.seal(plaintext, context=context)
    assert shared.open(sealed, context=context) == plaintext
    assert shared.seal(plaintext, context=context) != sealed
    if len(plaintext) > 8:
        assert plaintext not in sealed
    with pytest.raises(SecretsError, match="something else"):
        shared.open(sealed, context=context + "x")


def test_every_changed_byte_is_found(vault: Vault) -> None:
    sealed = vault.seal(b"1 Example Street", context="persona:1")
    for at in range(len(sealed)):
        for flip in (1, 128):
            changed = bytearray(sealed)
            changed[at] ^= flip
            with pytest.raises(SecretsError):
                vault.open(bytes(changed), context="persona:1")
    for end in range(len(sealed)):
        with pytest.raises(SecretsError):
            vault.open(sealed[:end], context="persona:1")
    with pytest.raises(SecretsError):
        vault.open(sealed + b"\0", context="persona:1")


def test_parts_of_two_records_make_no_third(vault: Vault) -> None:
    one, two = (vault.seal(text, context="c") for text in (b"one", b"two"))
    for cut in range(20, len(one)):  # the first 12 bytes are alike
        with pytest.raises(SecretsError):
            vault.open(one[:cut] + two[cut:], context="c")


def test_old_keys_go_on_opening(vault: Vault) -> None:
    other = Vault(vault.path)
    sealed = [vault.seal(b"before", context="c")]
    assert other.open(sealed[0], context="c") == b"before"
    ids = [vault.rotate(), other.rotate()]
    sealed += [each.seal(b"before", context="c") for each in (other, vault)]
    # Whoever has read the file before the rotation finds the new key too.
    for each in (vault, other, Vault(vault.path)):
        assert [each.open(one, context="c") for one in sealed] == [b"before"] * 3
    assert len(set(ids)) == 2
    assert sealed[1][4:12].hex() == ids[1]


def test_the_file_is_for_its_owner_alone(vault: Vault) -> None:
    sealed = vault.seal(b"x", context="c")
    vault.rotate()
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    assert {path.name for path in vault.path.parent.iterdir()} == {
        "secrets.key",
        "secrets.key.lock",
    }
    vault.path.chmod(0o640)
    with pytest.raises(SecretsError, match="chmod 600"):
        Vault(vault.path).open(sealed, context="c")


def test_a_lost_key_is_told_and_not_replaced_on_opening(vault: Vault) -> None:
    sealed = vault.seal(b"x", context="persona:1")
    kept = vault.path.read_bytes()
    vault.path.unlink()
    with pytest.raises(SecretsError, match=r"no file .*secrets\.key: put the file"):
        Vault(vault.path).open(sealed, context="persona:1")
    assert not vault.path.exists()
    # A key made meanwhile does not open it, and says which one would.
    fresh = Vault(vault.path)
    fresh.seal(b"y", context="c")
    with pytest.raises(SecretsError, match=sealed[4:12].hex()):
        fresh.open(sealed, context="persona:1")
    vault.path.write_bytes(kept)
    assert fresh.open(sealed, context="persona:1") == b"x"


@pytest.mark.parametrize("damage", [b"", b"something else\n", b"touchstone-secrets-1\nAAAA\n"])
def test_a_damaged_file_is_left_alone(vault: Vault, damage: bytes) -> None:
    vault.path.write_bytes(damage)
    vault.path.chmod(0o600)
    for act in (lambda: vault.seal(b"x", context="c"), vault.rotate):
        with pytest.raises(SecretsError, match="damaged"):
            act()
    assert vault.path.read_bytes() == damage


def test_any_number_of_processes_make_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from registry.secrets import Vault\n"
        "vault = Vault(Path(sys.argv[1])); print('ready', flush=True); sys.stdin.readline()\n"
        "print(vault.seal(b'x', context='c').hex(), flush=True)"
    )
    path = tmp_path / "data" / "secrets.key"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    sealed = [bytes.fromhex(racer.communicate("go\n")[0]) for racer in racers]
    assert len({one[4:12] for one in sealed}) == 1
    assert all(Vault(path).open(one, context="c") == b"x" for one in sealed)


def test_where_the_key_is(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert open_vault(settings).path == tmp_path / "secrets.key"
    elsewhere = tmp_path / "elsewhere"
    assert open_vault(Settings(data_dir=tmp_path, secrets_key=elsewhere)).path == elsewhere
