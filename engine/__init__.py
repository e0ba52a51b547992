"""Decides: matrix to verdicts to alerts; the command line; the public Python API."""
