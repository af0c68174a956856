"""The random generator against published outputs, and the backgrounds against numpy's own interpolation."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.tasks.addresses import fill_bits, name_key, next_bits, seed_from, uniform
from npnet.tasks.backgrounds import PATTERNS, fill_background

words = st.integers(0, 2**64 - 1)


def state(number):
    return np.array([number], np.uint64)


def test_the_generator_is_splitmix64():
    """The outputs from the state 1234567 that other implementations publish."""
    rng = state(1234567)
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [int(next_bits(rng)) for _ in published] == published


@given(words, st.integers(0, 40))
def test_many_draws_at_once_are_the_single_draws(number, n):
    one, many, out = state(number), state(number), np.empty(n, np.uint64)
    fill_bits(many, out)
    assert out.tolist() == [int(next_bits(one)) for _ in range(n)]
    assert one[0] == many[0]


@given(words, st.floats(-100, 100), st.floats(0.001, 100))
def test_uniform_numbers_stay_in_their_range(number, low, width):
    assert low <= uniform(state(number), low, low + width) <= low + width


def test_uniform_numbers_are_uniform():
    rng = state(0)
    counts = np.bincount([int(uniform(rng, 0.0, 16.0)) for _ in range(16_000)])
    assert len(counts) == 16
    assert np.sum((counts - 1000) ** 2 / 1000) < 15 + 6 * np.sqrt(30)  # chi-square, 15 degrees of freedom


def test_every_part_of_an_address_matters():
    parts = (map(name_key, ("ac", "acl")), (0, 1), (0, 1), (0, 1))
    addresses = list(itertools.product(*parts))
    starts = set()
    for address in addresses:
        rng = state(0)
        seed_from(rng, *map(np.uint64, address))
        starts.add(int(rng[0]))
    assert len(starts) == len(addresses)


@pytest.mark.parametrize("pattern", range(4))
def test_a_background_is_its_lattice_stretched_over_the_image(pattern):
    n = PATTERNS[pattern]
    bits, out = np.empty(128, np.uint64), np.empty((32, 32), np.float32)
    fill_background(state(5), pattern, bits, np.empty((32, 32), np.float32), out)
    lattice = bits.view(np.uint8)[: n * n].reshape(n, n) / 127.5 - 1  # (n, n)
    nodes, pixels = np.linspace(0, 31, n), np.arange(32)
    wide = np.array([np.interp(pixels, nodes, row) for row in lattice])  # (n, 32)
    expected = np.array([np.interp(pixels, nodes, column) for column in wide.T]).T  # (32, 32)
    assert np.abs(out - expected).max() < 1e-6
    assert lattice.min() < -0.1
    assert lattice.max() > 0.1
