"""What is chosen on the Architectures page: a network, and the input it is given.

A network brings the input that it was made for: the address names the network, and what of the input differs from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine import architecture
from engine.catalogue import CATALOGUE
from engine.errors import N_, InputError, Text
from engine.experiment import FIELDS, Experiment
from engine.fields import check
from pages._ui import session
from pages._ui.i18n import _, translate
from pages._ui.settings import Setting, Settings, Value, number

OWN = "own"
# published experiments, and the network that shows each of them
ROWS = {it.preset: id for id, it in CATALOGUE.items() if it.preset} | {"architectures": "vgg16"}


@dataclass(frozen=True)
class NetworkSetting(Setting):
    """One network of the catalogue, or one's own."""

    @property
    def is_worded(self) -> bool:
        return True

    def word(self, option: str) -> str:
        if option == OWN:
            return _("Your own")
        it = CATALOGUE[option]
        count = sum(row.parameters for row in architecture.describe(it.network, it.in_shape, it.classes))
        return _("{title} ({year}): {n} parameters").format(title=translate(it.title), year=it.year, n=f"{count:,}")


@dataclass(frozen=True)
class LayersSetting(Setting):
    """The layers of one's own network, as text; until one is written, those that the session trains."""

    def parse(self, text: str) -> str:
        return check(FIELDS["network"], text)


def usual_input(net: str) -> dict[str, int]:
    """Return the input that a network was made for."""
    it = CATALOGUE.get(net)
    size, _width, channels = it.in_shape if it else (28, 28, 1)
    return {"size": size, "channels": channels, "classes": it.classes if it else 10}


_FIRST = "lenet5"
_INPUT = usual_input(_FIRST)
SETTINGS = {
    "net": NetworkSetting(N_("Network"), _FIRST, (*CATALOGUE, OWN), widget="select", width=520),
    "size": number(N_("Input size"), 1, 1024, _INPUT["size"], width=106),
    "channels": number(N_("Channels"), 1, 512, _INPUT["channels"], width=106),
    "classes": number(N_("Classes"), 1, 100_000, _INPUT["classes"], width=106),
    "network": LayersSetting(
        FIELDS["network"].metadata["label"], None, widget="text", help=FIELDS["network"].metadata["help"]
    ),
    "filters": number(N_("Channels C"), 1, 512, 64, widget="slider", width=320),
}


class ArchitectureSettings(Settings):
    """The settings of the page, where a network brings its input."""

    def __getitem__(self, name: str) -> Value:
        value = super().__getitem__(name)
        return own_experiment().network if value is None else value

    def begin(self, values: Mapping[str, Value]) -> None:
        super().begin(usual_input(values.get("net", _FIRST)) | values)

    def address(self) -> dict[str, str]:
        usual = self.defaults() | usual_input(self["net"])
        names = [name for name in ("size", "channels", "classes", "filters") if self[name] != usual[name]]
        return {name: str(self[name]) for name in ("net", *names, *["network"] * (self["net"] == OWN))}

    def _take(self, name: str) -> None:
        before = self["net"]
        super()._take(name)
        if self["net"] != before:
            self.choose(**usual_input(self["net"]))


def own_experiment() -> Experiment:
    """Return the experiment that a network of one's own comes from and is trained in: the session's, if of pictures."""
    spec = session.known()
    return spec if spec.data != "toy2d" else Experiment()


def check_size() -> None:
    """Raise `InputError` when the input is too small for the chosen network of the catalogue."""
    it, size = CATALOGUE.get(chosen("net")), SETTINGS["size"]
    if it and chosen("size") < (low := architecture.smallest_side(it.network)):
        legal = Text(
            N_("a whole number from {low} to {high} for {network}"), low=low, high=size.high, network=Text(it.title)
        )
        template = N_("{field} must be {legal}, not {received}.")
        raise InputError(template, field=Text(size.label), legal=legal, received=chosen("size"))


settings = ArchitectureSettings("architectures", SETTINGS, {id: {"net": net} for id, net in ROWS.items()})
chosen, control, controls = settings.__getitem__, settings.control, settings.controls
