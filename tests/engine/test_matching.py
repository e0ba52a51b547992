"""Which names patterns match: as the specification says, and many at once as each alone."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rigs.examples import examples
from twins.matching import by_the_book

from ridgeline.engine.rules import matching
from ridgeline.engine.rules.matching import Patterns, matches
from ridgeline.engine.rules.names import Names, Needles
from ridgeline.engine.rules.pattern import pattern_of
from ridgeline.engine.rules.search import Search
from ridgeline.io.errors import InputError

NAMES = st.text(alphabet="ab.x*[\n", max_size=12)
PIECES = ["a", "ab", "web01", "cpu", "", "é", "日本", "x-y", "a\nb", "\udc80", "."]
DOTTED = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(".".join)
SIGNS = ["", ".*", "^", "$", r"\d+", "(?i)", "[ab]", "|", ".", r"\.", "(?!a)", "b?"]
PATTERNS = st.lists(st.sampled_from([*PIECES, *SIGNS]), max_size=6).map("".join) | DOTTED


def usable(pattern):
    try:
        pattern_of(pattern)
    except InputError:
        return False
    return True


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("stats.web01.requests", "stats.web01.requests", True),
        ("web01", "stats.web01.requests", True),
        ("b01.req", "stats.web01.requests", True),
        ("requests.stats", "stats.web01.requests", True),
        ("requests.requests", "stats.web01.requests", False),
        ("requests.cpu", "stats.web01.requests", False),
        (r"stats\.web\d+\.", "stats.web01.requests", True),
        (r"web\d+", "stats.web01.requests", False),
        (r".*web\d+", "stats.web01.requests", True),
        ("stats.web01", "stats-web01", True),
        ("stats.", "x.stats", False),
        (".stats", "stats.x", False),
        ("stats.", "stats", False),
        ("x.", "x", False),
        ("", "anything", True),
        ("", "", True),
        (".*", "anything", True),
        ("cpu$", "cpu\n", True),
        ("Stats", "stats.web01", False),
    ],
)
def test_the_rules_by_example(pattern, name, expected):
    assert by_the_book(pattern, name) is expected
    assert matches(pattern, name) is expected
    other = [1] if by_the_book(pattern, "other\nname") else []
    found = Search([pattern_of(pattern)]).matched([name, "other\nname", name])[0].tolist()
    assert found == sorted(other + ([0, 2] if expected else []))


@given(NAMES.filter(usable), NAMES)
@example("a.a", "a.a.b")
def test_the_rules_as_specified(pattern, name):
    assert matches(pattern, name) is by_the_book(pattern, name)


@given(st.lists(PATTERNS.filter(usable), max_size=6), st.lists(DOTTED | NAMES, max_size=12))
@examples(100)
@example(["", "a\nb", "b\n.c", ".", "..", "a."], ["a\nb", "", ".", "a", "b", "c", "a."])
@example(["ab"], ["xab"] * 3)
def test_many_patterns_agree_with_one(patterns, names):
    expected = [tuple(at for at, pattern in enumerate(patterns) if by_the_book(pattern, name)) for name in names]
    for few in (matching.FEW, -1):  # one by one, and by searching
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(matching, "FEW", few)
            many = Patterns(patterns)
            hits = many.hits(names)
            assert list(hits) == expected
            assert [hits[at] for at in range(len(hits))] == expected
            assert many.first(names).tolist() == [found[0] if found else -1 for found in expected]
            assert many.any(names).tolist() == [bool(found) for found in expected]
            matched = {at for found in expected for at in found}
            assert many.unmatched(names) == tuple(
                dict.fromkeys(p for p in patterns if not any(patterns[at] == p for at in matched))
            )


@given(st.lists(st.text(alphabet="ab.é", min_size=1, max_size=5), min_size=1, max_size=8, unique=True), st.lists(st.text(alphabet="ab.é", max_size=9), max_size=30))  # fmt: skip
def test_needles_are_found_where_they_are(needles, names):
    found = [some.tolist() for some in Names(names).holding(Needles(needles, needles, ["", *needles]))]
    expected = [[at for at, name in enumerate(names) if needle in name] for needle in needles]
    expected += [[at for at, name in enumerate(names) if name.startswith(needle)] for needle in needles]
    expected += [[at for at, name in enumerate(names) if e in name.split(".")] for e in ("", *needles) if "." not in e]
    at = [place for place, e in enumerate(["", *needles]) if "." in e]
    assert [some for place, some in enumerate(found) if place - 2 * len(needles) not in at] == expected


def test_a_fleet_gets_the_answers_of_one_by_one():
    rng = np.random.default_rng(3)
    parts = [["stats", "carbon"], [f"web{n:03d}" for n in range(300)], ["cpu", "mem", "disk.sda1"], ["mean", "count"]]
    names = [".".join(str(rng.choice(choices)) for choices in parts) for _ in range(3000)]
    patterns = [
        "stats", "web007", "cpu.mean", "mean.stats", r"^stats\.web0.*", ".*sda1.*", "carbon.*mem", r"web\d", "[cs].*7\\.", "nothing",
        "stats.web01", "(?i)STATS", "", r"carbon\.(web1|web2)\d+\.cpu\.(?!mean)", *(f"web{n:03d}.cpu" for n in range(0, 300, 7)),
    ]  # fmt: skip
    assert len(patterns) * len(names) > matching.FEW
    hits = Patterns(patterns).hits(names)
    assert list(hits) == [tuple(at for at, p in enumerate(patterns) if by_the_book(p, name)) for name in names]
    assert Patterns(patterns).unmatched(names) == tuple(
        pattern for pattern in patterns if not any(by_the_book(pattern, name) for name in names)
    )


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("*", '"*" is no pattern, because nothing stands before the "*": write .* for every metric'),
        ("**", '"**" is no pattern, because nothing stands before the "*": write .* for every metric'),
        ("*cpu*", '"*cpu*" is no pattern, because nothing stands before the first "*": write cpu for a part of the name, or the expression .*cpu.*'),
        ("*.web?.cpu", '"*.web?.cpu" is no pattern, because nothing stands before the first "*": write .web?.cpu for a part of the name, or the expression .*.web..cpu'),
        ("?cpu", '"?cpu" is no pattern, because nothing stands before the first "?": write cpu for a part of the name, or the expression .cpu'),
        ("(cpu", '"(cpu" is no regular expression (missing ), unterminated subpattern at position 0): put a backslash before signs that stand for themselves, as in .*\\(cpu'),
        ("a**", '"a**" is no regular expression (multiple repeat at position 2): put a backslash before signs that stand for themselves, as in .*a\\*\\*'),
        ("(?=(a+)+$)b", '"(?=(a+)+$)b" is not tried on any name: trying it on a name might never end, because it repeats what can match in many ways, and it looks ahead or back, or never tries again'),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_with_what_to_write(pattern, sentence):
    for use in (lambda: matches(pattern, "x"), lambda: Patterns(["a", pattern])):
        with pytest.raises(InputError) as caught:
            use()
        assert str(caught.value) == sentence


def test_an_endless_pattern_is_refused():
    with pytest.raises(InputError, match=r"\.\.\.\" is longer than 10000 characters: write several patterns"):
        matches("a" * 20_000, "a")


@given(st.text(max_size=20), st.text(max_size=20))
@example("a{99999999999}", "aa")
@example("(" * 5000, "a")
@example("(" * 250 + "a" + ")" * 250, "a")
@example("(" * 400 + "a" + ")" * 400, "a")
@example("(?<=a+)b", "ab")
def test_any_text_is_a_pattern_or_refused_with_one_sentence(pattern, name):
    try:
        assert matches(pattern, name) in {True, False}
        assert matches(pattern, pattern)
    except InputError as error:
        assert "\n" not in str(error) or "\n" in pattern  # noqa: PT017 - a random text may also be a pattern
        assert len(str(error)) < 1000  # noqa: PT017
