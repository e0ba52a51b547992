"""What the decode entry and its caller agree on: kinds of objects, room, sizes of points. Needs no numba to import."""

from __future__ import annotations

from typing import Final

# What became of an object; all but POINT are columns of `counts`, under these names.
NULL, NON_NUMERIC, NON_FINITE, BAD_TIMESTAMP, MALFORMED, TRUNCATED, POINT = range(7)
KINDS: Final = ("null", "non_numeric", "non_finite", "bad_timestamp", "malformed", "truncated")

# Columns of the entry's state; what it returns; and the end of a row whose points exceed the capacity.
AT, HAVE, ROW, STOP, LIMIT, NEED = range(6)
STATE: Final = 6
TAKEN, MORE, REFUSED, ODD, FULL = range(5)
NO_ROOM: Final = -1

ABSENT: Final = -1  # bytes of a value that is not there
HEADER: Final = 32  # bytes of a value's header, at most: a kind's byte, any length and the line's end

# Bits: a row's timestamps, its values are stored as integers.
INTEGER_TIMESTAMPS: Final = 1
INTEGER_VALUES: Final = 2

NESTING: Final = 1024  # the msgpack library's limit of open containers; length of the stack
SHORTEST_SIZE: Final = 3  # bytes of the shortest point there is: an array of two small integers
INTEGER_SIZE: Final = 15  # bytes of a point of uint32 seconds and a float64
FLOAT_SIZE: Final = 19  # bytes of a point of float64 seconds and a float64

LARGEST: Final = 2**62  # no timestamp is larger: in nanoseconds, the finest unit there is, this is the year 2116

FLOAT64: Final = 0xCB  # what stands before the eight bytes of a float64
