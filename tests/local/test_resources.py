import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from local.cloud.process import running_cloud
from local.cloud.resources import create_resources
from local.settings import CannotStart, Settings
from local.template.document import Template

TEMPLATE = Path(__file__).parent / "template.yaml"


def in_cloud(state, steps):
    async def run():
        async with running_cloud(Settings().cloud_python, state) as cloud:
            await asyncio.to_thread(steps, cloud.clients)

    asyncio.run(run())


def test_tables_and_buckets_are_made_once_and_only_as_the_template_has_them(tmp_path):
    template = Template.load(TEMPLATE)
    properties = template.tables["RunsTable"]
    other_index = {**properties["GlobalSecondaryIndexes"][0], "IndexName": "other"}
    changed = {**properties, "GlobalSecondaryIndexes": [other_index]}
    more = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"]}
    wider = {**properties, "GlobalSecondaryIndexes": [{**properties["GlobalSecondaryIndexes"][0], "Projection": more}]}

    def steps(clients):
        create_resources(template, clients)
        dynamodb, s3 = clients.dynamodb, clients.s3
        dynamodb.put_item(TableName="RunsTable", Item={"run_id": {"S": "r"}, "item": {"S": "RECORD"}})
        s3.put_object(Bucket="agentos-local-bucket", Key="k", Body=b"kept")
        create_resources(template, clients)
        assert dynamodb.scan(TableName="RunsTable")["Count"] == 1
        assert s3.get_object(Bucket="agentos-local-bucket", Key="k")["Body"].read() == b"kept"
        for other in (changed, wider):
            with pytest.raises(CannotStart, match=r"RunsTable .* delete the folder \.local/cloud"):
                create_resources(replace(template, tables={"RunsTable": other}), clients)

    in_cloud(tmp_path, steps)


def test_a_cloud_that_cannot_run_is_reported_in_its_own_words(tmp_path):
    async def run():
        async with running_cloud(tmp_path / "no-python", tmp_path):
            pass

    with pytest.raises(CannotStart, match="no-python"):
        asyncio.run(run())
