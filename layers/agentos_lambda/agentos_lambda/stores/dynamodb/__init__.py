"""The store on DynamoDB, with S3 for large values."""

from agentos_lambda.stores.dynamodb.store import DynamoDBStore, Tables

__all__ = ["DynamoDBStore", "Tables"]
