"""How far the layers of one task serve another: every number of held layers, every pair of tasks, both directions."""
