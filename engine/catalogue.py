"""Networks with a name, as data: what they are made of is a string of tokens, what they cost follows from it.

`architecture.describe(it.network, it.in_shape, it.classes)` gives the layers of each. A network whose published form
our layers cannot express to the letter says in its note which form is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.errors import N_


@dataclass(frozen=True)
class Architecture:
    """A network and where it comes from.

    preset: the published experiment that trains it; "" where it is too large for that.
    """

    id: str
    title: str
    year: int
    source: str
    network: str
    in_shape: tuple[int, int, int]
    classes: int
    note: str
    preset: str = ""


_IMAGENET = 1000
_DIGITS = ((28, 28, 1), 10)
_BOOK = "斎藤康毅『ゼロから作る Deep Learning』オライリー・ジャパン"
_VGG = "Simonyan & Zisserman, “Very Deep Convolutional Networks for Large-Scale Image Recognition”, arXiv:1409.1556"
_VGG_NOTE = N_(
    "Nothing but 3 × 3 kernels and 2 × 2 pooling: after every pooling the side is half and the channels are double, up "
    "to 512. On 224 × 224 the first dense layer alone has 102,764,544 parameters."
)

_ALL = (
    Architecture(
        id="lenet5",
        title="LeNet-5",
        year=1998,
        source="LeCun, Bottou, Bengio & Haffner, “Gradient-Based Learning Applied to Document Recognition”, "
        "Proceedings of the IEEE 86 (11)",
        network="conv6@5p2 avgpool2 conv16@5 avgpool2 dense120 dense84",
        in_shape=(28, 28, 1),
        classes=10,
        note=N_(
            "Counted here is the form that is usual today: plain average pooling, every filter of conv2 over all six "
            "channels, a dense output. The network of 1998 had 60,000 free parameters: its pooling had a coefficient "
            "and a bias for each channel to learn, its second convolution connected only some channels, and its output "
            "compared with fixed patterns. Its 32 × 32 input is here 28 × 28 with a padding of 2."
        ),
        preset="lenet-5",
    ),
    Architecture(
        id="alexnet",
        title="AlexNet",
        year=2012,
        source="Krizhevsky, Sutskever & Hinton, “ImageNet Classification with Deep Convolutional Neural Networks”, "
        "Advances in Neural Information Processing Systems 25",
        network="conv96@11s4 pool3s2 conv256@5p2 pool3s2 conv384@3p1 conv384@3p1 conv256@3p1 pool3s2 "
        "dense4096 drop.5 dense4096 drop.5",
        in_shape=(227, 227, 3),
        classes=_IMAGENET,
        note=N_(
            "Counted here is one tower. The network of 2012 was split over two graphics cards, and conv2, conv4 and "
            "conv5 saw only half of the channels: 60,965,224 parameters. Its paper says 224 × 224, but its layers fit "
            "227 × 227."
        ),
    ),
    Architecture(
        id="alexnet-torchvision",
        title="AlexNet (torchvision)",
        year=2014,
        source="Krizhevsky, “One Weird Trick for Parallelizing Convolutional Neural Networks”, arXiv:1404.5997",
        network="conv64@11p2s4 pool3s2 conv192@5p2 pool3s2 conv384@3p1 conv256@3p1 conv256@3p1 pool3s2 "
        "drop.5 dense4096 drop.5 dense4096",
        in_shape=(224, 224, 3),
        classes=_IMAGENET,
        note=N_("The later form with fewer filters, the one that the library torchvision calls AlexNet."),
    ),
    Architecture(
        id="vgg11",
        title="VGG-11",
        year=2014,
        source=_VGG,
        network="conv64@3p1 pool2 conv128@3p1 pool2 conv256@3p1 conv256@3p1 pool2 conv512@3p1 conv512@3p1 pool2 "
        "conv512@3p1 conv512@3p1 pool2 dense4096 drop.5 dense4096 drop.5",
        in_shape=(224, 224, 3),
        classes=_IMAGENET,
        note=_VGG_NOTE,
    ),
    Architecture(
        id="vgg16",
        title="VGG-16",
        year=2014,
        source=_VGG,
        network="conv64@3p1 conv64@3p1 pool2 conv128@3p1 conv128@3p1 pool2 conv256@3p1 conv256@3p1 conv256@3p1 pool2 "
        "conv512@3p1 conv512@3p1 conv512@3p1 pool2 conv512@3p1 conv512@3p1 conv512@3p1 pool2 "
        "dense4096 drop.5 dense4096 drop.5",
        in_shape=(224, 224, 3),
        classes=_IMAGENET,
        note=_VGG_NOTE,
    ),
    Architecture(
        "784-50-10",
        "784-50-10",
        2016,
        f"{_BOOK} §5",
        "dense50",
        *_DIGITS,
        N_("One hidden layer. A dense layer has a weight for every pixel and unit: four times the pixels, four times "
           "the weights."),
        "ch05-two-layer",
    ),
    Architecture(
        "784-100-100-10",
        "784-100-100-10",
        2016,
        f"{_BOOK} §6",
        "dense100 dense100",
        *_DIGITS,
        N_("Two hidden layers. Nearly all of the weights stand between the picture and the first of them."),
        "two-hidden-layers",
    ),
    Architecture(
        "ch07-simple-conv",
        N_("The book's simple convolutional network"),
        2016,
        f"{_BOOK} §7",
        "conv30@5 pool2 dense100",
        *_DIGITS,
        N_("The convolution has 780 parameters; on 28 × 28 the dense layer behind it has 432,100, since it sees 30 "
           "channels of 12 × 12 numbers."),
        "ch07-simple-conv",
    ),
    Architecture(
        "ch08-deep-conv",
        N_("The book's deep convolutional network"),
        2016,
        f"{_BOOK} §8",
        "conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p2 pool2 conv64@3p1 conv64@3p1 pool2 dense50 drop.5 output "
        "drop.5",
        *_DIGITS,
        N_("Six convolutions, and yet fewer than a third of the parameters of the simple one: three poolings leave the "
           "dense layer little to see. conv4 is padded by 2, so that 28 pixels become 14, 8 and 4."),
        "ch08-deep-conv",
    ),
    Architecture(
        "vgg28",
        N_("A small VGG for digits"),
        2014,
        _VGG,
        "conv32@3p1 conv32@3p1 pool2 conv64@3p1 conv64@3p1 pool2 dense128 drop.5",
        *_DIGITS,
        N_("VGG's plan for 28 × 28 pixels: pairs of 3 × 3 convolutions, pooling, twice the channels."),
        "vgg-28",
    ),
    Architecture(
        "gap",
        N_("Global average instead of dense layers"),
        2013,
        "Lin, Chen & Yan, “Network in Network”, arXiv:1312.4400",
        "conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p1 pool2 conv64@3p1 gap",
        *_DIGITS,
        N_("Each of the last channels is averaged over the whole picture. The number of parameters no longer depends "
           "on the size of the input."),
        "gap",
    ),
)  # fmt: skip

CATALOGUE: Mapping[str, Architecture] = MappingProxyType({it.id: it for it in _ALL})
