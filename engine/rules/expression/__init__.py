"""Patterns as regular expressions: Python's own meaning, without its endless backtracking."""
