"""Delivery without threads, sleeping or a real clock: scripted receivers, a clock that waiting moves, state in memory."""

from collections import deque
from dataclasses import replace

from ridgeline.alerters import SENT
from ridgeline.engine.alerts.lately_table import read_lately, write_lately
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.policy.lookback import looked_at
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.errors import RidgelineError
from ridgeline.io.state.in_memory import MemoryState
from ridgeline.io.state.interface import StateError

START = 1_700_000_000.0
ROW = AlertRow("", ("http",), 60)
NINE = ("grubbs", "ks_test", "least_squares")


def anomaly(metric, value=1.0, timestamp=int(START), votes=2, **more):
    return Anomaly(metric, value, timestamp, votes, NINE[:votes], NINE, **more)


class Clock:
    """Both clocks: `now` are epoch seconds, and as good as any for a monotonic one."""

    def __init__(self, now=START):
        self.now = now

    def __call__(self):
        return self.now


class Scripted:
    """An alerter that gives the scripted outcomes in turn, the last for ever; `messages` are those it was given."""

    def __init__(self, *outcomes, clock=None, log=None, concurrency=1, timeout=10.0, takes=0.0):
        self.outcomes, self.clock, self.log = list(outcomes) or [SENT], clock, [] if log is None else log
        self.concurrency, self.timeout, self.takes = concurrency, timeout, takes
        self.messages, self.times, self.deadlines = [], [], []

    def send(self, message, deadline):
        self.messages.append(message)
        self.times.append(self.clock.now if self.clock else None)
        self.deadlines.append(deadline)
        self.log.append(("send", message.strategy, message.first.metric))
        outcome = self.outcomes[0] if len(self.outcomes) == 1 else self.outcomes.pop(0)
        if self.takes and self.clock:
            self.clock.now += self.takes
        return outcome(message) if callable(outcome) else outcome

    @property
    def metrics(self):
        """What it was asked to send, metric by metric."""
        return [alert.metric for message in self.messages for alert in message.alerts]


class Inline:
    """Workers that send at once; waiting moves the clock, and nothing sleeps."""

    def __init__(self, clock):
        self.clock, self.done = clock, deque()

    def submit(self, alerter, job):
        self.done.append((job, alerter.send(job.message, job.deadline)))

    def wait(self, timeout):
        if not self.done:
            assert timeout > 0, "the sender spins"
            self.clock.now += timeout
        return self.done

    def stop(self):
        pass


class Direct:
    """Records that are written at once; a state that fails is noted as a recorder does."""

    def __init__(self, state, log=None):
        self.state, self.log = state, [] if log is None else log
        self.failures, self.reason = 0, ""

    def put(self, batch):
        try:
            self.state.apply(batch)
        except RidgelineError as error:
            self.failures += len(batch.changes)
            self.reason = self.reason or str(error)
        else:
            for change in batch.changes:
                self.log.append((type(change).__name__, change.key))

    def flush(self, timeout):
        return not self.failures


class Broken(MemoryState):
    """State that fails at every use, or only when it is written to."""

    def __init__(self, clock, reads=True):
        super().__init__(clock)
        self.asked, self.reads = 0, reads

    def _fail(self, *_args):
        self.asked += 1
        raise StateError("state is gone")

    def apply(self, batch):
        self._fail()

    def __getattribute__(self, name):
        if name in {"last_alerts", "get_many", "fields", "pick", "operators"} and object.__getattribute__(
            self, "reads"
        ):
            return object.__getattribute__(self, "_fail")
        return object.__getattribute__(self, name)


class World:
    """Everything around runs: a clock, a state that outlives them, receivers by strategy; `run` is one delivery."""

    def __init__(self, state=None, clock=None, **alerters):
        self.clock = clock or Clock()
        self.state = MemoryState(self.clock) if state is None else state
        self.log = []
        self.alerters = alerters or {"http": Scripted(clock=self.clock, log=self.log)}
        for alerter in self.alerters.values():
            alerter.clock, alerter.log = self.clock, self.log
        self.options = {}

    def __getattr__(self, name):
        return self.__dict__["alerters"][name]

    def plan(self, rows=(ROW,), strategies=None, **options):
        made = {name: Strategy(name, alerter) for name, alerter in self.alerters.items()}
        return Plan(rows, {**made, **(strategies or {})}, **options)

    def run(
        self, metrics=(), rows=(ROW,), *, seconds=30.0, after=0.0, plan=None, strategies=None, records=None, **more
    ):
        """The summary of one delivery of anomalies (or of metrics by name), `after` seconds later."""
        self.clock.now += after
        anomalies = [anomaly(one, timestamp=int(self.clock.now)) if isinstance(one, str) else one for one in metrics]
        plan = plan or self.plan(rows, strategies, **{k: more.pop(k) for k in list(more) if k in Plan.__slots__})
        store = Store(self.state, records or Direct(self.state, self.log))
        times = Times(self.clock.now + seconds, self.clock, self.clock)
        workers = more.pop("workers", None) or Inline(self.clock)
        return deliver(anomalies, plan, store, times, workers=workers, jitter=lambda: 1.0, **more)

    def judged(self, fires=(), normal=(), *, keep=1, records=None, **more):
        """The summary of one delivery as a run does it: with the records of lately anomalous metrics, by name, kept."""
        records = records or Direct(self.state, self.log)
        before = read_lately(self.state)
        at = int(self.clock.now + more.get("after", 0.0))
        fires = [self._seen(one, at, before) for one in fires]
        normal = [one for one in (self._seen(one, at, before) for one in normal) if one.metric in before]
        lately = looked_at(before, fires, normal, keep)
        summary = self.run(fires, normal=normal, before=before, lately=lately, records=records, **more)
        with self.state.batch() as batch:
            write_lately(batch, lately)
        return summary

    def _seen(self, one, at, before):
        found = anomaly(one, timestamp=at) if isinstance(one, str) else one
        record = before.get(found.metric)
        ongoing = record is not None and record.ongoing()
        return replace(found, first_seen=record.first_seen if ongoing else found.timestamp, ongoing=ongoing)

    def waiting(self):
        """What the outbox holds: (strategy, metric) -> entry."""
        from ridgeline.io.state.outbox import read_outbox

        return read_outbox(self.state)


def counts(summary):
    """The numbers that are not zero."""
    return {name: count for name, count in summary.counts().items() if count}
