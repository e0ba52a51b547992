"""Computes: blocks of rows in, numbers out."""
