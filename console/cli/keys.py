"""`touchstone key`: the key that signs bundles and checkpoints, and those that did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, out, plain, table
from evidence.custody.ledger import record
from evidence.signing.signer import key_folder, open_signer, pem_of, public_keys
from registry.errors import TouchstoneError
from registry.settings import load_settings

app = typer.Typer(help="The signing key of this installation.", no_args_is_help=True)


@app.command(epilog="Example: `touchstone key show --json`")
def show(json: JsonFlag = False) -> None:
    """Show the key that signs now."""
    settings = load_settings()
    signer = open_signer(settings)
    pem = pem_of(signer.public_key).decode()
    if json:
        emit_json({"key_id": signer.key_id, "signer": settings.signer, "public_key": pem})
        return
    out.print(f"{signer.key_id}  (ECDSA, P-384; {plain(settings.signer)})")
    out.print(pem, end="")


@app.command("list", epilog="Example: `touchstone key list`")
def list_(json: JsonFlag = False) -> None:
    """List every key that ever signed here; their public halves verify what they signed."""
    settings = load_settings()
    current = open_signer(settings).key_id
    rows = [
        {"key_id": key_id, "current": key_id == current, "public_key": pem_of(key).decode()}
        for key_id, key in public_keys(settings).items()
    ]
    if json:
        emit_json(rows)
        return
    table(
        ("Key", "Use"),
        ((r["key_id"], "signs now" if r["current"] else "verifies only") for r in rows),
        empty="No key yet.",
    )


@app.command(epilog="Example: `touchstone key rotate`")
def rotate(json: JsonFlag = False) -> None:
    """Sign with a new key from now on; the old private key is removed for good.

    Its public half is kept: what it signed can always be verified.
    """
    settings = load_settings()
    if settings.signer != "keys:":
        raise TouchstoneError(
            f"{settings.signer} holds the key: change it there, and the new public key is kept "
            "beside the old one here"
        )
    with open_house() as house:  # opened first: a rotation that the ledger misses is none
        folder = key_folder(settings)
        old = folder.current()
        new = folder.rotate()
        with house.database.writing() as session:
            record(
                session,
                event="key_rotated",
                subject=f"key:{new}",
                actor=settings.operator,
                details={"replaces": old},
            )
    if json:
        emit_json({"key_id": new, "replaces": old})
    else:
        out.print(f"Signing with {new} from now on.")


@app.command(epilog="Example: `touchstone key export touchstone.pub.pem`")
def export(
    file: Path,
    key: Annotated[str | None, typer.Option(help="Another key than the one in use.")] = None,
    json: JsonFlag = False,
) -> None:
    """Write a public key to a file (PEM), for those who verify."""
    settings = load_settings()
    key_id = key or open_signer(settings).key_id
    public = public_keys(settings).get(key_id)
    if public is None:
        raise TouchstoneError(f"there is no key {key_id}; see key list")
    try:
        with file.open("xb") as stream:
            stream.write(pem_of(public))
    except FileExistsError as error:
        raise TouchstoneError(f"{file} is there already: name another file") from error
    except FileNotFoundError as error:
        raise TouchstoneError(f"cannot write {file}: {error.strerror}") from error
    if json:
        emit_json({"file": file, "key_id": key_id})
    else:
        out.print(f"{plain(file)}: public key {key_id}")
