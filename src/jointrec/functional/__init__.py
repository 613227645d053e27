"""Maths without memory: losses, answers, funnels, metrics and intervals as pure functions.

One shape rule for all of them: **rows first**. What the network gives is ``[rows]`` or
``[rows size]``, what was seen is ``[rows]``, and nothing is kept between two calls.

- *Losses* (torch) are never reduced: one number per row, in nats, so that the caller can leave
  rows out, weigh them, and take the mean at the end. They are given known labels only.
- *Metrics* (numpy, float64) give one ``float``: ``metric(labels, answers, *, weights, groups)``.
  A row whose label is nan (unknown) or whose weight is zero is as if it were not there; weights of
  one are the same as no weights, and a weight of two is the same as the row standing there twice.
  What is not defined (one class only, nothing known, an answer that is nan) is nan, never a
  made-up number.
- *Intervals* are metrics of resampled clusters of rows, made with those weights.
"""

from . import answers, bands, funnel, intervals, losses, metrics

__all__ = ["answers", "bands", "funnel", "intervals", "losses", "metrics"]
