"""What is too large for an item lies in S3, under keys that never change their content."""

from __future__ import annotations

from threading import Barrier

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.retries import TRIES
from tests.stores.builders import NOW, contents, delta, ending, list_runs, load, output, pack, running, take_over
from tests.stores.dynamodb.faults import FaultyClient, answer_lost, refused
from tests.stores.dynamodb.incompressible import incompressible


def objects(aws):
    return {found["Key"] for found in aws.s3.list_objects_v2(Bucket=aws.tables.bucket).get("Contents", ())}


def test_an_output_of_600_kilobytes_comes_back(aws):
    store = aws.store()
    large = output(incompressible(600_000), members=({"content": "member"},))
    ended = store.commit(ending(store.accept(running()), output=large))
    assert store.output(ended) == large
    assert load(store).runs[0].output == large
    assert list_runs(store)[0].output == large
    [key] = objects(aws)
    assert key.startswith("runs/run-1/000001/")


def test_large_runs_of_a_session_are_fetched_side_by_side(aws):
    s3, both = FaultyClient(aws.s3), Barrier(2, timeout=60)
    store = aws.store(s3=s3)
    outputs = [output(incompressible(50_000, seed)) for seed in (1, 2)]
    for place, large in enumerate(outputs):
        store.commit(ending(store.accept(running(f"run-{place}", accepted_at=NOW + place)), output=large))

    def with_the_other(call):
        both.wait()
        return call()

    for read in (load, lambda store: store.whole("session-1")):
        s3.plan(with_the_other, "get_object", times=2)
        assert [run.output for run in read(store).runs] == outputs


def test_a_pack_of_over_400_kilobytes_comes_back(aws):
    store = aws.store()
    record = store.accept(running())
    texts = [incompressible(250_000, seed) for seed in (1, 2)]
    store.append("run-1", 1, pack(0, *texts))
    ended = store.commit(ending(record, last_events=pack(2, *texts), sealed_at=3))
    assert contents(store.read(ended, after=-1)) == list(enumerate(texts * 2))
    keys = objects(aws)
    assert {key.rpartition("/")[0] for key in keys} == {"events/run-1/000001"}


def test_a_large_field_does_not_make_the_session_large(aws):
    store = aws.store()
    fields = {f"key{place}": incompressible(10_000, place) for place in range(60)}
    store.commit(ending(store.accept(running()), session=delta(**fields, small=1)))
    assert load(store).fields == {"state:small": 1, **{f"state:{name}": value for name, value in fields.items()}}
    assert len(objects(aws)) == 60


def test_what_compresses_well_stays_in_the_item(aws):
    store = aws.store()
    ended = store.commit(ending(store.accept(running()), output=output("x" * 2_000_000)))
    assert store.output(ended) == output("x" * 2_000_000)
    assert objects(aws) == set()


def test_a_cancelled_pause_does_not_overwrite_what_the_pause_left(aws):
    store = aws.store()
    before, after = output(incompressible(50_000, 1)), output(incompressible(50_000, 2))
    paused = store.commit(ending(store.accept(running()), RunStatus.PAUSED, output=before))
    kept = objects(aws)
    ended = store.commit(ending(paused, RunStatus.CANCELLED, output=after))
    assert store.output(ended) == after
    assert kept < objects(aws)


def test_a_value_lies_in_s3_before_an_item_names_it(aws):
    s3 = FaultyClient(aws.s3)
    store = aws.store(s3=s3)
    record = store.accept(running())
    large = ending(record, output=output(incompressible(50_000)))
    for fault, times in (
        (refused("AccessDenied", status=403), 1),
        (refused("InternalError", status=500), TRIES),
        (answer_lost, TRIES),
    ):
        s3.plan(fault, "put_object", times=times)
        with pytest.raises(StoreUnavailable):
            store.commit(large)
        assert store.get("run-1") == record
    assert store.output(store.commit(large)) == large.output
    assert len(objects(aws)) == 1


def test_a_value_that_s3_does_not_give_is_unavailable(aws):
    s3 = FaultyClient(aws.s3)
    store = aws.store(s3=s3)
    ended = store.commit(ending(store.accept(running()), output=output(incompressible(50_000))))
    s3.plan(refused("NoSuchKey", status=404), "get_object")
    with pytest.raises(StoreUnavailable):
        store.output(ended)


def test_large_packs_of_the_dead_are_not_even_fetched(aws):
    s3 = FaultyClient(aws.s3)
    store = aws.store(s3=s3)
    store.accept(running())
    second = take_over(store)
    store.append("run-1", 1, pack(0, incompressible(50_000)))
    assert store.read(second, after=-1) == []
    assert s3.calls == ["put_object"]
