"""What the race is given to show: a landscape as its coefficients, and the way that each runner went. Arrays in, JSON
out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from engine.analysis.landscapes import LANDSCAPES, Descent, Landscape, Point, descend, noise
from engine.optim import Constant, Cosine, Exponential, OneCycle, Schedule, Step, WarmUp
from pages._ui import charts
from pages._ui.i18n import translate
from pages._ui.race.settings import NAMES, chosen, class_settings, of_landscape

Scene = dict[str, object]
Runs = Mapping[str, Descent]  # by what the legend calls them

# One for each runner, and the colours' order: see charts.COLOURS.
DASHES = (*charts.DASHES, "solid")
MARKERS = ("circle", "square", "diamond", "triangle", "cross", "star", "ring")


def race(landscape: Landscape) -> dict[str, Descent]:
    """Return the descents of the optimizers that are switched on, by name."""
    return {name: descent(landscape, name) for name in NAMES if chosen(name)}


def descent(landscape: Landscape, name: str, **settings: object) -> Descent:
    """Return the descent of an optimizer as it is set for the landscape at hand."""
    steps = of_landscape("steps")
    return descend(
        landscape,
        name,
        lr=of_landscape(name),
        steps=steps,
        start=start(),
        noise=noise_of(landscape, steps),
        **class_settings(name) | settings,
    )


def start() -> Point:
    """Return where the race begins."""
    return of_landscape("x"), of_landscape("y")


def noise_of(landscape: Landscape, steps: int) -> np.ndarray | None:
    """Return the noise that is chosen, where the landscape has any."""
    return noise(landscape, steps, chosen("seed"), chosen("sigma")) if landscape.noise else None


def schedules(steps: int) -> dict[str, Schedule]:
    """Return the schedules that are switched on, by name, as they are set for so many steps."""
    every = {
        "constant": Constant(),
        "step": Step(chosen("every"), chosen("gamma")),
        "exponential": Exponential(chosen("final"), steps),
        "cosine": Cosine(steps),
        "warmup": WarmUp(chosen("warmup"), Cosine(steps)),
        "one_cycle": OneCycle(steps),
    }
    return {name: schedule for name, schedule in every.items() if chosen(f"s_{name}")}


def schedule_race(landscape: Landscape) -> dict[str, Descent]:
    """Return the descents of one optimizer under the schedules that are switched on, by the schedule's name."""
    optimizer, steps = chosen("s_optimizer"), chosen("s_steps")
    settings = {"lr": chosen("s_rate"), "steps": steps, "noise": noise_of(landscape, steps)}
    return {
        name: descend(landscape, optimizer, schedule=schedule, **settings | class_settings(optimizer))
        for name, schedule in schedules(steps).items()
    }


def scene(name: str, runners: Iterable[Scene], steps: int, **more: object) -> Scene:
    """Return a race on the landscape of that name as the component draws it."""
    landscape = LANDSCAPES[name]
    return {
        "landscape": {
            "id": name,
            "title": translate(landscape.title),
            "coefficients": landscape.coefficients.tolist(),
            "domain": landscape.domain,
            "minima": landscape.minima,
            "lowest": landscape.lowest,
            "softness": landscape.softness,
        },
        "runs": list(runners),
        "steps": steps,
        **more,
    }


def arrows(descent: Descent, t: int) -> list[Scene]:
    """Return arrows from before step t: where it went, and dashed where plain SGD would have gone at the same rate."""
    before, after = descent.points[t - 1 : t + 1]
    plain = before - descent.rates[t - 1] * descent.gradients[t - 1]
    ends = ((plain, True), (after, False))
    return [{"from": short(before), "to": short(end), "dashed": dashed} for end, dashed in ends]


def runners(landscape: Landscape, descents: Runs, titles: Mapping[str, str] = NAMES) -> list[Scene]:
    """Return what the component needs of each descent; colour, dash and marker belong to the name."""
    order = list(titles)
    return [
        _runner(descent, landscape, name, translate(titles[name]), order.index(name))
        for name, descent in descents.items()
    ]


def _runner(descent: Descent, landscape: Landscape, id: str, title: str, index: int) -> Scene:
    return {
        "id": id,
        "name": title,
        "colour": charts.colour(index),
        "dash": DASHES[index],
        "marker": MARKERS[index],
        "points": short(descent.points),
        "values": short(descent.values),
        "distances": short(landscape.distance(descent.points)),
        "diverged": descent.diverged,
    }


def short(numbers: np.ndarray) -> list:
    """Return numbers as nested lists, with the seven digits that a picture can use."""
    return [short(row) for row in numbers] if numbers.ndim > 1 else [float(f"{value:.7g}") for value in numbers]
