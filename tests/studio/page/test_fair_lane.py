"""Owners take turns where work waits."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from studio.page.fair_lane import FairLane, say_place

USERS, EACH = 20, 10


def run_all(lane: FairLane, owners: dict[str, str], room: int, chance: random.Random) -> dict[str, int]:
    """Do all that waits, each for one to three moments; return at which moment each began."""
    begun: dict[str, int] = {}
    left: dict[str, int] = {}
    moment = 0
    while len(begun) < len(owners) or left:
        for work in [each for each, moments in left.items() if moments == 0]:
            del left[work]
            lane.leave(work)
        while (waiting := lane.list_waiting()) and lane.begin(waiting[0], room):
            begun[waiting[0]], left[waiting[0]] = moment, chance.randint(1, 3)
        left = {work: moments - 1 for work, moments in left.items()}
        moment += 1
    return begun


@pytest.mark.parametrize("arrival", ["one user after the other", "mixed"])
def test_200_jobs_of_20_users_nobody_waits_more_than_twice_the_mean(arrival: str) -> None:
    owners = {f"{user}-{number}": str(user) for user in range(USERS) for number in range(EACH)}
    order = list(owners)
    if arrival == "mixed":
        random.Random(1).shuffle(order)
    lane = FairLane()
    for work in order:
        lane.add(work, owners[work])
    begun = run_all(lane, owners, 4, random.Random(2))
    waits: dict[str, list[int]] = defaultdict(list)
    for work, moment in begun.items():
        waits[owners[work]].append(moment)
    means = {user: sum(each) / EACH for user, each in waits.items()}
    overall = sum(means.values()) / USERS
    assert max(means.values()) < 1.2 * overall and min(means.values()) > 0.8 * overall
    firsts = [min(each) for each in waits.values()]
    assert max(firsts) <= 2 * overall / EACH + 3  # everybody's first is done before anybody's third
    in_order = sorted(begun, key=lambda work: (begun[work], order.index(work)))
    assert {owners[work] for work in in_order[:USERS]} == set(waits)


def test_three_owners_with_one_place_are_served_in_turn_and_newcomers_do_not_jump_the_queue() -> None:
    lane, done = FairLane(), ""
    for number in range(3):
        for owner in "aaab"[number:]:
            lane.add(f"{owner}{number}{random.random()}", owner)
    lane.add("c0", "c")
    while waiting := lane.list_waiting():
        assert lane.begin(waiting[0], 1) and not any(lane.begin(each, 1) for each in waiting[1:])
        done += waiting[0][0]
        lane.leave(waiting[0])
        if waiting[0] == "c0":
            lane.add("c1", "c")  # who asks again at once waits for all others
    assert done == "abcabcabaaa"


def test_places_are_told_as_turns_come() -> None:
    lane = FairLane()
    for work, owner in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
        lane.add(work, owner)
    assert lane.begin("a1", 1) and lane.begin("a1", 1) and not lane.begin("b1", 1)
    assert [lane.count_before(work) for work in ("b1", "a2", "a3")] == [0, 1, 2]
    lane.leave("a2")
    assert lane.count_before("a3") == 1
    assert say_place(0, 1, None) == "Waiting for your turn: You are next"
    assert say_place(3, 2, 25.0) == "Waiting for your turn: 3 are before you, about 50 s"
