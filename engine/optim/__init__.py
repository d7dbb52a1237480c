"""Optimizers turn gradients into steps; schedules turn the step count into a learning rate."""

from engine.optim.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from engine.optim.schedules import Constant, Cosine, Exponential, OneCycle, Schedule, Step, WarmUp

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "Exponential",
    "Momentum",
    "Nesterov",
    "OneCycle",
    "Optimizer",
    "RMSProp",
    "Schedule",
    "Step",
    "WarmUp",
]
