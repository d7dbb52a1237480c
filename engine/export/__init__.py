"""What was trained, for other programs: ONNX to run it, CSV to look at its layers; and the experiment to train again.

A notebook does that with Kasane's own engine, a script with PyTorch.
"""

from engine.export.notebook import to_notebook
from engine.export.onnx import to_onnx
from engine.export.pytorch import to_pytorch
from engine.export.table import to_csv

__all__ = ["to_csv", "to_notebook", "to_onnx", "to_pytorch"]
