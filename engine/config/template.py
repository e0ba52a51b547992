"""The commented example that `ridgeline config init` writes; it is valid as it stands."""

from typing import Final

TEMPLATE: Final = """\
# Ridgeline's configuration. Check it with: ridgeline config check ridgeline.toml
# Commented lines show the defaults. Durations are seconds or texts like "90s", "5m", "24h".
# Secrets never stand in this file: KEY_env names an environment variable, KEY_file a file.

[source]
kind = "redis"                          # or "parquet", with path = "fleet.parquet"
url = "redis://127.0.0.1:6379/0"        # or rediss://HOST:PORT/0 (TLS), unix:///run/redis/redis.sock
# namespace = "metrics."                # what stands before every metric's name in Redis
# username = "ridgeline"                # an ACL user
# password_env = "RIDGELINE_REDIS_PASSWORD"
# password_file = "/etc/ridgeline/redis.password"
# ca_file = "/etc/ssl/redis-ca.pem"     # further trusted certificates, for rediss://
# cert_file = "/etc/ssl/client.pem"      # a certificate of our own, with key_file
# key_file = "/etc/ssl/client.key"
# connect_budget = "5s"                 # how long a Redis that does not answer is tried for
# timeout = "5s"                        # of one call
# chunk_keys = 100                      # keys per call; `ridgeline bench --tune` finds the best for this machine
# chunk_metrics = 1024                  # metrics per chunk, from files
# labels_from = ["host", "job"]         # columns or key=value folders of files that become part of the name
# max_points = 1000000                  # the newest points of a longer series are used

[analysis]
# full_duration = "24h"                 # the window that is judged
# consensus = 6                         # this many algorithms must agree
# profile = "native"                    # or earthgecko, earthgecko_batch: Skyline's own arithmetic
# stale_period = 500                    # a metric silent for longer is stale
# algorithms = ["histogram_bins", "first_hour_average"]   # default: all; at least `consensus` of them
# all_votes = false                     # true: vote with every algorithm, also where no anomaly is possible any more
# modules = ["ourcompany.algorithms"]   # Python modules with algorithms of your own
# bookkeeping = true                    # false: nothing is written to Redis for Mirage, Panorama, the web UI
# skip = ["stats.test."]                # patterns of metrics that are not even read
# second_order = false                  # true: alert again only on what was over, or grew by half (docs/alerters.md)
# resolution_aware = false              # true: hourly and daily series are judged in their own steps (docs/algorithms.md)
# memory = "/var/lib/ridgeline/memory"  # what runs keep for the next one (docs/memory.md); false: each reads every series
# min_window_points = 0                 # points that a window holds at least: 200 gives hourly series 200 hours
#
# By which rule a metric is anomalous (docs/rules.md):
#   consensus  Enough of nine algorithms call the newest window odd. Needs one day of points and learns nothing. Sensitive:
#              many pages from metrics that are restless by nature, and blind to an outage of one that swings through the day.
#   pages      Made for who is woken at night. Learns the usual day of each metric, and pages for outages and for what lasts.
#              Needs the memory of former runs, and five days to learn: until then it is quiet. Misses spikes of a minute or two.
#   ridgeline  Finds the most in a history: patterns, spikes and outages, at more pages. Looks 28 days back: for backtests.
# Start with consensus; take pages for whatever people are woken by, here or in an [[override]], and try both in a backtest.
# rule = "consensus"
# rule_threshold = 1.0                  # its score is divided by this: above 1 less is anomalous, below 1 more
# cutoffs = { grubbs = 1.2 }            # an algorithm votes where its score is above this; default: 1 (docs/algorithms.md)
#
# m_of_n = [2, 5]                       # alert only on what was anomalous in 2 of its last 5 runs; default: at once

[preparation]
counters = "auto"                       # judge by how much they rise what only grows; or "off" (default), or ["pattern"]
# non_derivative = ["stats.uptime"]     # never counters
# zero_fill = ["stats.errors."]         # what is missing is 0
# last_known_value = ["stats.temperature."]   # what is missing is what was last there

[run]
# deadline = 55                         # seconds; what was not reached by then is counted as shed
# threads = 2                           # default: as many as there are CPUs
# max_memory = "2GiB"                   # for shuffling files that are not sorted by metric

# A pattern matches a metric that it equals or is a part of, whose dotted elements it names, or that it matches
# as a regular expression from the start. All overrides that match apply in this order, later keys win.
# [[override]]
# match = "stats.timers."
# consensus = 7
# algorithms = ["grubbs", "ks_test"]
# thresholds = { stddev_from_average = 4.0 }   # instead of the algorithm's own (docs/algorithms.md)
# direction = "up"                      # or down, both: anomalies the other way are not reported
# min_change = 10.0                     # the tail must differ from the series' mean by this much
# min_change_relative = 0.1             # ... and by this share of it
# stale_period = "1h"
# full_duration = "7d"                  # the window of these metrics
# resolution_aware = true               # as below [analysis], for these metrics
# min_window_points = 1000              # as below [analysis], for these metrics
# rule = "pages"                        # as below [analysis], for these metrics; so are the next two
# rule_threshold = 1.2
# cutoffs = { grubbs = 1.5 }
# m_of_n = [3, 5]                       # alert only on what was anomalous in 3 of its last 5 runs

# Of the alerts with one strategy, the first that matches a metric decides. Then it stays quiet for `expiration`.
[[alert]]
match = ".*"
strategy = "console"                    # or http, syslog; several: "console|http"
expiration = "1h"
# recipients = ["ops@example.com"]      # instead of those of the channel
# schedule = { days = ["mon", "tue", "wed", "thu", "fri"], from = "08:00", to = "18:00", timezone = "Europe/Madrid" }
# m_of_n = [1, 1]                       # instead of the metric's own: for these alerts, at once
# group = true                          # false: a message for every metric, however many
# severity = "critical"
# second_order_hours = 168              # the metric is Mirage's, where checks are handed to it

[delivery]
# retry_for = "24h"                     # what cannot be sent is tried again for so long
# max_attempts = 50                     # ... and in so many runs at most; then others are told
# group_above = 10                      # more metrics of one rule are one message with the top ten
# no_data_expiration = "1h"             # how often to repeat alerts about Ridgeline itself, as that no metrics arrive
# pictures = 10                         # in one run at most

# [links]
# graph = "https://graphs.example.com/?target={metric}&from={from}&until={until}"

# [alerters.http]
# url = "https://example.com/alert"     # or url_env / url_file, if the address itself is secret
# token_env = "RIDGELINE_HTTP_TOKEN"    # sent as Authorization: Bearer
# timeout = 10                          # seconds, for one whole attempt
# payload = "ridgeline"                 # or "skyline", or "template" with template_file = "body.json" (docs/alerters.md)

# A channel of your own is a table that names its module (docs/alerters.md).

# [alerters.syslog]

# [[external_alerts]]                   # rules that a service of yours keeps, in Skyline's JSON (docs/alerters.md)
# name = "team"
# url = "https://example.com/alerts"    # or url_env / url_file
# method = "GET"                        # or POST
# token_env = "RIDGELINE_RULES_TOKEN"   # sent as Authorization: Bearer

# [stale_digest]                        # one message about metrics that fall silent
# strategy = "http"                     # default: smtp; several are joined by |
# after = "300s"
# exclude = ["pattern"]

[airgaps]
# identify = false                      # true: missing and unsorted points are told to siblings of Skyline in Redis
# check = ["pattern"]                   # only in these metrics; default: in all
# skip = ["pattern"]                    # and not in these
# max_period = "6h"                     # how far back

# [handoff]                             # what Skyline's siblings watch (docs/from-skyline.md)
# mirage_checks = "/opt/skyline/mirage/check"
# panorama_checks = "/opt/skyline/panorama/check"
# crucible_checks = "/opt/skyline/crucible/check"   # with crucible_data
# crucible_data = "/opt/skyline/crucible/data"
# web_ui = "/opt/skyline/github/skyline/skyline/webapp/static/dump/anomalies.json"

# [archive]                             # what Redis holds, kept longer, by `run --archive` and `ridgeline export`
# directory = "/var/lib/ridgeline/archive"
# keep = "90d"                          # days before that are removed

# [second_stage]                        # alert only on what is anomalous over a longer history too
# path = "/var/lib/ridgeline/archive"   # Parquet: a file, a folder, a glob or an address
# days = 7
# match = ["stats.web."]                # default: all metrics

# [batch]
# match = ["jobs."]                     # metrics whose every new point `ridgeline batch` judges

# [shards]                              # several hosts that share this fleet (docs/shards.md)
# hosts = ["a", "b", "c"]               # all of them, in the same order everywhere
# host = "a"                            # which of them this is; default: this machine's name
# take_over = ["b"]                     # of a host that is lost: its metrics are judged here meanwhile

[output]
# directory = "/var/lib/ridgeline"      # for anomalies.parquet, .json and .jsonp, and the lock
# state = "/var/lib/ridgeline/state.db" # for when alerts were last sent, where the source is not Redis

[statistics]
# graphite = "carbon.example.com:2003"  # the numbers of each run, under Skyline's names (docs/operations.md)
# name = "skyline-1"                    # what stands for this server in them: skyline.analyzer.skyline-1.run_time
# prometheus_textfile = "/var/lib/node_exporter/textfile/ridgeline.prom"
# canary = "skyline.horizon.skyline-1.worker.metrics_received"   # of whose stored span `.duration` and `.projected` tell
# heartbeat_url_env = "RIDGELINE_HEARTBEAT"   # or heartbeat_url_file: asked for after every run that succeeds

# [log]
# file = "/var/log/ridgeline.log"       # one entry for every run, and what it warned of
# format = "text"                       # or json, one object a line
# max_size = "10MiB"                    # then it is begun anew
# keep = 5                              # former ones are kept: ridgeline.log.1, ...

# [[remote]]                            # another host's Skyline, for `ridgeline remote sync` (docs/remote.md)
# name = "skyline-2"                    # as that host is called
# url = "https://skyline-2.example.com" # of its web application
# username = "admin"
# password_env = "RIDGELINE_SKYLINE_2"  # or password_file
# ca_file = "/etc/ssl/our-ca.pem"       # further trusted certificates

# [remote_files]
# directory = "/opt/skyline/ionosphere" # data/ and features_profiles/ below it take what is fetched
# max_file = "64MiB"                    # a larger file is not fetched
# max_total = "1GiB"                    # of all that lies in the two

# [agent]
# run_every = "60s"                     # how often `ridgeline agent` runs
# batch_every = "5m"                    # how often it does what `ridgeline batch` does; without it never
# manage_every = "5m"                   # how often it does what `ridgeline manage` does; without it never
"""
