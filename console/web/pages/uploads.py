"""`/tasks/…/uploads`: sending files of a task by tus 1.0, which goes on where it was cut.

Core, creation, termination and checksum (SHA-256), see https://tus.io/protocols/resumable-upload.
A file becomes an exhibit with the request that says its hash, once all of it is here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Path, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from console.web.doors import signed_in
from console.web.pages.tasks import mine
from console.web.parts import Parts, UseParts
from console.web.uploads import InUse, Upload, Uploads
from evidence.custody.cases import MAX_FILE_BYTES, store_file
from purchases import files
from purchases.ways import FILES
from registry.errors import TouchstoneError
from registry.models import PurchaseFile

router = APIRouter(prefix="/tasks/{purchase_id}/uploads")

VERSION: Final = "1.0.0"
CHECKSUM_MISMATCH: Final = 460


def _uploads(parts: Parts) -> Uploads:
    return Uploads(parts.settings.data_dir / "uploads")


def _answer(status: int, **headers: object) -> Response:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, **named})


def _spoken(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise HTTPException(
            412,
            "This speaks tus 1.0.0.",
            headers={"Tus-Version": VERSION, "Tus-Resumable": VERSION},
        )


def _own(request: Request, parts: Parts, purchase_id: UUID, upload_id: UUID) -> Upload:
    """The upload, if it is of this purchase and of whoever is signed in."""
    mine(request, parts, purchase_id)
    upload = _uploads(parts).find(upload_id)
    if (
        upload is None
        or upload.purchase_id != str(purchase_id)
        or upload.by != signed_in(request).name
    ):
        raise HTTPException(404, "There is no such upload.", headers={"Tus-Resumable": VERSION})
    return upload


@router.options("")
def offers(request: Request, purchase_id: UUID) -> Response:
    """What of tus there is here."""
    signed_in(request)
    return _answer(
        204, Tus_Version=VERSION, Tus_Extension="creation,termination,checksum",
        Tus_Max_Size=MAX_FILE_BYTES, Tus_Checksum_Algorithm="sha256",
    )  # fmt: skip


@router.post("")
def create(request: Request, parts: UseParts, purchase_id: UUID) -> Response:
    """Begin an upload."""
    _spoken(request)
    _, person = mine(request, parts, purchase_id)
    length = request.headers.get("upload-length", "")
    if not length.isdecimal() or len(length) > 15:
        raise HTTPException(400, "Upload-Length is wanted.")
    told = _metadata(request.headers.get("upload-metadata", ""))
    if told.get("kind") not in FILES:
        raise HTTPException(400, f"kind is one of: {', '.join(FILES)}.")
    try:
        made = _uploads(parts).create(
            purchase_id, person.name, told["kind"], told.get("filename", ""), int(length)
        )
    except TouchstoneError as error:
        raise HTTPException(413, str(error)) from error
    return _answer(201, Location=f"/tasks/{purchase_id}/uploads/{UUID(made.id)}", Upload_Offset=0)


@router.get("/kept/{sha256}")
def is_kept(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
) -> Response:
    """Whether these bytes are a file of the purchase already, added by whoever asks: 204 or 404."""
    _, person = mine(request, parts, purchase_id)
    with parts.database.reading() as session:
        there = session.scalar(
            select(PurchaseFile.exhibit_id).where(
                PurchaseFile.purchase_id == purchase_id,
                PurchaseFile.sha256 == sha256,
                PurchaseFile.added_by == person.name,
            )
        )
    return Response(status_code=404 if there is None else 204)


@router.head("/{upload_id}")
def state(request: Request, parts: UseParts, purchase_id: UUID, upload_id: UUID) -> Response:
    """How much of it is here."""
    _spoken(request)
    upload = _own(request, parts, purchase_id, upload_id)
    return _answer(
        200, Upload_Offset=_uploads(parts).offset(upload), Upload_Length=upload.length,
        Cache_Control="no-store",
    )  # fmt: skip


@router.patch("/{upload_id}")
async def append(request: Request, parts: UseParts, purchase_id: UUID, upload_id: UUID) -> Response:
    """Take more of it; what came before a connection broke is kept."""
    _spoken(request)
    upload = await run_in_threadpool(_own, request, parts, purchase_id, upload_id)
    if request.headers.get("content-type") != "application/offset+octet-stream":
        raise HTTPException(415, "application/offset+octet-stream is wanted.")
    checksum = _checksum(request.headers.get("upload-checksum"))
    uploads = _uploads(parts)
    try:
        with uploads.appending(upload) as stream:
            start = stream.tell()
            if request.headers.get("upload-offset") != str(start):
                raise HTTPException(409, f"{start} bytes are here.")
            digest, cut = hashlib.sha256(), False
            try:
                async for chunk in request.stream():
                    if stream.tell() + len(chunk) > upload.length:
                        stream.truncate(start)
                        raise HTTPException(413, "That is more than was said.")
                    stream.write(chunk)
                    digest.update(chunk)
            except ClientDisconnect:
                cut = True
            if checksum is not None and (cut or digest.digest() != checksum):
                stream.truncate(start)
                raise HTTPException(CHECKSUM_MISMATCH, "It arrived otherwise than it was sent.")
            stream.flush()
            offset = stream.tell()
    except InUse as error:
        raise HTTPException(423, str(error)) from error
    return _answer(204, Upload_Offset=offset)


@router.delete("/{upload_id}")
def remove(request: Request, parts: UseParts, purchase_id: UUID, upload_id: UUID) -> Response:
    """Take it away."""
    _spoken(request)
    _uploads(parts).remove(_own(request, parts, purchase_id, upload_id))
    return _answer(204)


@router.post("/{upload_id}/keep")
def keep(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    upload_id: UUID,
    sent_sha256: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
) -> Response:
    """Make it an exhibit, if all of it is here and it is what was sent."""
    upload = _own(request, parts, purchase_id, upload_id)
    uploads = _uploads(parts)
    try:
        with uploads.appending(upload) as stream:
            if stream.tell() != upload.length:
                raise HTTPException(409, f"{stream.tell()} of {upload.length} bytes are here.")
            stored = store_file(parts.blobs, uploads.data(upload), name=upload.name)
            with parts.database.writing() as session:
                files.add(
                    session, parts.blobs, purchase_id, stored,
                    by=upload.by, kind=upload.kind, sent_sha256=sent_sha256,
                )  # fmt: skip
    except InUse as error:
        raise HTTPException(423, str(error)) from error
    except TouchstoneError as error:
        uploads.remove(upload)  # sent again, it would be refused again
        return Response(str(error), status_code=422, media_type="text/plain")
    uploads.remove(upload)
    return Response(status_code=204)


def _metadata(text: str) -> dict[str, str]:
    """``name base64,name base64``, as tus has it."""
    found = {}
    for pair in text.split(",") if len(text) < 4096 else ():
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found


def _checksum(header: str | None) -> bytes | None:
    if header is None:
        return None
    algorithm, _, value = header.partition(" ")
    try:
        if algorithm != "sha256":
            raise ValueError(algorithm)
        return base64.b64decode(value, validate=True)
    except ValueError as error:  # and binascii.Error, which is one
        raise HTTPException(400, "Upload-Checksum is sha256 and base64.") from error
