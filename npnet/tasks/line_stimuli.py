"""Line-and-angle stimuli: how one is drawn at its address.

The first stream of random numbers draws the label and the segments, the second one the paint: polarity, background and
levels. Polarity is a single fair bit, and nothing but the segments knows the label.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import compiled
from npnet.tasks.addresses import fill_bits, next_bits, seed_from, uniform
from npnet.tasks.appearance import CALIBRATED, Appearance
from npnet.tasks.backgrounds import PATTERNS, fill_background
from npnet.tasks.family import FIGURE, PAINT, Family, draw_label, kept_on_disk
from npnet.tasks.figures import draw_segments, segment
from npnet.tasks.raster import compose, cover
from npnet.tasks.rules import DISTRACTOR_LENGTHS, MOST_SEGMENTS, SIDE, TASKS, Rule
from npnet.tasks.truth import TRUTH, record_figure

__all__ = ["LINES"]

_ONE = np.uint64(1)


def _rule_numbers(rule: Rule) -> tuple[Any, ...]:
    """A rule as the compiled code takes it: a tuple of numbers for each figure, the lengths, the distractors."""
    figures = tuple(
        (figure.kind, float(figure.least), float(figure.most), float(figure.smallest))
        for figure in (rule.class_0, rule.class_1)
    )
    return figures, (float(rule.lengths[0]), float(rule.lengths[1])), rule.distractors


def _look_numbers(look: Appearance) -> tuple[float, ...]:
    """An appearance as the compiled code takes it: eight floats, so that every appearance runs the same code."""
    numbers = (look.width, look.gap, *look.ground, *look.contrast, look.amplitude, look.noise)
    return tuple(float(number) for number in numbers)


@compiled()
def _draw_all(
    key: np.uint64,
    seed: np.uint64,
    indices: NDArray[np.uint64],
    rule: Any,
    look: Any,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    truth: NDArray[np.void],
) -> None:
    """Fill images (n, 1024), labels and truth of the addresses (key, seed, indices)."""
    figures, (shortest, longest), distractors = rule
    width, gap, ground_low, ground_high, contrast_low, contrast_high, amplitude, noise = look
    rng = np.empty(1, np.uint64)
    segments, lengths = np.empty((MOST_SEGMENTS, 4)), np.empty(MOST_SEGMENTS)
    bits, rows = np.empty(SIDE * SIDE // 8, np.uint64), np.empty((SIDE, SIDE), np.float32)
    pattern, coverage = np.empty((SIDE, SIDE), np.float32), np.empty((SIDE, SIDE), np.float32)
    for i in range(len(labels)):
        seed_from(rng, key, seed, indices[i], FIGURE)
        label = draw_label(rng, 2)
        lengths[0], lengths[1] = uniform(rng, shortest, longest), uniform(rng, shortest, longest)
        for each in range(2, 2 + distractors):
            lengths[each] = uniform(rng, DISTRACTOR_LENGTHS[0], DISTRACTOR_LENGTHS[1])
        count = draw_segments(rng, segments, lengths, figures[label], distractors, width, gap)

        seed_from(rng, key, seed, indices[i], PAINT)
        choice = next_bits(rng)
        white, background = int(choice & _ONE), int((choice >> _ONE) % np.uint64(len(PATTERNS)))
        ground, contrast = uniform(rng, ground_low, ground_high), uniform(rng, contrast_low, contrast_high)
        stroke = ground + contrast
        fill_background(rng, background, bits, rows, pattern)
        fill_bits(rng, bits)
        coverage[:] = 0.0
        for row in range(count):
            cover(coverage, segment(segments, row), width)
        levels = (ground, amplitude, noise, stroke)
        compose(images[i], pattern.reshape(-1), bits.view(np.uint8), coverage.reshape(-1), levels, white == 0)

        labels[i] = label
        record = truth[i]
        record_figure(segments, count, figures[label][0], record)
        record["index"], record["distractors"] = indices[i], distractors
        record["polarity"], record["background"], record["contrast"] = white, background, contrast
        record["ground"], record["stroke"] = (ground, stroke) if white else (1.0 - ground, 1.0 - stroke)


LINES = Family(
    tasks=TASKS,
    side=SIDE,
    truth=TRUTH,
    appearance=CALIBRATED,
    classes=lambda rule: 2,
    numbers=lambda rule, look: (_rule_numbers(rule), _look_numbers(look)),
    fill=kept_on_disk(_draw_all),
)
"""The line-and-angle tasks."""
