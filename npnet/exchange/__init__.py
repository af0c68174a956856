"""Weights in and out: networks from and to PyTorch, Keras, scikit-learn, ONNX and safetensors.

Reading order: steps, pytorch, keras, sklearn, onnx, safetensors. Each function imports the library that it needs; the
extra `exchange` installs those of files. Arrays are copied, so that training here changes nothing there.
"""

from npnet.exchange.keras import from_keras
from npnet.exchange.onnx import to_onnx
from npnet.exchange.pytorch import from_torch, to_torch
from npnet.exchange.safetensors import load_safetensors, save_safetensors
from npnet.exchange.sklearn import from_sklearn

__all__ = [
    "from_keras",
    "from_sklearn",
    "from_torch",
    "load_safetensors",
    "save_safetensors",
    "to_onnx",
    "to_torch",
]
