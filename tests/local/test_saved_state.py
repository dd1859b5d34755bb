"""What the local cloud writes to disk, and when."""

import asyncio

from local.cloud.key_secret import key_secret
from local.cloud.process import running_cloud
from local.settings import Settings
from tests.waiting import until_async

KEY = "a key that belongs on no disk"


def files_with(text, folder):
    return [file for file in folder.rglob("*") if file.is_file() and text in file.read_text(errors="replace")]


def test_a_security_key_is_never_saved(tmp_path):
    async def run():
        async with running_cloud(Settings().cloud_python, tmp_path) as cloud, key_secret(KEY, cloud.clients) as arn:
            assert (await asyncio.to_thread(cloud.clients.secrets.get_secret_value, SecretId=arn))[
                "SecretString"
            ] == KEY
            await asyncio.to_thread(cloud.clients.sqs.create_queue, QueueName="runs")
            await until_async(lambda: files_with("runs", tmp_path))
            assert not files_with(KEY, tmp_path)

    asyncio.run(run())
    assert not files_with(KEY, tmp_path)


def test_a_queue_s_messages_are_saved_while_the_cloud_runs(tmp_path):
    async def run():
        async with running_cloud(Settings().cloud_python, tmp_path) as cloud:
            url = (await asyncio.to_thread(cloud.clients.sqs.create_queue, QueueName="runs"))["QueueUrl"]
            await asyncio.to_thread(cloud.clients.sqs.send_message, QueueUrl=url, MessageBody="an accepted run")
            await until_async(lambda: files_with("an accepted run", tmp_path))

    asyncio.run(run())
