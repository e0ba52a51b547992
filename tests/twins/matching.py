"""The four matching rules of Skyline (`matched_or_regexed_in_list`), read from the specification in plain Python."""

import re
import warnings


def by_the_book(pattern, name):
    """Whether a pattern matches a base name; `re` itself is asked, so names must be short."""
    if pattern == name or pattern in name:
        return True
    elements = pattern.split(".")
    if len(set(elements) & set(name.split("."))) == len(elements):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.match(pattern, name) is not None
