"""Work on many photographs, shared by threads that are a few ahead of who takes the results."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from numbers import Integral
from threading import Lock
from typing import Any, TypeVar

import torch

from deepcolor.errors import DeepcolorError, JobsRangeError, UnexpectedError
from deepcolor.photograph import Input, held

Prepared = TypeVar("Prepared")
Made = TypeVar("Made")
Result = TypeVar("Result")


def threads(jobs: int | None) -> int:
    """How many threads share the work, one a core unless told; raises :class:`JobsRangeError`."""
    if jobs is None:
        return os.cpu_count() or 1
    if not isinstance(jobs, Integral) or jobs < 1:
        raise JobsRangeError(jobs)
    return jobs


def whole(
    work: Callable[[Input], Result], sources: Iterable[Input], jobs: int
) -> Iterator[Result | DeepcolorError]:
    """What the work gives for each source, in order, each by one of ``jobs`` threads.

    An error stands in for what failed. As many as ``2 * jobs + 1`` sources are taken ahead.
    """
    with _pool(jobs) as pool:
        yield from _settled(_ahead(pool, work, sources, jobs))


def beside(
    prepare: Callable[[Input], Prepared],
    work: Callable[[Prepared], Made],
    finish: Callable[[Prepared, Made], Result],
    sources: Iterable[Input],
    jobs: int,
) -> Iterator[Result | DeepcolorError]:
    """As :func:`whole`, where threads prepare and finish what this one works on, one by one.

    As many as ``3 * jobs + 1`` sources are taken ahead, ``jobs`` of them to be finished.
    """
    with _pool(jobs) as pool:
        arrivals = _ahead(pool, prepare, sources, jobs)
        yield from _settled(_finished(pool, work, finish, arrivals, jobs))


class _Kept:
    """Torch's number of threads, set anew when the last who may have changed it is done.

    What any thread sets is the default of all that begin later.
    """

    def __init__(self) -> None:
        self.lock, self.users, self.threads = Lock(), 0, 0

    def __enter__(self) -> None:
        with self.lock:
            if not self.users:
                self.threads = torch.get_num_threads()
            self.users += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.users -= 1
            if not self.users:
                torch.set_num_threads(self.threads)


TORCHS_THREADS = _Kept()


@contextmanager
def _pool(jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Threads of which each keeps to its core: torch's own would only be in each other's way."""
    pool = ThreadPoolExecutor(jobs, "deepcolor", initializer=torch.set_num_threads, initargs=(1,))
    with TORCHS_THREADS:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def _ahead(
    pool: ThreadPoolExecutor,
    work: Callable[[Input], Result],
    sources: Iterable[Input],
    jobs: int,
) -> Iterator[tuple[str, Future[Result]]]:
    """The work on each source, in order, with no more than a few begun ahead of their turn.

    What is done is given before the next source is asked for, and what was begun before the error
    of a source.
    """
    begun: deque[tuple[str, Future[Result]]] = deque()
    coming, ended = iter(sources), None
    while ended is None:
        try:
            source = next(coming)
        except Exception as error:  # StopIteration, too
            ended = error
            continue
        begun.append((_name(source), _begun(pool, work, source)))
        while begun and (len(begun) > 2 * jobs or begun[0][1].done()):
            yield begun.popleft()
    yield from begun
    if not isinstance(ended, StopIteration):
        raise ended


def _finished(
    pool: ThreadPoolExecutor,
    work: Callable[[Prepared], Made],
    finish: Callable[[Prepared, Made], Result],
    arrivals: Iterable[tuple[str, Future[Prepared]]],
    jobs: int,
) -> Iterator[tuple[str, Future[Result]]]:
    """Works on what the pool has prepared, and has it finished by the pool."""
    going: deque[tuple[str, Future[Result]]] = deque()
    for name, arrival in arrivals:
        try:
            prepared = arrival.result()
            made = work(prepared)
        except Exception as error:
            going.append((name, _failed(error)))
        else:
            going.append((name, pool.submit(finish, prepared, made)))
        if len(going) > jobs:
            yield going.popleft()
    while going:
        yield going.popleft()


def _begun(
    pool: ThreadPoolExecutor, work: Callable[[Input], Result], source: Input
) -> Future[Result]:
    try:
        return pool.submit(work, held(source))
    except DeepcolorError as error:
        return _failed(error)


def _settled(
    going: Iterable[tuple[str, Future[Result]]],
) -> Iterator[Result | DeepcolorError]:
    for name, result in going:
        error = result.exception()
        if error is None:
            yield result.result()
        else:
            yield error if isinstance(error, DeepcolorError) else UnexpectedError(name, error)


def _failed(error: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def _name(source: Input) -> str:
    return str(source) if isinstance(source, str | os.PathLike) else "The photograph"
