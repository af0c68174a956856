"""The cases of each package, one file each. A file is imported only where its package is installed."""
