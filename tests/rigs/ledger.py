"""Keys shared with siblings, as a dictionary: for tests of what a run reads and writes there, without a server."""

from ridgeline.io.redis.entries import Expire, Keep, Rename, Replace, Stream
from ridgeline.io.redis.ledger import Fields, Members, Pick, Strings
from ridgeline.io.state.batch import Add, Delete, Drop, Put, Remove, SetText
from ridgeline.io.state.interface import StateError


class Books:
    """Keys by name: texts, sets, dicts. `fails` tells by the number of an asking or writing, from 1, whether it fails."""

    def __init__(self, keys=None, fails=lambda turn: False):
        self.keys, self.ttls, self.fails, self.turns = dict(keys or {}), {}, fails, 0

    def ask(self, *questions):
        self._turn()
        return [self._answer(question) for question in questions]

    def write(self, entries):
        self._turn()
        for entry in entries.entries:
            self._make(entry)

    def close(self):
        pass

    def _turn(self):
        self.turns += 1
        if self.fails(self.turns):
            raise StateError("cannot use the books in Redis: they are gone")

    def _answer(self, question):
        match question:
            case Strings(keys):
                return [self.keys.get(key) for key in keys]
            case Members(key):
                return set(self.keys.get(key, ()))
            case Fields(key):
                return dict(self.keys.get(key, {}))
            case Pick(key, names):
                return [self.keys.get(key, {}).get(name) for name in names]

    def _make(self, entry):
        match entry:
            case Keep(key, text):
                self.keys[key] = text
            case SetText(key, text, ttl):
                self.keys[key], self.ttls[key] = text, ttl
            case Add(key, names):
                self.keys.setdefault(key, set()).update(names)
            case Remove(key, names):
                self.keys.get(key, set()).difference_update(names)
            case Stream(key, words):
                rest = iter(words)
                self.keys.setdefault(key, {}).update(zip(rest, rest, strict=True))
            case Put(key, fields):
                self.keys.setdefault(key, {}).update(fields)
            case Drop(key, names):
                for name in names:
                    self.keys.get(key, {}).pop(name, None)
            case Delete(key):
                self.keys.pop(key, None)
            case Replace(key, command, words, previous, ttl):
                self._replace(key, command, list(words), previous, ttl)
            case Rename(key, to) if key in self.keys:
                self.keys[to] = self.keys.pop(key)
            case Expire(key, ttl):
                self.ttls[key] = ttl

    def _replace(self, key, command, words, previous, ttl):
        if previous is not None and key in self.keys:
            self.keys[previous] = self.keys[key]
        self.keys.pop(key, None)
        if words:
            self.keys[key] = set(words) if command == "SADD" else dict(zip(words[::2], words[1::2], strict=True))
        if ttl is not None:
            self.ttls[key] = ttl
