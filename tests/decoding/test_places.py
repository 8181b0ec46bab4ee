"""Places for work in threads, and whose turn it is."""

import asyncio

import pytest

from app.decoding.places import FairPlaces
from app.engine.callers import Caller, Urgency, present_caller
from app.engine.turns import SERIES_TURN


async def ask(places: FairPlaces, caller: Caller, order: list[str]) -> None:
    present_caller.set(caller)
    await places.take()
    order.append(caller.client)


async def serve(callers: list[Caller]) -> list[str]:
    """The order in which callers get a single place, who all ask while somebody else has it."""
    places, order = FairPlaces(1), list[str]()
    await places.take()
    asking = [asyncio.create_task(ask(places, caller, order)) for caller in callers]
    await asyncio.sleep(0)
    for _ in callers:
        places.give_back()
        await asyncio.sleep(0)
    await asyncio.gather(*asking)
    return order


def test_clients_get_places_in_turn() -> None:
    greedy, others = [Caller("greedy")] * 4, [Caller("one"), Caller("two")]
    assert asyncio.run(serve(greedy + others)) == ["greedy", "one", "two", "greedy", "greedy", "greedy"]


def test_series_waits_for_people_but_never_stands_still() -> None:
    people = [Caller(f"person {number}") for number in range(2 * SERIES_TURN)]
    order = asyncio.run(serve([Caller("sheet", urgency=Urgency.LATER)] * 2 + people))
    # The first turn was that of the place's holder.
    assert [turn for turn, client in enumerate(order, 2) if client == "sheet"] == [SERIES_TURN, 2 * SERIES_TURN]


def test_places_are_taken_at_once_while_there_are_some() -> None:
    async def take_two() -> None:
        places = FairPlaces(2)
        for _ in range(2):
            await asyncio.wait_for(places.take(), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(places.take(), 0.02)

    asyncio.run(take_two())


@pytest.mark.parametrize("is_given", [False, True])
def test_place_of_a_caller_who_leaves_goes_to_the_next(is_given: bool) -> None:
    async def leave() -> list[str]:
        places, order = FairPlaces(1), list[str]()
        await places.take()
        first, second = (asyncio.create_task(ask(places, Caller(name), order)) for name in ("first", "second"))
        await asyncio.sleep(0)
        if is_given:
            places.give_back()
        first.cancel()
        await asyncio.sleep(0)
        if not is_given:
            places.give_back()
        await asyncio.wait_for(second, 1)
        return order

    assert asyncio.run(leave()) == ["second"]
