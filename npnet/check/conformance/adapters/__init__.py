"""Adapters of other frameworks: each computes an example of the conformance set with the framework's own functions."""
