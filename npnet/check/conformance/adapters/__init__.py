"""Adapters of other frameworks: each computes an example of the conformance set with the framework's own functions.

An adapter is a function `evaluate(example) -> (value, gradients)`, held to the set by

    python -m npnet.check.conformance --against your_module:evaluate

- example.inputs is a dict of NumPy arrays in float64: "X", and the parameters as "<layer>/<name>", "0/W" for one.
- value is a number. gradients is a dict with the keys of the inputs, of arrays of the inputs' shapes, in float64.
- What the framework cannot do raises NotImplementedError. That case is then counted as not supported.

The rest is said in two places. `formulas` lists the functions that an adapter hands to `value_of`, which puts an
example together from them; a function that is left out is not supported. `template` is a whole adapter to begin with:

    python -m npnet.check.conformance --template > your_module.py
"""
