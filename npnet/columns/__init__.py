"""Networks next to frozen networks: side inputs from frozen columns, and the methods that add, grow and join columns.

Reading order: laterals, network, column; progressive, modular, growing, merging.
"""

from npnet.activations import LAYERS
from npnet.columns.growing import growing
from npnet.columns.laterals import joined
from npnet.columns.merging import merged
from npnet.columns.modular import modular
from npnet.columns.network import ColumnNetwork
from npnet.columns.progressive import progressive

__all__ = ["ColumnNetwork", "growing", "joined", "merged", "modular", "progressive"]

LAYERS["joined"] = joined  # so that files of grown networks are read without naming it
