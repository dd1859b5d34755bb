"""The types of file that a run takes, by MIME type, or by extension where the type says nothing (AgentOS 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

_OOXML = "application/vnd.openxmlformats-officedocument"

_SUBTYPES = {
    "image": ("png", "jpeg", "jpg", "gif", "webp", "bmp", "tiff", "tif", "avif", "heic", "heif"),
    "audio": ("wav", "wave", "mp3", "mpeg", "ogg", "mp4", "m4a", "aac", "flac"),
    "video": ("x-flv", "flv", "quicktime", "mpeg", "mpegs", "mpgs", "mpg", "mp4", "webm", "wmv", "3gpp"),
}
_KINDS = {f"{kind}/{subtype}": kind for kind, subtypes in _SUBTYPES.items() for subtype in subtypes}

_DOCUMENTS = {
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
}

_EXTENSIONS = {
    **dict.fromkeys(_SUBTYPES["image"], "image"),
    **dict.fromkeys(("wav", "mp3", "ogg", "m4a", "aac", "flac"), "audio"),
    **dict.fromkeys(("flv", "mov", "mpeg", "mpg", "mp4", "webm", "wmv", "3gp"), "video"),
}

_ALIASES = {
    "application/x-zip": "application/zip",
    "application/x-zip-compressed": "application/zip",
    "application/xml": "text/xml",
    "application/rtf": "text/rtf",
    "application/javascript": "text/javascript",
}

_FURTHER_DOCUMENTS = {"application/x-javascript", "application/x-python"}
_DOCUMENT_TYPES = {*_DOCUMENTS.values(), *_FURTHER_DOCUMENTS}

_TELLS_NOTHING = {"", "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file is to a run."""

    kind: str
    """``image``, ``audio``, ``video`` or ``file``."""
    mime_type: str | None
    """Under the name that the engine takes; None where only an extension gave the kind."""


_SOUNDS_OR_PICTURES = {"audio", "video"}
"""Containers such as mp4 and ogg hold either."""


def file_type(content_type: str | None, filename: str | None) -> FileType | None:
    """The type of a file; None if it is not supported."""
    mime_type = (content_type or "").partition(";")[0].strip().lower()
    mime_type = _ALIASES.get(mime_type, mime_type)
    if mime_type in _KINDS:
        return FileType(_KINDS[mime_type], mime_type)
    if mime_type in _DOCUMENT_TYPES:
        return FileType("file", mime_type)
    return _type_by_name(filename) if mime_type in _TELLS_NOTHING else None


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
