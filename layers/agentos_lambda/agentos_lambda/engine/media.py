"""Files by URL, before and while agno works with them.

agno and some of its model adapters would fetch a caller's URL themselves, wherever it leads and is redirected. They get
the bytes instead, unless the model hands the URL to its provider, which then fetches it from its own network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import Any

import agno.media.media as agno_media
from agno.media import File
from agno.models.base import Model

from agentos_lambda.engine.components.parts import models_of
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.untaken_media import untaken
from agentos_lambda.media.addresses import UrlRefused
from agentos_lambda.media.fetcher import Fetcher, FetchFailed
from agentos_lambda.protocol.values import Json
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.model import Media, RunOutput

MAX_FETCHED_BYTES = 50 * 1024 * 1024
"""Of all files of a run."""

_KINDS = {"images": "image", "audio": "audio", "audios": "audio", "videos": "video", "files": "file"}
"""The fields of agno's objects that hold media."""


class MediaUnavailable(Exception):
    """A file of the request cannot be fetched, or would reach nobody. The text is fit for a caller's eyes."""


class MediaRules:
    """What becomes of the URLs of one component's files."""

    def __init__(self, component: object) -> None:
        self._component = component

    @cached_property
    def _models(self) -> Sequence[Model]:
        return list(models_of(self._component))  # looked for in everything that the component has

    def passed_on(self, kind: str, mime_type: str | None, url: str) -> bool:
        """Whether every model of the component hands such a URL to its provider, and none fetches it here."""
        return all(_hands_on(model, kind, mime_type, url) for model in self._models)

    async def resolved(self, media: Sequence[Media], fetcher: Fetcher) -> tuple[Media, ...]:
        """The media, with the bytes in place of each URL that is not passed on. Raises ``MediaUnavailable``."""
        if (refusal := untaken(self._component, media)) is not None:
            raise MediaUnavailable(refusal)
        resolved: list[Media] = []
        left = MAX_FETCHED_BYTES
        for place, medium in enumerate(media):
            if medium.url is None or self.passed_on(medium.kind, medium.mime_type, medium.url):
                resolved.append(medium)
                continue
            try:
                fetched = await fetcher.fetch(medium.url)
            except (FetchFailed, UrlRefused) as error:
                raise MediaUnavailable(f"{medium.kind} {place + 1} by URL: {error}") from error
            left -= len(fetched.content)
            if left < 0:
                raise MediaUnavailable(f"the files by URL have more than {MAX_FETCHED_BYTES} bytes together")
            resolved.append(
                replace(
                    medium,
                    url=None,
                    content=fetched.content,
                    mime_type=medium.mime_type or _known(medium.kind, fetched.mime_type),
                    filename=medium.filename or fetched.filename,
                )
            )
        return tuple(resolved)

    def cleaned(self, request: EngineRequest) -> EngineRequest:
        """The request without those media of its stored runs whose URLs would be fetched: an earlier model passed them
        on."""
        session, paused = request.session, request.paused
        if session is None and paused is None:
            return request
        if session is not None:
            runs = tuple(replace(run, output=self._cleaned(run.output)) for run in session.runs)
            session = replace(session, runs=runs)
        return replace(request, session=session, paused=paused and self._cleaned(paused))

    def _cleaned(self, output: RunOutput) -> RunOutput:
        members = tuple(map(self._without_urls, output.members))
        return replace(output, run=self._without_urls(output.run), members=members)

    def _without_urls(self, value: Json) -> Json:
        if isinstance(value, list):
            return [self._without_urls(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._kept(_KINDS[name], item)
            if name in _KINDS and isinstance(item, list)
            else self._without_urls(item)
            for name, item in value.items()
        }

    def _kept(self, kind: str, media: Iterable[Json]) -> list[Json]:
        return [medium for medium in media if not self._leads_out(kind, medium)]

    def _leads_out(self, kind: str, medium: Json) -> bool:
        if not isinstance(medium, dict) or not medium.get("url"):
            return False
        return not self.passed_on(kind, medium.get("mime_type"), str(medium["url"]))


def _hands_on(model: object, kind: str, mime_type: str | None, url: str) -> bool:
    """As agno 3.1's adapters do it. Subclasses may do it in another way, so they do not count."""
    if type(model) is DemoModel:
        return True
    match f"{type(model).__module__}.{type(model).__qualname__}":
        case "agno.models.openai.chat.OpenAIChat" | "agno.models.mistral.mistral.MistralChat":
            return kind == "image"
        case "agno.models.openai.responses.OpenAIResponses":
            return kind in ("image", "file")
        case "agno.models.anthropic.claude.Claude":
            return kind == "file" and mime_type == "application/pdf"
        case "agno.models.google.gemini.Gemini":
            return kind == "video" or (kind == "file" and mime_type is not None and url.startswith("https://"))
        case _:
            return False


def _known(kind: str, mime_type: str | None) -> str | None:
    """The type, if agno takes it for a file of this kind."""
    if kind == "file":
        return mime_type if mime_type in File.valid_mime_types() else None
    return mime_type if mime_type is not None and mime_type.startswith(f"{kind}/") else None


def fetch_for_agno(fetcher: Fetcher) -> None:
    """Have agno's media objects fetch their URLs by this fetcher, whoever made them: a component's code, too."""

    async def fetch(url: str) -> tuple[bytes, str | None]:
        fetched = await fetcher.fetch(url)
        return fetched.content, fetched.mime_type

    def fetch_now(url: str) -> tuple[bytes, str | None]:
        # agno may call this in a thread that runs an event loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(fetch(url))).result()

    replaced: Any = agno_media
    replaced.bytes_and_mime_from_url, replaced.abytes_and_mime_from_url = fetch_now, fetch
