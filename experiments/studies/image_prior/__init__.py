"""An untrained generator as a prior of images: it restores a corrupted stimulus before it fits the noise."""
