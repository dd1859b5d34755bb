"""The models that components use: the setting that names one, the demo model, Bedrock without aioboto3."""
