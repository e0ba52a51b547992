"""What algorithms say when they fail: told once for each, whatever they say, without secrets."""

import logging
import threading
import traceback

from ridgeline.engine.score.failures import Complaint, get_function_name, record_algorithm_error
from ridgeline.io.secret import Secret


def trouble(words):
    raise ValueError(words)


def complaint(words, where=""):
    try:
        trouble(words)
    except ValueError as error:
        return Complaint.raised("mine", error, where)
    raise AssertionError


def test_a_complaint_has_the_place_in_its_sentence_and_the_whole_way_in_its_traceback():
    found = complaint("too large", " on cpu")
    line = trouble.__code__.co_firstlineno + 1
    assert found.sentence == f"algorithm 'mine' raised ValueError: too large ({__file__}, line {line}) on cpu"
    assert found.traceback.startswith("Traceback (most recent call last):\n")
    assert found.traceback.endswith("ValueError: too large\n")
    assert "in trouble" in found.traceback
    assert "Complaint.raised" not in found.traceback


def test_a_complaint_is_one_line_and_holds_no_secret():
    Secret("hunter2-and-more")
    found = complaint("a\n2026-01-01 ERROR \x1b[31mhunter2-and-more", "\u202e")
    assert found.sentence.isprintable()
    assert "hunter2" not in found.sentence + found.traceback


def test_one_traceback_of_each_algorithm_is_logged(caplog):
    said = "Traceback (most recent call last):\nValueError: x\x1b[0m"
    with caplog.at_level(logging.ERROR, "ridgeline.algorithms"):
        assert record_algorithm_error("first_of_two", said) is True
        assert record_algorithm_error("first_of_two", said) is False
        assert record_algorithm_error("second_of_two\n", "") is True
    assert [record.getMessage() for record in caplog.records] == [
        "algorithm first_of_two failed\n    Traceback (most recent call last):\n    ValueError: x\\x1b[0m",
        "algorithm second_of_two\\n failed\n",
    ]


def test_of_many_threads_one_writes(caplog):
    told = []
    with caplog.at_level(logging.ERROR, "ridgeline.algorithms"):
        threads = [
            threading.Thread(target=lambda: told.append(record_algorithm_error("threaded", "x")), daemon=True)
            for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert sorted(told) == [False] * 15 + [True]


def test_what_skyline_writes_in_an_except_block_works():
    def grubbs_of_mine():
        try:
            return 1 / 0
        except ZeroDivisionError:
            record_algorithm_error(get_function_name(), traceback.format_exc())
            return None

    assert grubbs_of_mine() is None
    assert record_algorithm_error("grubbs_of_mine", "again") is False
