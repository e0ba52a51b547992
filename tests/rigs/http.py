"""The scripted HTTP server of the alerters' contract kit, for all other tests."""

from ridgeline.alerters.testing import Answer, Request, http_server

__all__ = ["Answer", "Request", "http_server"]
