"""What the server does as it starts."""

from threadpoolctl import threadpool_info, threadpool_limits

import app
from tests.pages.conftest import run_async


def test_the_server_multiplies_with_one_thread_for_the_workers_use_the_other_cores(monkeypatch):
    monkeypatch.setattr(app.channels, "pool", lambda: None)
    monkeypatch.setattr(app.channels, "close_pool", lambda: None)

    async def threads() -> set[int]:
        with threadpool_limits(2, user_api="blas"):  # here: no other thread than the first may set the number
            async with app.lifespan(app.app):
                return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}

    assert run_async(threads()) == {1}
