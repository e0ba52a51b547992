"""Work on threads: in order, on several at once, failing loudly, given up without waiting."""

import subprocess
import sys
import threading
import time
import weakref

import pytest

from ridgeline.engine.score.pool import POOL, Pool
from ridgeline.engine.score.threads import each


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("apart", [False, True])
def test_results_come_in_order(threads, apart):
    seen = set()

    def work(item):
        seen.add(threading.current_thread())
        return 2 * item

    assert each(work, range(50), threads, apart=apart) == list(range(0, 100, 2))
    assert (threading.current_thread() in seen) == (not apart) or threads > 1
    assert not apart or threading.current_thread() not in seen
    assert len(seen) <= threads
    assert each(work, [], threads, apart=apart) == []


def test_threads_work_at_once():
    gate = threading.Barrier(3, timeout=60)
    assert each(lambda _: gate.wait() >= 0, range(3), 3) == [True] * 3


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_failure_is_raised_and_ends_the_work(threads):
    done = []

    def work(item):
        if item >= 5:
            raise ValueError(item)
        done.append(item)

    with pytest.raises(ValueError, match=r"^5$"):
        each(work, range(1000), threads)
    assert sorted(done) == list(range(5))


def test_work_without_end_holds_up_neither_an_interrupt_nor_the_end_of_the_process():
    script = """if True:
        import _thread, threading, time
        from ridgeline.engine.score.threads import each
        threading.Timer(0.5, _thread.interrupt_main).start()
        try:
            each(lambda _: time.sleep(3600), range(4), 2, apart=True)
        except KeyboardInterrupt:
            print("interrupted")
    """
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "interrupted\n"
    assert time.monotonic() - began < 55


def test_one_pool_serves_all_calls_and_is_bounded():
    seen = set()

    def work(_):
        seen.add(threading.current_thread())
        return time.sleep(0.001)

    for _ in range(30):
        each(work, range(6), 3)
    pool = Pool()
    for _ in range(30):
        for loan in pool.lend(lambda: None, 2):
            loan.finish(0.5)
    assert len(seen - {threading.current_thread()}) <= max(POOL.started, 2)
    assert pool.started == 2
    assert len(pool.idle) == 2


def test_a_nested_call_does_not_wait_for_the_threads_that_it_keeps_busy():
    def outer(item):
        return sum(each(lambda inner: item * inner, range(10), 3))

    assert each(outer, range(20), 3) == [45 * item for item in range(20)]


def test_many_callers_at_once_get_their_own_results():
    found = {}

    def call(caller):
        found[caller] = [each(lambda item, caller=caller: caller * item, range(7), 3) for _ in range(300)]

    callers = [threading.Thread(target=call, args=[caller], daemon=True) for caller in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert found == {caller: [[caller * item for item in range(7)]] * 300 for caller in range(8)}


def test_a_call_to_another_is_not_taken_back():
    """A job that was done long ago is finished after its thread has been called again: that call is still heard."""
    pool, gate = Pool(), threading.Event()
    (first,) = pool.lend(lambda: None, 1)
    assert first.done.acquire(timeout=60)
    first.done.release()
    (second,) = pool.lend(gate.set, 1)
    first.finish(0.5)
    assert gate.wait(60)
    second.finish(0.5)
    assert len(pool.idle) == 1


def test_a_thread_keeps_nothing_of_the_work_it_has_done():
    class Work:
        def __call__(self, item):
            return item

    work = Work()
    gone = weakref.ref(work)
    assert each(work, range(100), 2) == list(range(100))
    del work
    deadline = time.monotonic() + 60
    while gone() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone() is None


def test_helpers_come_back_from_an_interrupted_call():
    def work(_):
        time.sleep(0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each(work, range(8), 3)
    assert each(lambda item: item, range(8), 3) == list(range(8))
    deadline = time.monotonic() + 60
    while len(POOL.idle) < POOL.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(POOL.idle) == POOL.started


def test_where_no_thread_can_be_started_the_caller_works_alone(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    pool = Pool()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert pool.lend(lambda: None, 3) == []
    assert pool.started == 0


def test_a_forked_process_has_a_pool_of_its_own():
    script = """if True:
        import os, threading
        from ridgeline.engine.score.threads import each
        gate = threading.Barrier(2, timeout=60)
        at_once = lambda: each(lambda _: gate.wait() >= 0, range(2), 2)
        at_once()
        child = os.fork()
        if not child:
            os._exit(0 if at_once() == [True, True] else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), at_once())
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0 [True, True]\n"
