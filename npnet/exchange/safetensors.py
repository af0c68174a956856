"""Networks in safetensors files: one tensor for each array, under its place in the network, and the rest as metadata.

    trunk.0.W   trunk.0.b   …   heads.digits.W   heads.digits.b

Any program that reads safetensors gets the arrays by these names. The metadata has the network's other fields as JSON,
with "tensor:NAME" in the place of each array.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import to_host
from npnet.layers import Layer
from npnet.network import Network
from npnet.trees import Tree, leaves, write_atomically

__all__ = ["load_safetensors", "save_safetensors"]

_KEY, _TENSOR = "npnet", "tensor:"


@checked
def save_safetensors(network: Network, path: str | Path) -> None:
    """Save a network as a safetensors file, atomically. Raises ValueError for functions without a name."""
    from safetensors.numpy import save

    tree = to_host(network.tree())
    arrays = {place.replace("/", "."): leaf for place, leaf in leaves(tree) if isinstance(leaf, np.ndarray)}
    # C-contiguous: of others safetensors 0.8 writes the memory as it lies, in another order than the shape says.
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomically(path, save(tensors, {_KEY: json.dumps(_without_arrays(tree, ""))}))


def _without_arrays(tree: Tree, place: str) -> Tree:
    """Return a tree with the name of its tensor in the place of each array."""
    if isinstance(tree, dict):
        return {key: _without_arrays(branch, f"{place}.{key}") for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return [_without_arrays(branch, f"{place}.{i}") for i, branch in enumerate(tree)]
    return _TENSOR + place[1:] if isinstance(tree, np.ndarray) else tree


@checked
def load_safetensors(path: str | Path, layers: dict[str, Layer] | None = None) -> Network:
    """Load what `save_safetensors` wrote; layers: functions of your own by the names under which they were saved.

    Raises ValueError for a file that is damaged or has weights of another program, naming its tensors.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            names, metadata = list(file.keys()), file.metadata() or {}
            if _KEY not in metadata:
                raise ValueError(
                    f"{path} has no network of npnet, but the tensors {', '.join(names[:6])}; expected what "
                    "save_safetensors wrote: for PyTorch's linear layers from_torch(safetensors.numpy.load_file(path))"
                )
            tree = _with_arrays(json.loads(metadata[_KEY]), file)
    except (SafetensorError, json.JSONDecodeError) as error:
        expected = "expected what save_safetensors wrote"
        raise ValueError(f"{path} is not a whole safetensors file ({error}); {expected}") from error
    return Network.from_tree(tree, layers)


def _with_arrays(tree: Tree, file: Any) -> Tree:
    if isinstance(tree, dict):
        return {key: _with_arrays(branch, file) for key, branch in tree.items()}
    if isinstance(tree, list):
        return [_with_arrays(branch, file) for branch in tree]
    if isinstance(tree, str) and tree.startswith(_TENSOR):
        return np.array(file.get_tensor(tree.removeprefix(_TENSOR)))
    return tree
