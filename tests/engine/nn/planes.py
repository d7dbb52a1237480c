"""PyTorch as the oracle of layers that pass pictures on: Kasane's planes (H, C, W, N) are its (N, C, H, W)."""

from __future__ import annotations

import numpy as np
import torch

from engine import nn

torch.set_num_threads(1)


def _conv(layer: nn.Conv2d) -> torch.nn.Conv2d:
    return torch.nn.Conv2d(
        layer.weight.data.shape[2],
        layer.filters,
        layer.kernel,
        layer.stride,
        layer.padding,
        bias=layer.bias is not None,
    )


TWINS = {
    nn.Conv2d: _conv,
    nn.MaxPool2d: lambda layer: torch.nn.MaxPool2d(layer.window, layer.stride),
    nn.AvgPool2d: lambda layer: torch.nn.AvgPool2d(layer.window, layer.stride),
    nn.GlobalAvgPool: lambda layer: torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()),
    nn.BatchNorm2d: lambda layer: torch.nn.BatchNorm2d(len(layer.bias.data), eps=layer.eps, momentum=layer.momentum),
    nn.LayerNorm2d: lambda layer: torch.nn.GroupNorm(1, len(layer.bias.data), eps=layer.eps),
}


def twin(layer: nn.Layer) -> torch.nn.Module:
    """Return the PyTorch module that a built layer should equal, with the same parameters."""
    module = TWINS[type(layer)](layer).to(getattr(torch, layer.dtype.name))
    with torch.no_grad():
        for name, parameter in layer.parameters().items():
            getattr(module, name).copy_(torch.from_numpy(turned(parameter.data)))
    return module


def turned(weight: np.ndarray) -> np.ndarray:
    """Return (k, k, C, F) as PyTorch's (F, C, k, k); what is no kernel stays as it is."""
    return weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight


def turned_back(weight: np.ndarray) -> np.ndarray:
    """Invert `turned`."""
    return weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight


def to_torch(planes: np.ndarray) -> torch.Tensor:
    """Return planes (H, C, W, N) as a new tensor (N, C, H, W); what is no picture, (N, D), stays as it is."""
    return torch.tensor(planes.transpose(3, 1, 0, 2) if planes.ndim == 4 else planes)


def from_torch(tensor: torch.Tensor) -> np.ndarray:
    """Invert `to_torch`."""
    array = tensor.detach().numpy()
    return array.transpose(2, 1, 3, 0) if array.ndim == 4 else array


def passes(module: torch.nn.Module, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return what a twin makes of planes and of an output's gradient: y, ∂L/∂x and the parameters' gradients."""
    tx = to_torch(x).requires_grad_()
    ty = module(tx)
    ty.backward(to_torch(dy))
    return from_torch(ty), from_torch(tx.grad), [turned_back(p.grad.numpy()) for p in module.parameters()]
