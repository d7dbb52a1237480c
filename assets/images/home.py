"""The pictures on Home, computed by the engine itself: `python -m assets.images.home` makes them anew.

They stand on light and dark pages alike: transparent around the drawing, no text in either language.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from engine.data.handwriting import strokes_to_image
from engine.experiment import Experiment
from engine.runs import frames
from engine.training.trainer import Trainer

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 880, 400
BLUE, ORANGE, PURPLE, GREEN = (15, 111, 198), (224, 138, 0), (170, 60, 150), (0, 140, 110)


def layers() -> Image.Image:
    """The loss falls; below it the activations of three layers."""
    trainer = Trainer(
        Experiment(network="dense100 dense100", activation="tanh", initializer="xavier_normal", steps=600)
    )
    trainer.advance()
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(picture)
    loss = trainer.history.loss.rows()[:, 1]
    points = [(20 + i * (WIDTH - 40) / (len(loss) - 1), 20 + 170 * (1 - v / loss.max())) for i, v in enumerate(loss)]
    draw.line(points, fill=BLUE, width=4, joint="curve")
    for index, (layer, colour) in enumerate(zip(trainer.history.latest.layers, (BLUE, PURPLE, ORANGE), strict=True)):
        counts = layer.activations / layer.activations.max()
        left, width = 20 + index * 290, 260 / len(counts)
        for i, count in enumerate(counts):
            box = (left + i * width, HEIGHT - 10 - 160 * count, left + (i + 1) * width - 1.5, HEIGHT - 10)
            draw.rectangle(box, fill=colour)
    return picture


def plane() -> Image.Image:
    """What a network of two small layers makes of the spiral, and each hidden unit's own line."""
    spec = {"data": "toy2d", "shape": "spiral", "noise": 0.05, "activation": "tanh", "initializer": "xavier_normal"}
    trainer = Trainer(Experiment(network="dense12 dense12", optimizer="adam", lr=0.01, steps=6000, **spec))
    trainer.advance()
    arrays = frames.describe(trainer)[1]
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    picture.paste(surface(arrays["plane"]).resize((HEIGHT, HEIGHT), Image.Resampling.BICUBIC), (0, 0))
    draw = ImageDraw.Draw(picture)
    for x1, x2, label in arrays["points"]:
        x, y = (x1 + 6) / 12 * HEIGHT, (6 - x2) / 12 * HEIGHT
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=BLUE if label else ORANGE, outline="white")
    for index, unit in enumerate(arrays["responses"][:24]):
        column, row = index % 6, index // 6
        tile = surface(unit).resize((70, 70), Image.Resampling.BICUBIC)
        picture.paste(tile, (HEIGHT + 20 + column * 78, 47 + row * 80))
    return picture


def surface(values: np.ndarray) -> Image.Image:
    """Colour uint8 values from orange (0) over white to blue (255)."""
    t = values[..., None] / 255
    orange, white, blue = (np.array(c, float) for c in (ORANGE, (248, 248, 248), BLUE))
    colours = np.where(t < 0.5, orange + (white - orange) * 2 * t, white + (blue - white) * (2 * t - 1))
    return Image.fromarray(colours.astype(np.uint8), "RGB")


def digit() -> Image.Image:
    """A drawn 3 as the network sees it, and the ten probabilities."""
    angles = np.linspace(-2.4, 1.5, 30)
    upper = [(140 + 45 * np.cos(a), 90 + 45 * np.sin(a)) for a in angles]
    lower = [(138 + 55 * np.cos(a), 188 + 55 * np.sin(a)) for a in np.linspace(-1.45, 2.5, 30)]
    image = strokes_to_image([upper + lower])
    trainer = Trainer(Experiment(network="dense100", steps=1500))
    trainer.advance()
    outputs = trainer.network.forward(image[None, ..., None].astype(np.float32) / 255)
    probabilities = trainer.loss.probabilities(outputs)[0]
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    picture.paste(Image.fromarray(image).convert("RGB").resize((HEIGHT, HEIGHT), Image.Resampling.NEAREST), (0, 0))
    draw = ImageDraw.Draw(picture)
    for k, p in enumerate(probabilities):
        top = 8 + k * 39
        best = k == probabilities.argmax()
        draw.rounded_rectangle((HEIGHT + 30, top, WIDTH - 10, top + 28), 6, fill=(128, 128, 128, 60))
        right = HEIGHT + 30 + max(8, p * (WIDTH - HEIGHT - 40))
        draw.rounded_rectangle((HEIGHT + 30, top, right, top + 28), 6, fill=GREEN if best else BLUE)
    return picture


if __name__ == "__main__":
    for make in (layers, plane, digit):
        make().save(HERE / f"home-{make.__name__}.png", optimize=True)
