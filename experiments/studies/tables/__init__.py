"""The eight tables of the Gradual Tuning paper: how much of a first task is forgotten while a second is learned."""
