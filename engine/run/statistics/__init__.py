"""The numbers of a run, for dashboards and alarms: to Graphite under Skyline's names, and as a textfile for Prometheus."""
