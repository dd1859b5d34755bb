"""The types of file that a run takes, by MIME type, or by extension where the type says nothing (AgentOS 3.1).

Types have several names: those of IANA, those of before their registration (``x-``), and those that browsers and tools
made up.
"""

from __future__ import annotations

from dataclasses import dataclass

_OOXML = "application/vnd.openxmlformats-officedocument"

_SUBTYPES = {
    "image": ("png", "jpeg", "jpg", "gif", "webp", "bmp", "tiff", "tif", "avif", "heic", "heif"),
    "audio": ("wav", "wave", "mp3", "mpeg", "ogg", "mp4", "m4a", "aac", "flac", "webm", "3gpp"),
    "video": ("x-flv", "flv", "quicktime", "mpeg", "mpegs", "mpgs", "mpg", "mp4", "webm", "wmv", "3gpp"),
}
_KINDS = {f"{kind}/{subtype}": kind for kind, subtypes in _SUBTYPES.items() for subtype in subtypes}

_DOCUMENTS: dict[str, str | None] = {
    "pdf": "application/pdf",
    "json": "application/json",
    "js": "text/javascript",
    "docx": f"{_OOXML}.wordprocessingml.document",
    "pptx": f"{_OOXML}.presentationml.presentation",
    "xlsx": f"{_OOXML}.spreadsheetml.sheet",
    "doc": "application/msword",
    "ppt": "application/vnd.ms-powerpoint",
    "xls": "application/vnd.ms-excel",
    "msg": "application/vnd.ms-outlook",
    "zip": "application/zip",
    "eml": "message/rfc822",
    "py": "text/x-python",
    "txt": "text/plain",
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "csv": "text/csv",
    "xml": "text/xml",
    "rtf": "text/rtf",
    # The engine has no type of their own for these:
    "yaml": "text/plain",
    "yml": "text/plain",
    "tsv": "text/plain",
    "ics": "text/plain",
    "svg": "text/xml",
    "odt": None,
}
"""By extension, the type's name to the engine; None if it has none, and goes by the file's name."""

_EXTENSIONS = {
    **dict.fromkeys(_SUBTYPES["image"], "image"),
    **dict.fromkeys(("wav", "mp3", "ogg", "oga", "opus", "m4a", "aac", "flac", "weba"), "audio"),
    **dict.fromkeys(("flv", "mov", "mpeg", "mpg", "mp4", "webm", "wmv", "3gp"), "video"),
}

EXTENSIONS = (*_EXTENSIONS, *_DOCUMENTS)
"""Of all files that are taken, without a dot."""

MAX_FILES = 100
"""In a request."""

_ALIASES: dict[str, str | None] = {
    "application/zip-compressed": "application/zip",
    "application/xml": "text/xml",
    "application/rtf": "text/rtf",
    "text/richtext": "text/rtf",
    "application/javascript": "text/javascript",
    "application/ecmascript": "text/javascript",
    "application/markdown": "text/markdown",
    "application/csv": "text/csv",
    "text/comma-separated-values": "text/csv",
    "application/acrobat": "application/pdf",
    "text/pdf": "application/pdf",
    "text/json": "application/json",
    "application/excel": "application/vnd.ms-excel",
    "application/msexcel": "application/vnd.ms-excel",
    "application/powerpoint": "application/vnd.ms-powerpoint",
    "application/mspowerpoint": "application/vnd.ms-powerpoint",
    "application/yaml": "text/plain",
    "text/yaml": "text/plain",
    "text/tab-separated-values": "text/plain",
    "text/tsv": "text/plain",
    "text/calendar": "text/plain",
    "text/ics": "text/plain",
    "image/svg+xml": "text/xml",
    "image/svg": "text/xml",
    "application/vnd.oasis.opendocument.text": None,
    "image/pjpeg": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/ms-bmp": "image/bmp",
    "audio/vnd.wave": "audio/wav",
    "audio/pn-wav": "audio/wav",
    "audio/mpeg3": "audio/mpeg",
    "audio/mpeg-3": "audio/mpeg",
    "audio/mpg": "audio/mpeg",
    "audio/mp4a-latm": "audio/m4a",
    "audio/aacp": "audio/aac",
    "audio/hx-aac-adts": "audio/aac",
    "audio/opus": "audio/ogg",
    "audio/vorbis": "audio/ogg",
    "application/ogg": "audio/ogg",
    "video/ms-wmv": "video/wmv",
    "video/m4v": "video/mp4",
}
"""Further names of types that are taken, without an ``x-``."""

_FURTHER_DOCUMENTS = {"application/x-javascript", "application/x-python"}
_DOCUMENT_TYPES = {*_DOCUMENTS.values(), *_FURTHER_DOCUMENTS}

_TELLS_NOTHING = {"", "application/octet-stream", "binary/octet-stream", "application/binary"}


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file is to a run."""

    kind: str
    """``image``, ``audio``, ``video`` or ``file``."""
    mime_type: str | None
    """Under the name that the engine takes; None where it has none, or where only an extension gave the kind."""


_SOUNDS_OR_PICTURES = {"audio", "video"}
"""Containers such as mp4 and ogg hold either."""


def file_type(content_type: str | None, filename: str | None) -> FileType | None:
    """The type of a file; None if it is not supported."""
    mime_type = (content_type or "").partition(";")[0].strip().lower()
    if mime_type in _TELLS_NOTHING:
        return _type_by_name(filename)
    return _known(mime_type) or _known(mime_type.replace("/x-", "/", 1))


def _known(mime_type: str) -> FileType | None:
    taken = _ALIASES.get(mime_type, mime_type)
    if taken in _KINDS:
        return FileType(_KINDS[taken], taken)
    return FileType("file", taken) if taken is None or taken in _DOCUMENT_TYPES else None


def is_misnamed(found: FileType, filename: str | None) -> bool:
    """Whether the name has the extension of another kind of file, such as a PDF document called ``a.png``."""
    named = _type_by_name(filename)
    return named is not None and named.kind != found.kind and not {named.kind, found.kind} <= _SOUNDS_OR_PICTURES


def _type_by_name(filename: str | None) -> FileType | None:
    extension = (filename or "").rpartition(".")[2].lower() if "." in (filename or "") else ""
    if extension in _EXTENSIONS:
        return FileType(_EXTENSIONS[extension], None)
    if extension in _DOCUMENTS:
        return FileType("file", _DOCUMENTS[extension])
    return None
