"""One pool of threads for the whole process: idle ones are lent to whoever has work, and nobody has to wait for one.

A thread is never queued for. Who finds none idle, in a nested call or beside other callers, works alone, so that no call
can wait for another; and who is done before a thread woke up takes its job back. The threads are daemons: one that never
ends holds up neither an interrupted caller nor the end of the process. A forked process begins with a pool of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final

Job = Callable[[], None]  # raises nothing


class Pool:
    """Threads that are idle, and how many were started."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin without any thread: those that there were are another process's."""
        self.idle: list[Helper] = []
        self.started = 0
        self._starting = threading.Lock()

    def lend(self, job: Job, helpers: int) -> list[Loan]:
        """Have up to so many threads do the job, each once; at most as many are ever started as one call asks for."""
        loans: list[Loan] = []
        while len(loans) < helpers and (helper := self._take(helpers)) is not None:
            loans.append(helper.begin(job))
        return loans

    def _take(self, most: int) -> Helper | None:
        try:
            return self.idle.pop()
        except IndexError:
            pass
        with self._starting:
            if self.started >= most:
                return None
            self.started += 1
            number = self.started
        try:
            return Helper(self, number)
        except RuntimeError:  # the system gives no more threads, or the interpreter is ending
            with self._starting:
                self.started -= 1
            return None


class Helper:
    """One thread of a pool: it sleeps, does a job, and offers itself again."""

    def __init__(self, pool: Pool, number: int) -> None:
        self._pool = pool
        self._loan: Loan | None = None
        self._called = threading.Lock()  # held but from a call to the moment at which it is heard
        self._called.acquire()
        threading.Thread(target=self._work, name=f"ridgeline-{number}", daemon=True).start()

    def begin(self, job: Job) -> Loan:
        """Wake it for a job; for who took it from the idle ones."""
        loan = self._loan = Loan(self, job)
        self._called.release()
        return loan

    def recall(self, loan: Loan) -> bool:
        """Let it sleep on and offer it again; False where it has heard the call."""
        if not self._called.acquire(blocking=False):
            return False
        if self._loan is not loan:  # it was done, and has since been called by another, whom it must hear
            self._called.release()
            return False
        self._loan = None
        self._pool.idle.append(self)
        return True

    def _work(self) -> None:
        while True:
            self._called.acquire()
            loan, self._loan = self._loan, None
            if loan is not None:
                loan.job()
                self._pool.idle.append(self)
                loan.done.release()
            del loan  # and with it what the work held on to


class Loan:
    """A job that one thread was woken for. `done` is held until it has done it."""

    __slots__ = ("_helper", "done", "job")

    def __init__(self, helper: Helper, job: Job) -> None:
        self._helper, self.job = helper, job
        self.done = threading.Lock()
        self.done.acquire()

    def finish(self, moment: float) -> None:
        """Take the job back, or wait for its end, listening every `moment` seconds whether the caller was interrupted."""
        if not self._helper.recall(self):
            while not self.done.acquire(timeout=moment):
                pass


POOL: Final = Pool()
os.register_at_fork(after_in_child=POOL.forget)
