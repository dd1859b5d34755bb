"""Media that are fetched by a link, at the local cloud's S3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb.blobs import media_folder
from agentos_lambda.stores.media_links import S3MediaLinks
from tests.stack.translation import translate
from tests.stores.accounts import Aws

PICTURE = b"\x89PNG\r\n\x1a\n"
ORIGIN = "https://app.example"


def with_keys(monkeypatch: pytest.MonkeyPatch, region: str, **variables: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": region}
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in {**keys, **variables}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket(ministack_aws: Aws) -> str:
    return ministack_aws.tables.bucket


@pytest.fixture
def links(ministack_aws: Aws, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3MediaLinks]:
    """With the clients that a function has."""
    with_keys(
        monkeypatch, "us-east-1", AWS_ACCESS_KEY_ID=ministack_aws.account, AWS_ENDPOINT_URL=ministack_aws.url or ""
    )
    clients = Clients()
    yield S3MediaLinks(bucket, clients)
    clients.close()


@pytest.fixture
def link(links: S3MediaLinks) -> str:
    return links.link("talk", PICTURE, "image/png")


def test_a_link_gives_the_bytes_for_five_minutes_and_no_browser_shows_them_as_a_page(link: str) -> None:
    answer = httpx.get(link)
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == "attachment"
    signed = parse_qs(urlsplit(link).query)
    assert (signed["X-Amz-Expires"], signed["X-Amz-Algorithm"]) == (["300"], ["AWS4-HMAC-SHA256"])


def test_what_is_linked_lies_in_the_sessions_own_folder_once(
    ministack_aws: Aws, bucket: str, links: S3MediaLinks, link: str
) -> None:
    again = links.link("talk", PICTURE, "image/png")
    keys = [found["Key"] for found in ministack_aws.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert len(keys) == 1
    assert keys[0].startswith(media_folder("talk"))
    assert urlsplit(link).path == urlsplit(again).path


def cors_of(stack: dict[str, Any]) -> list[dict[str, Any]]:
    """The bucket's rules in the notation of S3, which has no ``MaxAge``."""
    rules = stack["Bucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    return [{"MaxAgeSeconds" if name == "MaxAge" else name: rule[name] for name in rule} for rule in rules]


def test_a_page_that_was_redirected_may_fetch_a_link(ministack_aws: Aws, bucket: str, link: str) -> None:
    """A browser that follows the API to another host has an opaque origin (https://fetch.spec.whatwg.org, redirects).

    S3 takes the rules of the template. That it refuses other origins, the local cloud cannot show: it allows all.
    """
    rules: Any = cors_of(translate(CorsOrigins=ORIGIN))
    ministack_aws.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    assert ministack_aws.s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules
    answer = httpx.get(link, headers={"Origin": "null"})
    assert answer.headers["access-control-allow-origin"] in ("null", "*")


@pytest.mark.parametrize("origins", [ORIGIN, ""])
def test_the_bucket_answers_the_opaque_origin_of_a_redirect(origins: str) -> None:
    [rule] = cors_of(translate(CorsOrigins=origins))
    assert rule["AllowedOrigins"] == ["*"]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    ("region", "host"), [("us-east-1", "s3.amazonaws.com"), ("eu-west-1", "s3.eu-west-1.amazonaws.com")]
)
def test_a_link_names_the_region_of_its_bucket(monkeypatch: pytest.MonkeyPatch, region: str, host: str) -> None:
    with_keys(monkeypatch, region)
    clients = Clients()
    url = clients.s3.generate_presigned_url("get_object", Params={"Bucket": "some-bucket", "Key": "media/a"})
    clients.close()
    assert urlsplit(url).hostname == f"some-bucket.{host}"
    assert parse_qs(urlsplit(url).query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
