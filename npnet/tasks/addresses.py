"""Random numbers that start from an address, so that image i of a task is the same bits whoever draws it, and when.

The generator is SplitMix64: a counter that grows by an odd constant γ, and a mixing function m that spreads each
value of the counter over 64 bits,

    s ← s + γ (mod 2⁶⁴),    output m(s).

Its whole state is one number, and an address (a task's key, a seed, an image's index, a stream) hashes to that number
with the same m: no state travels from one image to the next. The state is held in an array of one uint64 that every
function takes as `rng`. (Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014;
m is the variant 13 of Stafford's mixers that their reference code uses.)
"""

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import compiled

__all__ = ["fill_bits", "name_key", "next_bits", "seed_from", "uniform"]

# Every constant is an unsigned 64-bit scalar: numba turns uint64 with int64 into a float.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
_S11 = np.uint64(11)


def name_key(name: str) -> np.uint64:
    """A task's part of the address: the 64-bit FNV-1a hash of its name, so that a new task moves no other's images."""
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = ((key ^ byte) * 0x100000001B3) % 2**64
    return np.uint64(key)


@compiled()
def _mix(z: np.uint64) -> np.uint64:
    """The mixing function m, a bijection of the 64-bit numbers: different counters never give the same output."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@compiled()
def seed_from(rng: NDArray[np.uint64], key: np.uint64, seed: np.uint64, index: np.uint64, stream: np.uint64) -> None:
    """Set `rng` to the start of the address (key, seed, index, stream); m after every part keeps the parts apart."""
    state = _mix(_mix(key + _GAMMA) ^ seed)
    state = _mix((state ^ stream) + _GAMMA)
    rng[0] = _mix((state ^ index) + _GAMMA)


@compiled()
def next_bits(rng: NDArray[np.uint64]) -> np.uint64:
    """The next 64 random bits."""
    rng[0] += _GAMMA
    return _mix(rng[0])


@compiled()
def uniform(rng: NDArray[np.uint64], low: float, high: float) -> float:
    """The next number uniform in [low, high): the 53 highest bits, as many as a double holds."""
    return low + (high - low) * (np.float64(next_bits(rng) >> _S11) * 2.0**-53)


def _fill_bits(rng: NDArray[np.uint64], out: NDArray[np.uint64]) -> None:
    """`fill_bits` as array statements."""
    state = rng[0]
    out[:] = _mix(state + _GAMMA * np.arange(1, len(out) + 1, dtype=np.uint64))
    rng[0] = state + _GAMMA * np.uint64(len(out))


@compiled(plain=_fill_bits)
def fill_bits(rng: NDArray[np.uint64], out: NDArray[np.uint64]) -> None:
    """Fill `out` (n,) with the next n outputs, as n calls of next_bits would.

    Written as m(s + kγ), no number waits for the one before it and the loop runs in vector instructions: five times
    as fast as the calls.
    """
    state = rng[0]
    for k in range(out.shape[0]):
        out[k] = _mix(state + _GAMMA * np.uint64(k + 1))
    rng[0] = state + _GAMMA * np.uint64(out.shape[0])
