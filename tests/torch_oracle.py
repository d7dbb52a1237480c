"""PyTorch as the oracle: the twin of a layer or network, its gradients, and its optimizers, in Kasane's terms.

PyTorch keeps a linear layer's weight as (outputs, inputs); everything here is handed out as Kasane keeps it.
"""

from __future__ import annotations

import numpy as np
import torch

from engine import nn

torch.set_num_threads(1)


class SameMask(torch.nn.Module):
    """Dropout by the mask that a Kasane layer used last."""

    def __init__(self, layer: nn.Dropout) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x):
        if not self.training or self.layer._mask is None:
            return x
        return x * torch.from_numpy(self.layer._mask.copy())


def _linear(layer: nn.Linear) -> torch.nn.Linear:
    return torch.nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)


TWINS = {
    nn.Linear: _linear,
    nn.BatchNorm: lambda layer: torch.nn.BatchNorm1d(len(layer.bias.data), eps=layer.eps, momentum=layer.momentum),
    nn.LayerNorm: lambda layer: torch.nn.LayerNorm(len(layer.bias.data), eps=layer.eps),
    nn.Dropout: SameMask,
    nn.Flatten: lambda layer: torch.nn.Flatten(),
    nn.Sigmoid: lambda layer: torch.nn.Sigmoid(),
    nn.Tanh: lambda layer: torch.nn.Tanh(),
    nn.ReLU: lambda layer: torch.nn.ReLU(),
    nn.LeakyReLU: lambda layer: torch.nn.LeakyReLU(layer.negative_slope),
    nn.ELU: lambda layer: torch.nn.ELU(),
    nn.GELU: lambda layer: torch.nn.GELU(approximate="tanh"),
    nn.SiLU: lambda layer: torch.nn.SiLU(),
    nn.Softplus: lambda layer: torch.nn.Softplus(),
    nn.Identity: lambda layer: torch.nn.Identity(),
}


def twin(layer: nn.Layer) -> torch.nn.Module:
    """Return the PyTorch module that a built layer or network should equal, with the same parameters."""
    if isinstance(layer, nn.Sequential):
        return torch.nn.Sequential(*(twin(part) for part in layer.layers))
    module = TWINS[type(layer)](layer)
    with torch.no_grad():
        for name, parameter in layer.parameters().items():
            getattr(module, name).copy_(_turned(torch.from_numpy(parameter.data)))
    return module


def _turned(array):
    return array.T if array.ndim == 2 else array


def arrays(module: torch.nn.Module, *, gradients: bool = False) -> list[np.ndarray]:
    """Return a module's parameters, or their gradients, in the order of `layer.parameters()`."""
    wanted = [parameter.grad if gradients else parameter.detach() for parameter in module.parameters()]
    return [_turned(array).numpy() for array in wanted]


def groups(module: torch.nn.Module, weight_decay: float) -> list[dict]:
    """Return parameter groups in which only the weights of linear layers decay."""
    weights = [p for p in module.parameters() if p.ndim == 2]
    others = [p for p in module.parameters() if p.ndim < 2]
    return [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


# The optimizers by Kasane's names: what each of its settings is called in PyTorch.
OPTIMIZERS = {
    "sgd": lambda p, lr, **s: torch.optim.SGD(p, lr=lr),
    "momentum": lambda p, lr, momentum=0.9: torch.optim.SGD(p, lr=lr, momentum=momentum),
    "nesterov": lambda p, lr, momentum=0.9: torch.optim.SGD(p, lr=lr, momentum=momentum, nesterov=True),
    "adagrad": lambda p, lr, initial_accumulator=0.0, eps=1e-8: torch.optim.Adagrad(
        p, lr=lr, initial_accumulator_value=initial_accumulator, eps=eps
    ),
    "rmsprop": lambda p, lr, alpha=0.99, eps=1e-8: torch.optim.RMSprop(p, lr=lr, alpha=alpha, eps=eps),
    "adam": lambda p, lr, beta1=0.9, beta2=0.999, eps=1e-8: torch.optim.Adam(p, lr=lr, betas=(beta1, beta2), eps=eps),
    "adamw": lambda p, lr, beta1=0.9, beta2=0.999, eps=1e-8: torch.optim.AdamW(p, lr=lr, betas=(beta1, beta2), eps=eps),
}
