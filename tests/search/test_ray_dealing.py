"""The dealing policy by itself: order, depth, repeats, deadlines, places on nodes."""

import pytest

from hebbevo.search.dealing import IN_FLIGHT, Deal, Durations, Lane, Patience, Placement


def deal_of(size: int) -> Deal:
    return Deal("work", size, Durations())


def test_items_are_dealt_in_order_and_only_the_first_answer_counts() -> None:
    deal = deal_of(3)
    assert [deal.take() for _ in range(3)] == [0, 1, 2]
    deal.repeat(1)
    deal.answer(1, "first", 0.1, first=False)
    deal.answer(1, "second", 0.1, first=False)
    assert not deal.complete
    deal.answer(2, "c", 0.1, first=False)
    deal.answer(0, "a", 0.1, first=False)
    assert deal.complete
    assert deal.results == ["a", "first", "c"]
    assert deal.busy == pytest.approx(0.4)
    assert not deal.out


def test_one_item_waits_at_each_worker_until_few_are_left() -> None:
    deal = deal_of(6)
    assert deal.room(IN_FLIGHT - 1, workers=4)
    assert not deal.room(IN_FLIGHT, workers=4)
    for _ in range(2):
        deal.take()
    assert not deal.room(1, workers=4)  # as many left as workers: who gets one must be idle
    assert deal.room(0, workers=4)
    for _ in range(4):
        deal.take()
    assert not deal.room(0, workers=4)


def test_a_lost_item_is_dealt_next_unless_a_copy_is_out() -> None:
    deal = deal_of(4)
    for _ in range(3):
        deal.take()
    deal.repeat(2)
    assert deal.lose(0, running=True, expired=False) == 1
    assert deal.lose(2, running=True, expired=False) == 1
    assert list(deal.waiting) == [0, 3]
    assert deal.lost == 1
    deal.answer(2, None, 0.1, first=False)
    assert deal.take() == 0


def test_a_queued_item_is_not_blamed_for_a_death() -> None:
    deal = deal_of(2)
    deal.take()
    assert deal.lose(0, running=False, expired=False) == 0
    deal.take()
    assert deal.lose(0, running=True, expired=True) == 0


def test_deadlines_follow_the_median_spare_first_items_and_grow_with_every_expiry() -> None:
    patience = Patience(floor=2.0, factor=10.0, first=100.0)
    durations = Durations()
    assert durations.deadline(patience, first=False, expiries=0) == 100.0
    for seconds in (0.1, 0.1, 5.0):
        durations.add(seconds)
    assert durations.deadline(patience, first=False, expiries=0) == 2.0
    for _ in range(4):
        durations.add(1.0)
    assert durations.deadline(patience, first=False, expiries=0) == 10.0
    assert durations.deadline(patience, first=False, expiries=2) == 160.0
    assert durations.deadline(patience, first=True, expiries=0) == 100.0


def test_first_items_teach_nothing_about_the_usual_time() -> None:
    deal = deal_of(2)
    deal.take()
    deal.answer(0, None, 30.0, first=True)
    assert deal.durations.median is None


def test_what_waits_behind_another_or_takes_longest_is_worth_repeating_once() -> None:
    deal = deal_of(3)
    for _ in range(3):
        deal.take()
    deal.answer(0, None, 1.0, first=False)
    assert not deal.worth_repeating(0, 1, 9.0)
    assert deal.worth_repeating(1, 1, 0.0)
    assert not deal.worth_repeating(1, 0, 1.1)
    assert deal.worth_repeating(1, 0, 1.3)
    deal.repeat(1)
    assert not deal.worth_repeating(1, 0, 9.0)


def test_a_lane_with_an_item_of_a_former_map_gets_none_of_this() -> None:
    before, now = deal_of(1), deal_of(9)
    lane = Lane(0, None, 0.0, about={"host": "a", "pid": 1})
    lane.held.append((before, before.take()))
    before.over = True
    assert not lane.free_for(now, workers=1)
    lane.held.clear()
    assert lane.free_for(now, workers=1)
    lane.about = None
    assert not lane.free_for(now, workers=1)


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
