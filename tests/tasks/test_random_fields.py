"""The random generator against published outputs, and the backgrounds against numpy's own interpolation."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.tasks.addresses import fill_bits, name_key, next_bits, seed_from, uniform
from npnet.tasks.backgrounds import PATTERNS, fill_background, symmetric

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


@pytest.mark.parametrize("number", [5, 6, 7])
@pytest.mark.parametrize("pattern", range(4))
def test_a_background_is_its_lattice_stretched_over_the_image(pattern, number):
    """out = A c Aᵀ, with the lattice c read from the random bits of the generator."""
    n = PATTERNS[pattern]
    rng, copy, bits, out = state(number), state(number), np.empty(128, np.uint64), np.full((32, 32), np.nan, np.float32)
    fill_background(rng, pattern, bits, np.full((32, 32), np.nan, np.float32), out)
    draws = np.array([next_bits(copy) for _ in range(-(-n * n // 8))], np.uint64)
    assert rng[0] == copy[0]  # it takes no more of the stream than that
    lattice = draws.view(np.uint8)[: n * n].reshape(n, n) / 127.5 - 1  # (n, n), −1 … 1
    A = np.maximum(0, 1 - abs(np.arange(32)[:, None] * (n - 1) / 31 - np.arange(n)))  # (32, n)
    assert np.allclose(A.sum(axis=1), 1)
    assert np.abs(out - A @ lattice @ A.T).max() < 2e-6
    corners = out[:: len(out) - 1, :: len(out) - 1]
    assert np.allclose(corners, lattice[:: n - 1, :: n - 1], atol=1e-6)


def test_the_four_patterns():
    assert PATTERNS == (32, 9, 4, 2)


def test_a_byte_spans_minus_one_to_one():
    numbers = np.array([symmetric(np.uint8(byte)) for byte in range(256)])
    assert np.allclose(numbers, np.linspace(-1, 1, 256), atol=1e-6)
