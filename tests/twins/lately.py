"""A plain twin of `engine/alerts/lately`: it keeps every run of a metric and answers each question from the whole list."""

from dataclasses import dataclass, field


@dataclass
class Twin:
    """`runs`: (timestamp, anomalous, value, size) of the runs that count, all of them."""

    runs: list = field(default_factory=list)

    def see(self, seen):
        if seen is not None and all(seen.timestamp > run.timestamp for run in self.runs):
            self.runs.append(seen)

    def normal(self):
        """Runs since the last anomalous one; None if there was none."""
        anomalous = [n for n, run in enumerate(self.runs) if run.anomalous]
        return len(self.runs) - 1 - anomalous[-1] if anomalous else None

    def incidents(self, resolve_after):
        """Lists of anomalous runs, with fewer than `resolve_after` normal ones between two of one list."""
        found, quiet = [], resolve_after
        for run in self.runs:
            if not run.anomalous:
                quiet += 1
                continue
            if quiet >= resolve_after:
                found.append([])
            found[-1].append(run)
            quiet = 0
        return found

    def m_of_n(self, m, n):
        return len([run for run in self.runs[-n:] if run.anomalous]) >= m
