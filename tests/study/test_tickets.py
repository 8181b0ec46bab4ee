import asyncio

import pytest

from app.study.tickets import Tickets, make_ticket


def test_what_is_made_for_a_ticket_is_made_once_also_when_the_first_caller_leaves() -> None:
    made: list[int] = []

    async def run() -> None:
        tickets: Tickets[int] = Tickets()
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def make() -> int:
            made.append(len(made))
            begun.set()
            await go_on.wait()
            return made[-1]

        first = asyncio.create_task(tickets.once("one", make))
        await begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(tickets.once("one", make))
        go_on.set()
        assert await second == 0
        assert await tickets.once("one", make) == 0
        assert await tickets.once("two", make) == 1

    asyncio.run(run())
    assert made == [0, 1]


def test_failure_leaves_the_ticket_for_another_try() -> None:
    async def run() -> int:
        tickets: Tickets[int] = Tickets()

        async def fail() -> int:
            raise ValueError("not now")

        async def succeed() -> int:
            return 7

        with pytest.raises(ValueError, match="not now"):
            await tickets.once("one", fail)
        return await tickets.once("one", succeed)

    assert asyncio.run(run()) == 7


def test_tickets_are_not_guessed() -> None:
    assert len({make_ticket() for _ in range(100)}) == 100
    assert len(make_ticket()) >= 20
