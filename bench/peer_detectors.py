"""What others make of a gauge: a score for each reading, high where it is unusually high.

The fixed z-score is the reading against mean and deviation of the last day. The rest is river's, each as its
documentation has it, with parameters that suit readings a minute apart: GaussianScorer over a week, HalfSpaceTrees over
the value and the hour of the day, PredictiveAnomalyDetection with HoltWinters and a season of a day, and the drift
detectors PageHinkley and ADWIN at several sensitivities, on readings in deviations from their mean. What scores both
directions counts only where the reading is above the mean, since only increases are put in.
"""

import importlib
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from bench.host_series import DAY, WEEK, Values

PAGE_HINKLEY = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
ADWIN = (1e-2, 1e-4, 1e-8, 1e-16, 1e-32, 1e-64)


def _river(name: str) -> Any:
    """A module of river, which is there only where the extra `bench` is installed."""
    return importlib.import_module(f"river.{name}")


def fixed_zscore(values: Values) -> Values:
    """Against the day before."""
    total, squares = np.cumsum(np.r_[0.0, values]), np.cumsum(np.r_[0.0, values * values])
    score = np.zeros(len(values))
    now = np.arange(DAY, len(values))
    mean = (total[now] - total[now - DAY]) / DAY
    deviation = np.sqrt(np.maximum((squares[now] - squares[now - DAY]) / DAY - mean * mean, 0))
    score[now] = (values[now] - mean) / np.maximum(deviation, 1e-9 + 1e-6 * np.abs(mean))
    return score


def gaussian_scorer(values: Values) -> Values:
    """The share of a normal that is nearer, as minus the logarithm of the rest, so that 0.9999 and 0.99999 differ."""
    scorer, found = _river("anomaly").GaussianScorer(window_size=WEEK, grace_period=DAY), []
    for value in values.tolist():
        score = scorer.score_one(None, value)
        above = value > scorer.gaussian.mu
        found.append(-math.log10(max(1 - score, 1e-17)) if above else 0.0)
        scorer.learn_one(None, value)
    return np.array(found)


def half_space_trees(values: Values) -> Values:
    """Mass of trees over the value (from 0 to 1 by the first two weeks) and the hour of the day."""
    low, high = float(values[: 2 * WEEK].min()), float(values[: 2 * WEEK].max())
    scaled = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    middle = float(np.median(scaled[: 2 * WEEK]))
    trees, found = _river("anomaly").HalfSpaceTrees(n_trees=25, height=8, window_size=DAY, seed=1), []
    for minute, value in enumerate(scaled.tolist()):
        features = {"value": value, "hour": minute % DAY / DAY}
        found.append(trees.score_one(features) if value > middle else 0.0)
        trees.learn_one(features)
    return np.array(found)


def holt_winters(values: Values) -> Values:
    """The squared error of a forecast with a season of a day, as a share of its usual size."""
    model = _river("time_series").HoltWinters(alpha=0.01, beta=0.0001, gamma=0.2, seasonality=DAY)
    detector = _river("anomaly").PredictiveAnomalyDetection(model, horizon=1, n_std=100.0, warmup_period=2 * DAY)
    found = []
    for number, value in enumerate(values.tolist()):
        ready = number > DAY + 1
        score = detector.score_one({}, value) if ready else 0.0
        found.append(score if ready and value > model.forecast(1)[0] else 0.0)
        detector.learn_one({}, value)
    return np.array(found)


def _drift(values: Values, make: Callable[[], Any]) -> Values:
    """1 where a drift detector says that the mean of the readings, in deviations, has gone up; 0 elsewhere."""
    learned = values[:WEEK]
    scaled = (values - float(learned.mean())) / max(float(learned.std()), 1e-9)
    detector, found, slow = make(), np.zeros(len(values)), 0.0
    for number, value in enumerate(scaled.tolist()):
        slow += (value - slow) / DAY
        detector.update(value)
        if detector.drift_detected and value > slow:
            found[number] = 1.0
    return found


def page_hinkley(values: Values) -> Values:
    """The highest threshold at which it spoke."""
    detector = _river("drift").PageHinkley
    score = np.zeros(len(values))
    for limit in PAGE_HINKLEY:
        spoke = _drift(values, partial(detector, threshold=limit, mode="up", delta=0.05))
        score = np.maximum(score, spoke * limit)
    return score


def adwin(values: Values) -> Values:
    """Minus the logarithm of the smallest delta at which it spoke."""
    detector = _river("drift").ADWIN
    score = np.zeros(len(values))
    for delta in ADWIN:
        spoke = _drift(values, partial(detector, delta=delta))
        score = np.maximum(score, spoke * -math.log10(delta))
    return score


RIVER: Mapping[str, Callable[[Values], Values]] = {
    "river GaussianScorer": gaussian_scorer,
    "river HalfSpaceTrees": half_space_trees,
    "river Predictive (HoltWinters)": holt_winters,
    "river PageHinkley": page_hinkley,
    "river ADWIN": adwin,
}
SUDDEN = {"river PageHinkley", "river ADWIN"}
"""Those that speak at one reading and are silent at the next: no alarm of theirs has to hold."""
