"""The raw client library in these tests looks its event loop up by thread: each test has one of its own."""
import asyncio

import pytest


@pytest.fixture(autouse=True)
def own_loop():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()
