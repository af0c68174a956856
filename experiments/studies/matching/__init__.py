"""Matching a teacher: outputs, hidden layers, attention maps, Jacobians, and several of them, from few examples."""
