"""The network: layers, losses and the vector that holds every parameter."""

from engine.nn.activations import ELU, GELU, Activation, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from engine.nn.dropout import Dropout
from engine.nn.layer import Flatten, Layer
from engine.nn.linear import Linear
from engine.nn.losses import Loss, SoftmaxCrossEntropy, SumSquaredError
from engine.nn.normalization import BatchNorm, LayerNorm
from engine.nn.parameter import Parameter
from engine.nn.sequential import Sequential

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "BatchNorm",
    "Dropout",
    "Flatten",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Loss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Softplus",
    "SumSquaredError",
    "Tanh",
]
