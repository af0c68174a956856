"""The study of other packages' gradients: `python -m experiments checked-in-the-wild`."""
