"""A trimmer as Horizon's, at work on a server while others write and read: it decodes, sorts, takes one pair for each time, cuts."""

from __future__ import annotations

import contextlib
import math
import threading

import msgpack
import redis


class Roomba:
    """Trims every key of a set, again and again, on a thread of its own, for the length of the block.

    oldest   gives the second up to which nothing is left
    trimmed  how many keys it has written anew
    """

    def __init__(self, path, unique, oldest):
        self.client, self.unique, self.oldest = redis.Redis(unix_socket_path=path), unique, oldest
        self.trimmed, self.error = 0, None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(20)
        self.client.close()
        assert not self._thread.is_alive()
        assert self.error is None

    def _work(self):
        try:
            while not self._over.wait(0.001):
                for key in self.client.smembers(self.unique):
                    if self._over.is_set():
                        break
                    self.trimmed += self._trim(key)
        except Exception as error:
            self.error = error
            raise

    def _trim(self, key):
        """Write a key anew, unless it is written meanwhile; return whether it was."""
        with self.client.pipeline() as pipe, contextlib.suppress(redis.WatchError):
            pipe.watch(key)
            unpacker, kept = msgpack.Unpacker(), []
            unpacker.feed(before := pipe.get(key) or b"")
            for t, x in sorted(unpacker, key=lambda pair: (pair[0], -math.inf if pair[1] is None else pair[1])):
                if t > self.oldest() and not (kept and kept[-1][0] == t):
                    kept.append((t, x))
            data = b"".join(map(msgpack.packb, kept))
            if data == before:
                return False
            pipe.multi()
            pipe.set(key, data) if data else pipe.delete(key)
            pipe.execute()
            return True
        return False
