"""The types of file that a run takes, by MIME type, or by extension where the type tells nothing (AgentOS 3.1)."""

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
    """Under the name that the engine takes it; None where only an extension told the kind."""


def file_type(content_type: str | None, filename: str | None) -> FileType | None:
    """The type of an upload; None if it is not supported."""
    mime_type = (content_type or "").partition(";")[0].strip().lower()
    mime_type = _ALIASES.get(mime_type, mime_type)
    if mime_type in _KINDS:
        return FileType(_KINDS[mime_type], mime_type)
    if mime_type in _DOCUMENT_TYPES:
        return FileType("file", mime_type)
    extension = (filename or "").rpartition(".")[2].lower() if "." in (filename or "") else ""
    if mime_type not in _TELLS_NOTHING or not extension:
        return None
    if extension in _EXTENSIONS:
        return FileType(_EXTENSIONS[extension], None)
    if extension in _DOCUMENTS:
        return FileType("file", _DOCUMENTS[extension])
    return None
