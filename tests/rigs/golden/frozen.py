"""A Redis whose clock stands still within a run and jumps between runs, as the recorded one's did."""

import contextlib
import math
import threading

import redis

FAR = 10_000_000  # seconds added to what is left, so that nothing expires by the real clock
PATIENCE = 300  # seconds without a command, at most
END = "frozen clock: the run is over"


class FrozenClock:
    """The seconds that keys have left. What a run gives a key is read from its commands, so that it is exact.

    left       by key, for those that expire
    commands   what MONITOR told of the last run, a text for each
    """

    def __init__(self, server):
        self._client, self.left, self.commands = server.client, {}, []
        self._watcher = redis.Redis(
            unix_socket_path=server.url.removeprefix("unix://"), socket_timeout=PATIENCE, protocol=2
        )

    def close(self):
        self._watcher.close()

    def jump(self, seconds):
        """Let the clock jump; the keys that expired by it."""
        self.left = {key: left - seconds for key, left in self.left.items()}
        gone = sorted(key for key, left in self.left.items() if left <= 0)
        for key in gone:
            self._client.delete(key)
            del self.left[key]
        return gone

    def expire(self, key, seconds):
        """Give a key so many seconds."""
        self.left[key] = seconds

    @contextlib.contextmanager
    def standing(self):
        """Let a run work while the clock stands."""
        for key, seconds in self.left.items():
            self._client.expire(key, FAR + seconds)
        self.commands = []
        with self._watcher.monitor() as monitor:
            listener = threading.Thread(target=self._listen, args=(monitor,), daemon=True)
            listener.start()
            try:
                yield
            finally:
                self._client.echo(END)
                listener.join(PATIENCE)
                assert not listener.is_alive(), "MONITOR did not tell of the end"
        self._read()

    def _listen(self, monitor):
        while END not in (command := monitor.next_command()["command"]):
            self.commands.append(command)

    def _read(self):
        """What each key has left: what a command of this run gave it last, else what it had."""
        given = {}
        for command in self.commands:
            words = command.split(" ")
            match words[0].upper():
                case "SETEX" | "EXPIRE":
                    given[words[1]] = int(words[2])
                case "SET" if words[-2].upper() == "EX":  # spaces are those of the text, or else of the key
                    given[words[1]] = given[" ".join(words[1:-3])] = int(words[-1])
                case "SET" if words[-2].upper() == "PX":
                    given[words[1]] = math.ceil(int(words[-1]) / 1000)
                case "RENAME" if words[1] in given:
                    given[words[2]] = given.pop(words[1])
        left = {}
        for key in map(bytes.decode, self._client.keys()):
            milliseconds = self._client.pttl(key)
            if milliseconds >= 0:
                left[key] = self.left[key] if milliseconds > FAR * 500 else given[key]
        self.left = left
