"""The derivative: the slope of a chord while its ends close in, and where rounding takes over.

    forward   f′(x) ≈ (f(x + h) − f(x)) / h           wrong by ½ h |f″|,   and by rounding up to about 2 ε |f| / h
    central   f′(x) ≈ (f(x + h) − f(x − h)) / 2h      wrong by ⅙ h² |f‴|,  and by rounding up to about ε |f| / h

A smaller h lessens the one error and enlarges the other: the best h is near √ε forwards and near ∛ε both ways, where ε
is the distance from 1 to the next number (2⁻⁵² in float64, 2⁻²³ in float32).

Source:『ゼロから作る Deep Learning』4.3; Press et al., Numerical Recipes (3rd ed.), 5.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engine import build

Function = Callable[[np.ndarray], np.ndarray]

KINDS = ("forward", "central")


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of one number, to be looked at from `low` to `high`.

    formula: in LaTeX. value, slope: f and f′, elementwise, in the precision of what they are given; f′ is NaN at a
    kink. second, third: f″ and f‴, elsewhere. points: where its slope is worth a look; the first is where one starts.
    """

    formula: str
    value: Function
    slope: Function
    second: Callable[[float], float]
    third: Callable[[float], float]
    low: float
    high: float
    points: tuple[float, ...]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _sigmoid_slope(x: np.ndarray) -> np.ndarray:
    return _sigmoid(x) * (1 - _sigmoid(x))


def _zero(x: float) -> float:
    return 0.0


CURVES: Mapping[str, Curve] = MappingProxyType(
    {
        "book": Curve(
            r"0.01x^2 + 0.1x", lambda x: 0.01 * x**2 + 0.1 * x, lambda x: 0.02 * x + 0.1, lambda x: 0.02, _zero,
            0.0, 20.0, (5.0, 10.0),
        ),
        "square": Curve("x^2", lambda x: x * x, lambda x: 2 * x, lambda x: 2.0, _zero, -3.0, 3.0, (1.0, -2.0)),
        "cube": Curve(
            "x^3", lambda x: x * x * x, lambda x: 3 * x * x, lambda x: 6 * x, lambda x: 6.0, -2.0, 2.0, (1.0, 0.0)
        ),
        "sin": Curve(
            r"\sin x", np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), -6.0, 6.0, (1.0, -3.0)
        ),
        "exp": Curve("e^x", np.exp, np.exp, np.exp, np.exp, -3.0, 3.0, (1.0, -1.0)),
        "sigmoid": Curve(
            r"1 / (1 + e^{-x})", _sigmoid, _sigmoid_slope, lambda x: _sigmoid_slope(x) * (1 - 2 * _sigmoid(x)),
            lambda x: _sigmoid_slope(x) * (1 - 6 * _sigmoid_slope(x)), -6.0, 6.0, (1.0, 4.0),
        ),
        "abs": Curve(
            "|x|", np.abs, lambda x: np.where(x == 0, np.nan, np.sign(x)), _zero, _zero, -3.0, 3.0, (1.0, -1.0)
        ),
        "log": Curve(
            r"\ln x", np.log, lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, 0.1, 6.0, (1.0, 4.0)
        ),
    }
)  # fmt: skip


def difference(f: Function, x: np.ndarray, h: np.ndarray, kind: str = "central") -> np.ndarray:
    """Return the slope of the chord over h, "forward" or "central", elementwise and in the precision of x and h."""
    if kind == "forward":
        return (f(x + h) - f(x)) / h
    return (f(x + h) - f(x - h)) / (2 * h)


def errors(curve: Curve, x: float, h: np.ndarray, kind: str, dtype: type = np.float64) -> np.ndarray:
    """Return |chord − f′(x)| for every h, (n,), the chord reckoned in `dtype`.

    NaN where h leaves f's domain, and everywhere at a kink.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        chord = difference(curve.value, dtype(x), np.asarray(h, dtype), kind)
    return np.abs(chord.astype(np.float64) - curve.slope(np.float64(x)))


def order(curve: Curve, x: float, kind: str) -> float:
    """Return the power of h that a short chord at x is wrong by: 1 or 2, ∞ where it is exact, NaN at a kink."""
    if np.isnan(curve.slope(np.float64(x))):
        return np.nan
    second, third = abs(curve.second(x)), abs(curve.third(x))
    if kind == "forward" and second > 1e-3 * third:  # else ½ h f″ is lost in ⅙ h² f‴
        return 1
    return 2 if third else np.inf


def cancels(curve: Curve, x: float) -> bool:
    """Return whether digits cancel in a chord at x: everywhere, but where x and f(x) are 0."""
    return bool(x or curve.value(np.float64(x)))


def best_h(kind: str, dtype: type = np.float64) -> float:
    """Return the h at which both errors are about equal for f, f″, f‴ and x near 1: √ε forwards, ∛ε both ways."""
    return float(np.finfo(dtype).eps ** (1 / 2 if kind == "forward" else 1 / 3))


# -------------------------------------------------------------------------------------------------------- activations

ACTIVATIONS = ("step", *build.ACTIVATIONS)
# Suprema of f′. GELU's, in the form with tanh that the networks use, and SiLU's are found where f″ = 0.
_STEEPEST = MappingProxyType(
    {
        "step": 0.0, "sigmoid": 0.25, "tanh": 1.0, "relu": 1.0, "leaky_relu": 1.0, "elu": 1.0,
        "gelu": 1.128993068658772, "silu": 1.099839320128867, "softplus": 1.0, "identity": 1.0,
    }
)  # fmt: skip
NEVER_REACHED = ("softplus",)


def activation(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return f(x) and f′(x) of an activation, float64 in the shape of x, from the network's own layers.

    The step is 1 where x > 0, else 0; its derivative is 0 wherever it has one.
    """
    x = np.atleast_1d(np.asarray(x, np.float64))
    if name == "step":
        return (x > 0).astype(np.float64), np.zeros(x.shape)
    layer = build.build_activation(name, x.shape[1:])
    y = layer.forward(x.copy(), training=True).copy()
    return y, layer.backward(np.ones(x.shape)).copy()


def steepest(name: str) -> float:
    """Return what f′ of an activation is never above, be it that f′ only nears it far out (`NEVER_REACHED`)."""
    return _STEEPEST[name]


def through_layers(name: str, x: float, layers: int) -> np.ndarray:
    """Return what 1, 2, … `layers` activations at x multiply a gradient by, (layers,): f′(x), f′(x)², …"""
    _y, slope = activation(name, np.array([x]))
    return slope[0] ** np.arange(1, layers + 1)
