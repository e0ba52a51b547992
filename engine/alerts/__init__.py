"""Between an anomaly and an alerter: match, suppress, send, record."""
