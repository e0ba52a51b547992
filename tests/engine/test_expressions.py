"""Expressions mean what they mean to Python's `re`, and never take longer than a name is worth."""

import re
import time
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rigs.examples import examples

from ridgeline.engine.rules.expression.automaton import MOST_MOVES, Automaton
from ridgeline.engine.rules.expression.effort import effort
from ridgeline.engine.rules.expression.expression import BRIEF, Expression
from ridgeline.engine.rules.expression.literals import Literals, literals
from ridgeline.engine.rules.expression.program import NoProgramError
from ridgeline.engine.rules.expression.syntax import tree_of

ATOMS = [
    "a", "b", "ab", ".", "[ab]", "[^a]", "[a-c.]", r"\.", r"\w", r"\W", r"\d", r"\s", "é", "K", "_", "\n", "^", "$",
    r"\b", r"\B", r"\A", r"\Z", "(?i:k)", "(?s:.)", "(?m:^a$)", "(?-i:a)", "(?a:\\w)",
]  # fmt: skip
QUANTIFIERS = ["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "??"]
EXPRESSIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(QUANTIFIERS)).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        inner.map(lambda body: f"({body})"),
    ),
    max_leaves=8,
)
FLAGS = st.sampled_from(["", "", "", "(?i)", "(?s)", "(?m)", "(?a)", "(?x)"])
NAMES = st.text(alphabet="abcAkK\u212a.é_1٣\n ", max_size=8)


def python_says(pattern, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.match(pattern, name) is not None


@given(FLAGS, EXPRESSIONS, st.lists(NAMES, min_size=1, max_size=6))
@examples(150)
@example("", "a$", ["a", "a\n", "a\n\n", "ab"])
@example("(?m)", "a$\n^b", ["a\nb", "a\n"])
@example("", r"\b|\B", ["", "\n", " "])
@example("", "(?:a*)*b", ["aab", "aa"])
@example("(?i)", "[^k]", ["K", "\u212a", "a"])
def test_the_automaton_agrees_with_python(flags, expression, names):
    pattern = flags + expression
    automaton = Automaton(tree_of(pattern))
    for name in names * 2:
        assert automaton.matches(name) is python_says(pattern, name), (pattern, name)


@given(FLAGS, EXPRESSIONS, NAMES)
@examples(120)
@example("", "^ab.*$", "ab")
@example("", ".*ab.*", "xab")
@example("", "(ab)+c", "ababc")
@example("", "a(?i:k)b", "aKb")
@example("", "(?:a|b)c", "bc")
def test_literals_are_in_every_name_that_matches(flags, expression, name):
    pattern, name = flags + expression, name.replace("\n", "")
    wanted = literals(tree_of(pattern))
    held = name.startswith(wanted.prefix) and all(text in name for text in wanted.texts)
    if python_says(pattern, name):
        assert held, (pattern, name, wanted)
    elif wanted.enough:
        assert not held, (pattern, name, wanted)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        (r"^stats\.web.*$", Literals("stats.web", (), enough=True)),
        (".*cpu.*", Literals("", ("cpu",), enough=True)),
        (".*", Literals("", (), enough=True)),
        ("abc", Literals("abc", (), enough=True)),
        ("a(bc)+d", Literals("abc", ("d",))),
        (r"stats\..*\.cpu$", Literals("stats.", (".cpu",))),
        ("ab|cd", Literals()),
        ("(?i)abc", Literals()),
        (r"\d+abc", Literals("", ("abc",))),
        ("ab?c", Literals("a", ("c",))),
    ],
)
def test_literals_by_example(pattern, wanted):
    assert literals(tree_of(pattern)) == wanted


HANGING = [
    "(a+)+$",
    "(a*)*b",
    "(a|aa)+$",
    "(a|a)*b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x",
    "a?" * 30 + "a" * 30 + "b",
    r"([a-z_]+\.?)+count$",
    "(?:){1000000}x",
    "((((a{1,9}){1,9}){1,9}){1,9})b",
]


@pytest.mark.parametrize("pattern", HANGING)
def test_what_backtracks_for_ever_is_answered(pattern):
    try:
        expression = Expression(pattern)
    except ValueError as error:
        assert "might never end" in str(error)  # noqa: PT017 - either an answer or a refusal
        return
    # Python alone would take years for most of these; the limit is only there to tell years from seconds.
    began = time.monotonic()
    for name in ("a" * 40 + "!", "a" * 5000 + "!", "a" * 65):
        assert expression.matches(name) in {True, False}
    assert time.monotonic() - began < 60


def test_the_answers_are_right_where_python_would_hang():
    assert not Expression("(a+)+$").matches("a" * 40 + "!")
    assert Expression("(a+)+$").matches("a" * 40)
    assert Expression("(a|aa)+$").matches("a" * 5000)
    assert not Expression("(.*)(.*)(.*)(.*)(.*)(.*)x").matches("a" * 300)


@pytest.mark.parametrize(
    "pattern", [r"(a+)+\1$", "(?=(a+)+$)b", "(?!(.*a){20})b", "(?>(a|aa)+$)b", r"(\w+\.?)+(?<!x)$"]
)
def test_what_only_backtracking_can_answer_and_might_never_is_refused(pattern):
    with pytest.raises(
        ValueError, match="trying it on a name might never end, because it repeats what can match in many"
    ):
        Expression(pattern)


@pytest.mark.parametrize(
    ("pattern", "name", "answer"),
    [
        (r"^(?!.*test)(?!.*dev).*cpu", "stats.cpu", True),
        (r"^(?!.*test)(?!.*dev).*cpu", "stats.dev.cpu", False),
        (r"(\w+)\.\1$", "web.web", True),
        (r".*(?<!_)count$", "stats.count", True),
        (r".*(?<!_)count$", "stats.upper_count", False),
        ("a++b", "aab", True),
    ],
)
def test_looking_around_works_for_names_of_any_usual_length(pattern, name, answer):
    expression = Expression(pattern)
    assert expression.matches(name) is answer
    assert expression.matches(name * 10_000) in {True, False}


def test_beyond_its_reach_a_look_ahead_matches_nothing():
    expression = Expression("(?!.*x).*a.*b")
    assert expression.reach >= 256
    assert expression.matches("ab".ljust(expression.reach, "a"))
    assert not expression.matches("ab".ljust(expression.reach + 1, "a"))


@given(FLAGS, EXPRESSIONS)
def test_effort_grows_with_the_name_and_is_known(flags, expression):
    tree = tree_of(flags + expression)
    efforts = [effort(tree, length) for length in (0, 1, 2, 5, 20)]
    assert efforts == sorted(efforts)
    assert efforts[0] >= 1


def test_common_patterns_are_left_to_python():
    for pattern in ("stats.timers.web01", r"^stats\.web\d+\..*", ".*cpu.*", r"stats\.(web|db)\d+\.cpu$"):
        assert effort(tree_of(pattern), 80) <= BRIEF


def test_an_expression_too_large_to_write_out_has_no_automaton():
    with pytest.raises(NoProgramError):
        Automaton(tree_of("(a{1,99}){1,99}b"))


def test_memory_of_an_automaton_is_bounded():
    automaton = Automaton(tree_of("(?:[^x]+y?)+$"))
    for at in range(0, MOST_MOVES * 2, 50):
        assert automaton.matches("".join(chr(0x4E00 + (at + offset) % 20_000) for offset in range(50)))
    assert len(automaton._states) <= MOST_MOVES
