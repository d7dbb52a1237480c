"""The network: layers, losses and the vector that holds every parameter."""

import numpy as np

from engine.nn.activations import ELU, GELU, Activation, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from engine.nn.conv import Conv2d
from engine.nn.dropout import Dropout
from engine.nn.layer import Flatten, Layer, ToPlanes, Workspace
from engine.nn.linear import Linear
from engine.nn.losses import Loss, SoftmaxCrossEntropy, SumSquaredError
from engine.nn.normalization import BatchNorm, BatchNorm2d, LayerNorm, LayerNorm2d
from engine.nn.parallel import DataParallel, in_turn
from engine.nn.parameter import Parameter
from engine.nn.pooling import AvgPool2d, GlobalAvgPool, MaxPool2d
from engine.nn.sequential import Sequential

# What NumPy broadcasts or converts it copies into buffers, piece by piece. Pieces of 8,192 numbers, its default, fill
# the nearest cache: a row added to each of 128 takes 13 µs with them and 9 with these. Of the thread that imports this.
np.setbufsize(2048)

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "AvgPool2d",
    "BatchNorm",
    "BatchNorm2d",
    "Conv2d",
    "DataParallel",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "Identity",
    "Layer",
    "LayerNorm",
    "LayerNorm2d",
    "LeakyReLU",
    "Linear",
    "Loss",
    "MaxPool2d",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Softplus",
    "SumSquaredError",
    "Tanh",
    "ToPlanes",
    "Workspace",
    "in_turn",
]
