"""Walks: functions of a series that are stepped point by point and keep what they learned."""
