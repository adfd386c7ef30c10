"""Coroutines in tests, run beside whatever loop the thread already has."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def run_coroutine(coroutine: Coroutine[object, object, Result]) -> Result:
    """Run a coroutine to its end in a thread of its own.

    Playwright leaves a running loop in the main thread, where `asyncio.run` refuses to start another.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
