"""How surely a passage answers a question, judged by what does not depend on how the tenant's other passages fare.

A search always finds a nearest passage, also to a question nobody wrote an answer to. Measures that are on one scale
for all tenants tell the two apart: how near question and passage are by meaning, how much of the question the passage
names, and how far it is ahead of the others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smarteros.knowledge.postings import Floats

# Logistic regression on our own sets: 176 questions to two shops, with and without the passage that answers them, and
# 260 messages that ask nothing of a shop, put to four; each shop was judged by what was learnt at the others. What is
# answered with them is measured in ``agents.clear_answers``.
_MEANING, _NAMED, _LETTERS, _AHEAD, _OFFSET = 4.9, 3.8, 5.0, 0.9, -5.4
_MOST_LETTERS = 0.4  # letters in common beyond it say no more: a long attack may hold the title of a passage
_FAR_AHEAD = 3.0  # standard deviations of a search's scores; further says no more


def log_odds(scores: npt.NDArray[np.floating], meaning: Floats, named: Floats, letters: Floats) -> Floats:
    """Return the log odds, before what the classifier makes of the question, that each passage of a search answers it.

    ``scores`` are the search's, ``meaning`` the cosines of the sentence encoder (0 without one), ``named`` the share
    of the question's words that the passage holds, ``letters`` the cosines of letter groups.
    """
    ahead = np.minimum(_lead(scores), _FAR_AHEAD)
    spelt = np.minimum(letters, _MOST_LETTERS)
    return (_MEANING * meaning + _NAMED * named + _LETTERS * spelt + _AHEAD * ahead + _OFFSET).astype(np.float32)


def _lead(scores: npt.NDArray[np.floating]) -> Floats:
    """Return how far each score is above the best of the others; 0 where it is not, or is the only one."""
    if scores.size < 2:
        return np.zeros(scores.size, dtype=np.float32)
    *_, second, first = np.sort(scores).tolist()
    best_of_others = [second if score == first else first for score in scores.tolist()]
    return np.maximum(scores - np.array(best_of_others), 0).astype(np.float32)
