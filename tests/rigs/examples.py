"""How many examples a property is given where the profile's own number is too few, or too dear."""

from hypothesis import settings


def examples(number):
    """So many in the ordinary suite; in the fuller profiles as many times more as these give everywhere."""
    return settings(max_examples=number * settings.default.max_examples // settings.get_profile("default").max_examples)
