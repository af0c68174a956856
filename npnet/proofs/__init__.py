"""Proofs that npnet's own gradients are right: a catalogue of checked cases, and errors planted to test the checks.

`python -m npnet.proofs` checks every case and prints a table. `npnet.check` is the checker itself, for any function. It
knows nothing of this package.
"""
