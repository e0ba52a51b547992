"""What an alert rule is called by."""

from __future__ import annotations


def rule_words(match: str) -> str:
    """The rule of a pattern: `the rule "stats."`."""
    return f'the rule "{match}"' if match else "the rule for every metric"
