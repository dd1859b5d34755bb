"""The store on DynamoDB, with S3 for large values."""

from agentos_lambda.stores.clients import Tables
from agentos_lambda.stores.dynamodb.store import DynamoDBStore

__all__ = ["DynamoDBStore", "Tables"]
