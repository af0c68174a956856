"""Many runs that train as one: the stack of their networks, and the move over its rows."""

from npnet.populations.population import move, train_population

__all__ = ["move", "train_population"]
