"""Adapters: how each framework computes an example of the conformance set, with nothing but its own functions."""
