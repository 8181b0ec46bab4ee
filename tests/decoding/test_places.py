"""Places for work in threads, and whose turn it is."""

import asyncio

import pytest

from app.decoding.places import FairPlaces
from app.engine.callers import Caller, Urgency, present_caller
from app.engine.turns import SERIES_TURN

HOLDER = Caller()
"""Who has the place in the beginning."""


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
    holder = HOLDER
    for _ in callers:
        places.give_back(holder)
        await asyncio.sleep(0)
        holder = Caller(order[-1])
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
            places.give_back(HOLDER)
        first.cancel()
        await asyncio.sleep(0)
        if not is_given:
            places.give_back(HOLDER)
        await asyncio.wait_for(second, 1)
        return order

    assert asyncio.run(leave()) == ["second"]


async def hold(places: FairPlaces, client: str, *, times: int) -> list[asyncio.Task[None]]:
    """The wishes of a client that were granted, of some."""
    asking = [asyncio.create_task(ask(places, Caller(client), [])) for _ in range(times)]
    await asyncio.sleep(0.01)
    granted = [task for task in asking if task.done()]
    for task in asking:
        task.cancel()
    return granted


@pytest.mark.parametrize(("count", "share"), [(1, 1), (2, 1), (4, 2), (5, 2)])
def test_client_has_half_of_the_places_at_most_while_others_are_here(count: int, share: int) -> None:
    async def take_all() -> tuple[int, int]:
        places = FairPlaces(count)
        (other,) = await hold(places, "other", times=1)
        await other
        places.give_back(Caller("other"))
        granted = len(await hold(places, "greedy", times=count + 1))
        return granted, len(await hold(places, "other", times=1))

    # The other client finds a place at once, if there are several.
    assert asyncio.run(take_all()) == (share, int(count > 1))


def test_client_that_is_alone_again_has_all_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.decoding.places.PRESENT_SECONDS", 0.05)

    async def take_all() -> int:
        places = FairPlaces(4)
        await hold(places, "other", times=1)
        places.give_back(Caller("other"))
        await asyncio.sleep(0.1)
        return len(await hold(places, "greedy", times=6))

    assert asyncio.run(take_all()) == 4
