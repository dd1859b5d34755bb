"""The AWS clients of a store, and where it keeps things."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client

_CONNECT_SECONDS = 2
_READ_SECONDS = 5
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Tables:
    """Names of the three tables, and of the bucket for what is too large for them."""

    runs: str
    sessions: str
    events: str
    bucket: str


class Clients:
    """The clients, each made when it is first asked for: a request that needs no S3 does not pay for it."""

    def __init__(self, dynamodb: DynamoDBClient | None = None, s3: S3Client | None = None) -> None:
        self._lock = Lock()
        self._dynamodb = dynamodb
        self._s3 = s3

    @property
    def dynamodb(self) -> DynamoDBClient:
        # Sessions of boto3 are not thread-safe, clients are: so each client is made under the lock, in its own session.
        with self._lock:
            if self._dynamodb is None:
                self._dynamodb = _session().client("dynamodb", config=_config())
            return self._dynamodb

    @property
    def s3(self) -> S3Client:
        with self._lock:
            if self._s3 is None:
                self._s3 = _session().client("s3", config=_config())
            return self._s3


# boto3 is imported here, because that takes longer than all else that is needed to answer without a store.


def _session() -> Session:
    from boto3.session import Session  # noqa: PLC0415

    return Session()


def _config() -> Config:
    from botocore.config import Config  # noqa: PLC0415

    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
