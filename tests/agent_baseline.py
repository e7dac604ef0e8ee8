"""TF-IDF and logistic regression on the same examples, for comparison: ``python -m tests.agent_baseline``.

Prints JSON: by set the share of right intents, CPU of training and of one decision, and the memory of the process.
scikit-learn is in the dependency group ``agent-report``.
"""

from __future__ import annotations

import json
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer  # pyright: ignore[reportMissingImports]
from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingImports]
from sklearn.pipeline import make_pipeline, make_union  # pyright: ignore[reportMissingImports]

from smarteros.agents.evaluation.asking import resident_mb
from smarteros.agents.normalise import normalise
from tests.agent_sets import SETS, labelled, training_pairs


def main() -> None:
    pairs = training_pairs()
    texts, intents = [normalise(text) for text, _ in pairs], [intent for _, intent in pairs]
    began = time.process_time()
    model = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        ),
        LogisticRegression(C=10, max_iter=1000),
    ).fit(texts, intents)
    trained = time.process_time() - began
    accuracy: dict[str, float] = {}
    times: list[float] = []
    for name in SETS:
        right = 0
        lines = labelled(name)
        for line in lines:
            began = time.process_time()
            right += model.predict([normalise(line.text)])[0] == line.intent
            times.append((time.process_time() - began) * 1000)
        accuracy[name] = right / len(lines)
    times.sort()
    json.dump(
        {
            "accuracy": accuracy,
            "training_s": round(trained, 2),
            "ms_p50": round(times[len(times) // 2], 2),
            "ms_p95": round(times[int(0.95 * len(times))], 2),
            "rss_mb": resident_mb(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
