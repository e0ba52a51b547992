"""Malformed rows of CSV are left out and counted, and nobody waits for Python at the end of the process."""

import csv
import io
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from ridgeline.io.tables.csv_rows import mended

T0 = 1_700_000_000


@given(st.text(st.sampled_from("ab,\n\r"), min_size=1, max_size=60), st.integers(1, 4))
def test_without_quotes_lines_are_rows(text, cells):
    lines = [line for line in text.replace("\r", "\n").split("\n") if line]
    good = [line for line in lines if line.count(",") == cells - 1]
    kept, bad = mended(text.encode(), ",", cells)
    assert [line for line in kept.decode().replace("\r", "\n").split("\n") if line] == good
    assert bad == len(lines) - len(good)


@given(st.text(st.sampled_from('ab,\n"'), max_size=60), st.integers(2, 4))
def test_with_quotes_what_is_kept_has_so_many_cells(text, cells):
    kept, _ = mended(f'"x"\n{text}'.encode(), ",", cells)
    assert all(len(row) == cells for row in csv.reader(io.StringIO(kept.decode(), newline="")))


rows = st.lists(
    st.lists(st.text(st.sampled_from('ab,\n";'), max_size=5), min_size=2, max_size=4), min_size=1, max_size=9
)


@given(rows)
def test_rows_that_are_written_well_are_kept_as_they_are(table):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(table)
    good = [row for row in table if len(row) == 3]
    kept, bad = mended(text.getvalue().encode(), ",", 3)
    assert list(csv.reader(io.StringIO(kept.decode(), newline=""))) == good
    assert bad == len(table) - len(good)


LEAVES = """
import sys, threading, time
from ridgeline.io.errors import InputError
from ridgeline.io.tables.dataset import open_dataset
from ridgeline.io.tables import csv_table
csv_table.FRUITLESS = 1 << 40
def read():
    try:
        open_dataset(sys.argv[1])
    except InputError:
        pass
threading.Thread(target=read, daemon=True).start()
time.sleep(1.0)
"""


def test_a_process_ends_while_malformed_rows_are_read(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"metric,timestamp,value\n" + b"a\n" * (12 << 20))
    ended = subprocess.run([sys.executable, "-c", LEAVES, path], timeout=60, check=False, capture_output=True)
    assert ended.returncode == 0, ended.stderr.decode()
