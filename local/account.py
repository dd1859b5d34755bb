"""The one AWS account that everything local plays in: its id, its region and its credentials."""

from __future__ import annotations

ACCOUNT_ID = "000000000000"
"""The account that ministack serves to every access key that is not an account id itself."""
REGION = "us-east-1"
CREDENTIAL = "local"
"""Access key and secret key. The local cloud takes any."""
SDK_VARIABLES = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": CREDENTIAL,
    "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
}
"""The environment variables by which an AWS SDK, or sam, takes this account."""


def arn(service: str, resource: str) -> str:
    """The ARN of a resource of this account, such as ``arn("sqs", "RunsQueue")``."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}"


def function_arn(name: str) -> str:
    """The ARN of a Lambda function."""
    return arn("lambda", f"function:{name}")
