"""Many runs that train as one: the stack of their networks, and the move over its rows."""

from npnet.populations.device import move
from npnet.populations.population import train_population

__all__ = ["move", "train_population"]
