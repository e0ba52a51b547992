"""Names that attack, and any other text, for hypothesis."""

from hypothesis import strategies as st

from ridgeline.alerters.testing import HOSTILE

names = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=60))
