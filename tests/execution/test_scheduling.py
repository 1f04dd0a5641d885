"""The scheduling policy by itself: order, depth, repeats, deadlines, room on nodes."""

import pytest

from hebbevo.execution.placement import Placement
from hebbevo.execution.scheduling import IN_FLIGHT, Durations, MapJob, WorkerHandle, WorkerLimits
from hebbevo.execution.spans import even_spans, guided_spans


def job_of(size: int) -> MapJob:
    return MapJob("work", size, Durations())


def test_items_are_taken_in_order_and_only_the_first_answer_counts() -> None:
    job = job_of(3)
    assert [job.take() for _ in range(3)] == [0, 1, 2]
    job.repeat(1)
    job.answer(1, "first", 0.1, first=False)
    job.answer(1, "second", 0.1, first=False)
    assert not job.complete
    job.answer(2, "c", 0.1, first=False)
    job.answer(0, "a", 0.1, first=False)
    assert job.complete
    assert job.results == ["a", "first", "c"]
    assert job.busy == pytest.approx(0.4)
    assert not job.out


def test_one_item_waits_at_each_worker_until_few_are_left() -> None:
    job = job_of(6)
    assert job.room(IN_FLIGHT - 1, workers=4)
    assert not job.room(IN_FLIGHT, workers=4)
    for _ in range(2):
        job.take()
    assert not job.room(1, workers=4)  # as many left as workers: who gets one must be idle
    assert job.room(0, workers=4)
    for _ in range(4):
        job.take()
    assert not job.room(0, workers=4)


def test_a_lost_item_is_taken_next_unless_a_copy_is_out() -> None:
    job = job_of(4)
    for _ in range(3):
        job.take()
    job.repeat(2)
    assert job.lose(0, running=True, expired=False) == 1
    assert job.lose(2, running=True, expired=False) == 1
    assert list(job.waiting) == [0, 3]
    assert job.lost == 1
    job.answer(2, None, 0.1, first=False)
    assert job.take() == 0


def test_a_queued_item_is_not_blamed_for_a_death() -> None:
    job = job_of(2)
    job.take()
    assert job.lose(0, running=False, expired=False) == 0
    job.take()
    assert job.lose(0, running=True, expired=True) == 0


def test_deadlines_follow_the_median_spare_first_items_and_grow_with_every_expiry() -> None:
    limits = WorkerLimits(minimum=2.0, factor=10.0, first=100.0)
    durations = Durations()
    assert durations.deadline(limits, first=False, expiries=0) == 100.0
    for seconds in (0.1, 0.1, 5.0):
        durations.add(seconds)
    assert durations.deadline(limits, first=False, expiries=0) == 2.0
    for _ in range(4):
        durations.add(1.0)
    assert durations.deadline(limits, first=False, expiries=0) == 10.0
    assert durations.deadline(limits, first=False, expiries=2) == 160.0
    assert durations.deadline(limits, first=True, expiries=0) == 100.0


def test_first_items_teach_nothing_about_the_usual_time() -> None:
    job = job_of(2)
    job.take()
    job.answer(0, None, 30.0, first=True)
    assert job.durations.median is None


def test_what_waits_behind_another_or_takes_longest_is_late_once() -> None:
    job = job_of(4)
    handles = [WorkerHandle(0, None, 10.0), WorkerHandle(1, None, 10.5)]
    for handle in (handles[0], handles[1], handles[0]):
        handle.held.append((job, job.take()))
    assert job.late(handles, now=99.0) == [2]  # nothing is known of how long items take
    job.take()
    job.answer(3, None, 1.0, first=False)
    assert job.late(handles, now=11.0) == [2]
    assert job.late(handles, now=11.6) == [2, 0]
    job.repeat(2)
    assert job.late(handles, now=12.0) == [0, 1]
    job.answer(0, None, 2.0, first=False)
    handles[0].held.popleft()
    assert job.late(handles, now=12.0) == []


@pytest.mark.parametrize(
    ("total", "width", "workers"),
    [(500, 4, 2), (500, 8, 256), (7, 3, 2), (256, 8, 1), (1, 8, 4), (513, 256, 2), (512, 256, 100)],
)
def test_spans_cover_everyone_once_and_shrink_towards_the_end(total: int, width: int, workers: int) -> None:
    spans = guided_spans(total, width, workers)
    assert [index for start, stop in spans for index in range(start, stop)] == list(range(total))
    sizes = [stop - start for start, stop in spans]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] <= width
    assert len(sizes) >= min(workers, total // 4)  # each worker gets some
    if width % 2 == 0:
        assert all(start % 2 == 0 for start, _ in spans)


def test_a_worker_with_an_item_of_a_former_map_gets_none_of_this() -> None:
    before, now = job_of(1), job_of(9)
    handle = WorkerHandle(0, None, 0.0, description={"host": "a", "pid": 1})
    handle.held.append((before, before.take()))
    before.over = True
    assert not handle.free_for(now, workers=1)
    handle.held.clear()
    assert handle.free_for(now, workers=1)
    handle.description = None
    assert not handle.free_for(now, workers=1)


@pytest.mark.parametrize(
    ("placement", "nodes", "room"),
    [
        (Placement(), [{"CPU": 4.0}, {"CPU": 2.0}, {"memory": 1.0}], 6),
        (Placement(cpus=3), [{"CPU": 4.0}, {"CPU": 2.0}, {"CPU": 6.0}], 3),
        (Placement(cpus=2, gpus=1), [{"CPU": 8.0, "GPU": 2.0}, {"CPU": 8.0}, {"CPU": 2.0, "GPU": 4.0}], 3),
        (Placement(gpus=1), [{"CPU": 8.0}], 0),
    ],
)
def test_no_worker_spans_two_nodes(placement: Placement, nodes: list[dict[str, float]], room: int) -> None:
    assert placement.room(nodes) == room


@pytest.mark.parametrize(
    ("total", "width", "workers", "expected"),
    [
        (256, 10_000, 1, [256]),
        (256, 10_000, 2, [128, 128]),
        (10, 10_000, 4, [2, 2, 2, 4]),
        (256, 100, 1, [84, 86, 86]),
        (7, 100, 2, [4, 3]),
        (2, 100, 4, [2]),
        (6, 1, 1, [2, 2, 2]),
    ],
)
def test_even_spans_are_one_share_for_each_worker(
    total: int, width: int, workers: int, expected: list[int]
) -> None:
    spans = even_spans(total, width, workers)
    assert [stop - start for start, stop in spans] == expected
    assert [start for start, _ in spans] == [0, *(stop for _, stop in spans[:-1])]
    assert spans[-1][1] == total


@pytest.mark.parametrize(
    ("nodes", "gpus", "expected"),
    [
        ([{"CPU": 64, "GPU": 8}, {"CPU": 32, "GPU": 2}, {"CPU": 16}], 1, Placement(8, 1)),
        ([{"CPU": 4, "GPU": 8}], 1, Placement(1, 1)),
        ([{"CPU": 16}, {"CPU": 8}, {"CPU": 0}], 0, Placement(8, 0)),
        ([{"CPU": 16}], 1, Placement(1, 1)),
    ],
)
def test_a_workers_share_of_a_node(nodes: list[dict[str, float]], gpus: int, expected: Placement) -> None:
    placement = Placement.share(nodes, gpus)
    assert placement == expected
    wanted = {(64, 8): 10, (4, 8): 4, (16, None): 0 if gpus else 3}
    first = nodes[0]
    assert placement.room(nodes) == wanted[(first["CPU"], first.get("GPU"))]
