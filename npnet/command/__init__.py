"""Training and transfer from the command line, on tables of values apart by commas, and the same as two functions.

    python -m npnet train flowers.csv --target species --hidden 200,200
    python -m npnet transfer flowers.npz trees.csv --target species --method gradual --keep-old flowers.csv

Reading order: tables (what is remembered of a table), work (the two functions), main (the command line).
"""

from npnet.command.main import main
from npnet.command.work import Outcome, train_table, transfer_table

__all__ = ["Outcome", "main", "train_table", "transfer_table"]
