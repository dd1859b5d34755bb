"""Clients of the local cloud, whatever the user's own AWS settings are."""

from __future__ import annotations

import os

import boto3
import botocore.session
from botocore.config import Config

from local.variables import CREDENTIAL, REGION

ONCE = Config(retries={"total_max_attempts": 1})
"""The local cloud is up, or it is not: what fails there is not worth a second try."""

_NOT_THE_USERS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Session variables without the environment variables that set them."""


def cloud_session() -> boto3.Session:
    """Makes clients that are given the local cloud's URL. Reads no profile and no file of the user's."""
    own = botocore.session.Session(session_vars=_NOT_THE_USERS)
    return boto3.Session(CREDENTIAL, CREDENTIAL, region_name=REGION, botocore_session=own)
