"""Media under the names that Bedrock's Converse has for them.

agno hands on the format that a file's name or type says, and refuses what Bedrock calls otherwise: a photo as ``jpg``,
and every document, since a document needs a name and none that was uploaded has one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from itertools import count
from pathlib import PurePath
from typing import Any

from agno.media import File
from agno.models.message import Message

_BY_TYPE = {
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "video/quicktime": "mov",
    "video/3gpp": "three_gp",
    "video/x-ms-wmv": "wmv",
    "video/wmv": "wmv",
    "video/x-flv": "flv",
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
}
_BY_FORMAT = {"jpg": "jpeg", "3gp": "three_gp", "3gpp": "three_gp", "qt": "mov", "htm": "html", "markdown": "md"}
_KNOWN = frozenset({*_BY_TYPE.values(), "png", "webp", "gif", "mp4", "mkv", "webm", "mpeg", "mpg"})
"""The formats of Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html"""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9()\[\]-]+")
"""What no name of a document has, but for single spaces: API_runtime_DocumentBlock.html at the same place."""
_LONGEST_NAME = 200


def name_media(bedrock: Any) -> None:
    """Have agno's class ``AwsBedrock`` name media as Bedrock does."""
    bedrock._format_messages = _with_named_media(bedrock._format_messages)  # noqa: SLF001 - no other place sees all


def _with_named_media(format_messages: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(format_messages)
    def formatted(self: Any, messages: Sequence[Message], *arguments: Any, **options: Any) -> Any:
        return format_messages(self, list(named_media(messages)), *arguments, **options)

    return formatted


def named_media(messages: Iterable[Message]) -> Iterator[Message]:
    """The messages, those with media as copies. Of one conversation no two documents have the same name."""
    taken: set[str] = set()
    for message in messages:
        named: dict[str, Any] = {}
        if message.images:
            named["images"] = [_with_format(image) for image in message.images]
        if message.videos:
            named["videos"] = [_with_format(video) for video in message.videos]
        if message.files:
            named["files"] = [_with_format(_with_name(file, taken)) for file in message.files]
        yield message.model_copy(update=named) if named else message


def _with_format(medium: Any) -> Any:
    if medium.format in _KNOWN:
        return medium
    named = _BY_TYPE.get(medium.mime_type or "") or _BY_FORMAT.get(medium.format or "")
    return medium.model_copy(update={"format": named}) if named else medium


def _with_name(file: File, taken: set[str]) -> File:
    given = file.name or (PurePath(file.filename).stem if file.filename else "")
    plain = _NOT_IN_NAMES.sub(" ", given).strip()[: _LONGEST_NAME - 10].strip() or "document"
    names = (plain if number == 1 else f"{plain} ({number})" for number in count(1))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return file.model_copy(update={"name": name})
