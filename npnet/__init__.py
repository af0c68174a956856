"""npnet: multi-layer perceptrons written by hand, to read and to measure how they learn, transfer and forget."""
