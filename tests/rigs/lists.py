"""What tests of `ridgeline manage` share: a configuration from rules, and what Redis holds as plain values."""

import json

from ridgeline.engine.config.load import parse_config


def configuration(rules, url, folder, user=None):
    """The configuration of `twins.lists.Rules`; `user`: (name, password) in Redis."""
    text = [f"[source]\nurl = {_text(url)}"]
    text += [f"username = {_text(user[0])}\npassword_env = 'PASSWORD'"] if user else []
    text += [f"[output]\ndirectory = {_text(folder)}"]
    text.append(
        f"[analysis]\nprofile = 'earthgecko'\nfull_duration = {rules.window}\nstale_period = {rules.stale_period}"
    )
    text += [f"skip = {_list(rules.skip)}"] if rules.skip else []
    text.append("[preparation]")
    text += [
        f"{key} = {_list(getattr(rules, key))}"
        for key in ("zero_fill", "last_known_value", "non_derivative", "counters")
        if getattr(rules, key)
    ]
    if rules.name:
        text.append(f"[statistics]\nname = {_text(rules.name)}")
    if rules.mirage:
        text.append(f"[handoff]\nmirage_checks = {_text(folder)}")
    if rules.quiet:
        text.append(f"[stale_digest]\nstrategy = 'smtp'\nexclude = {_list(rules.quiet)}")
    if rules.batch:
        text.append(f"[batch]\nmatch = {_list(rules.batch)}")
    for key, table in (("stale_period", rules.stale), ("full_duration", rules.windows)):
        text += [f"[[override]]\nmatch = {_text(match)}\n{key} = {seconds}" for match, seconds in table]
    for match, strategies, expiration, hours in rules.alerts:
        text.append(
            f"[[alert]]\nmatch = {_text(match)}\nstrategy = {_text('|'.join(strategies))}\nexpiration = {expiration}\n"
            f"second_order_hours = {hours}"
        )
    text.append(
        "[alerters.smtp]\nhost = '127.0.0.1'\nsender = 'a@example.com'\ndefault_recipients = ['b@example.com']\n"
        "[alerters.http]\nurl = 'http://127.0.0.1:9/'"
    )
    return parse_config("\n".join(text).encode(), folder / "ridgeline.toml", {"PASSWORD": user[1]} if user else {})


def _text(value):
    return json.dumps(str(value)).replace("\x7f", "\\u007f")


def _list(values):
    return "[" + ", ".join(map(_text, values)) + "]"


def hold(client, held):
    """Put plain values into an empty Redis."""
    client.flushall()
    for key, value in held.items():
        if isinstance(value, str):
            client.set(key, value)
        elif isinstance(value, dict):
            client.hset(key, mapping=value)
        else:
            client.sadd(key, *value)


def holding(client):
    """Everything in Redis: by key a str, a set, or a dict; of texts as they are sent."""
    found = {}
    for key in map(_shown, client.scan_iter()):
        match client.type(key).decode():
            case "string":
                found[key] = _shown(client.get(key))
            case "set":
                found[key] = {_shown(member) for member in client.smembers(key)}
            case "hash":
                found[key] = {_shown(name): _shown(text) for name, text in client.hgetall(key).items()}
            case kind:
                found[key] = kind
    return found


def _shown(raw):
    return raw.decode("utf-8", "backslashreplace")
