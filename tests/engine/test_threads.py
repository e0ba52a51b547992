"""Work on threads: in order, on several at once, failing loudly, given up without waiting."""

import subprocess
import sys
import threading
import time

import pytest

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
