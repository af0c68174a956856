"""What the open choices of the Gradual Tuning paper's protocol do to its table 1."""
