"""How torch's threads wait: set before torch is first imported.

torch's OpenMP threads spin while they wait for each other. On a small machine that shares its cores with a browser, an
ffmpeg or a second generation, spinning threads take the time that the working ones need: one training step beside a
busy process took 92 s spinning and 4.8 s waiting passively. Waiting passively from the first moment costs on an idle
machine, though, so libgomp is told to spin briefly (1,000 rounds) before it sleeps; OpenMP runtimes that know only the
standard variable wait passively. What a person has set in the environment stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, MutableMapping

WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}


def limit_spinning(environment: MutableMapping[str, str] | None = None) -> None:
    """Give the variables of `WAITING` their values where they have none; has no effect once torch is imported."""
    target = os.environ if environment is None else environment
    for name, value in WAITING.items():
        target.setdefault(name, value)


def use_single_thread(niceness: int = 0) -> None:
    """Let torch's operations of the calling thread run on this thread alone, and give way to others.

    Step-by-step decoding loses almost nothing on one thread, and several workers that each want all cores starve each
    other. OpenMP keeps the number for each thread; what new threads begin with is put back at once.

    Args:
        niceness: 0 to 19, how much more than until now this thread gives way; on Linux alone, elsewhere without effect.
    """
    import torch

    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    put_back = threading.Thread(target=torch.set_num_threads, args=(usual,))
    put_back.start()
    put_back.join()
    if niceness and sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + niceness))


@contextlib.contextmanager
def limit_to_single_thread() -> Iterator[None]:
    """Keep torch on the calling thread inside the `with`, as `use_single_thread` does for good."""
    import torch

    usual = torch.get_num_threads()
    if usual != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if usual != 1:
            torch.set_num_threads(usual)


def is_single_threaded() -> bool:
    """Return whether torch's operations of the calling thread run on this thread alone."""
    torch = sys.modules.get("torch")
    return torch is not None and int(torch.get_num_threads()) == 1
