"""A network on paper: its layers as boxes to scale, what each of them costs, and the same as a table and as CSV.

Boxes are HTML and CSS: they follow the page's colours. Those of many layers shrink with the screen, as far as they can
be read; where that is not enough the drawing scrolls sideways by itself, and fades at the edge beyond which it goes on.
A feature map is seen from its edge: as high as the picture's side, as thick as there are channels. Both are to a
logarithmic scale, so that each pooling by 2 is a step down of the same height. Layers without a picture are columns of
units. Below the boxes stands each layer's share of the network's parameters and of its multiply-adds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from operator import attrgetter

from engine.architecture import Row
from engine.tokens import Conv, Dense, Gap, Output, Pool
from pages._ui.i18n import _

PARAMETERS, MULTIPLY_ADDS = attrgetter("parameters"), attrgetter("multiply_adds")
KINDS = {Conv: "conv", Pool: "pool", Gap: "pool", Dense: "dense", Output: "output"}

CSS = """<style>
.bp {--input: #8A8F98; --conv: #0072B2; --pool: #E69F00; --dense: #009E73; --output: #CC79A7; --u: 22px; --thick: 4px;
  --line: #80808059; --soft: color-mix(in srgb, currentColor 68%, transparent);
  font-variant-numeric: tabular-nums}
.bp.many .bp-grid {--column: calc(100cqi / var(--n)); --u: clamp(14px, var(--column) * .28, 18px);
  --thick: clamp(3.1px, var(--column) * .062, 4px)}
.bp :is(.conv, .pool, .dense, .output, .input) {--c: var(--input)}
.bp .conv {--c: var(--conv)} .bp .pool {--c: var(--pool)} .bp .dense {--c: var(--dense)}
.bp .output {--c: var(--output)}
.bp-sheet {overflow-x: auto; padding: 4px 24px 8px 0; container-type: inline-size;
  mask-image: linear-gradient(90deg, #000 calc(100% - 24px), transparent)}
.bp-sheet:focus-visible {outline-offset: -2px}
.bp-grid {display: grid; width: min-content; min-width: 100%;
  grid-template-columns: repeat(var(--n), minmax(max-content, 130px))}
.bp-box {align-self: end; display: flex; justify-content: center; border-bottom: 1px solid var(--line);
  padding: 0 2px 7px}
.bp-cube {--w: max(3px, calc(var(--channels) * var(--thick))); --h: calc((var(--side) + .3) * var(--u));
  --d: calc(var(--h) * .22 + 2px); flex: none; position: relative; width: var(--w);
  height: var(--h); margin: var(--d) var(--d) 0 0; background: var(--c)}
.bp-cube.flat {--w: 11px; --h: calc((var(--units) + .3) * var(--u) * .62); --d: 5px}
.bp-cube::before, .bp-cube::after {content: ""; position: absolute}
.bp-cube::before {left: 0; bottom: 100%; width: 100%; height: var(--d); transform-origin: 0 100%;
  transform: skewX(-45deg); background: color-mix(in srgb, var(--c) 62%, #fff)}
.bp-cube::after {left: 100%; top: 0; width: var(--d); height: 100%; transform-origin: 0 0; transform: skewY(-45deg);
  background: color-mix(in srgb, var(--c) 78%, #000)}
.bp-cube i {position: absolute; inset: 0;
  background: repeating-linear-gradient(90deg, transparent 0 4px, #ffffff59 4px 5px)}
.bp-cube.flat i {background: repeating-linear-gradient(0deg, transparent 0 4px, #ffffff59 4px 5px)}
.bp-name {min-width: 60px; box-sizing: border-box; padding: 5px 2px 0; text-align: center; line-height: 1.25;
  white-space: nowrap}
.bp.many .bp-name {min-width: 50px; contain: inline-size; white-space: normal}
.bp-name b {display: block; font-size: .78rem}
.bp-name span {font-size: .68rem; color: var(--soft)} .bp.many .bp-name span {font-size: .62rem}
.bp-head {grid-column: 1 / -1; contain: inline-size; padding: 12px 0 2px; font-size: .8rem}
.bp-head span {position: sticky; left: 0; display: inline-block; max-width: min(100%, calc(100vw - 64px))}
.bp-head em {font-style: normal; color: var(--soft)}
.bp-bar {display: flex; flex-direction: column; justify-content: flex-end; align-items: center; height: 66px;
  border-bottom: 1px solid var(--line); font-size: .68rem; color: var(--soft)}
.bp-bar i {width: 60%; max-width: 44px; background: var(--c); height: calc(var(--part) * 46px)}
.bp-key {display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: .76rem; color: var(--soft); padding-top: 6px}
.bp-key i {display: inline-block; width: 10px; height: 10px; margin-right: 5px; background: var(--c)}
.bp dl.bp-totals {display: flex; flex-wrap: wrap; gap: 6px 34px; margin: 0; padding: 0}
.bp-totals div {display: flex; flex-direction: column-reverse}
.bp-totals dt {font-size: .76rem; color: var(--soft); font-weight: 400}
.bp-totals dd {margin: 0; font-size: 1.3rem; font-weight: 600; line-height: 1.2}
.bp table {border-collapse: collapse; min-width: min(100%, 1040px); font-size: .82rem; white-space: nowrap}
.bp :is(th, td) {padding: 3px 12px; text-align: right; border: 0; border-bottom: 1px solid var(--line)}
.bp :is(th, td):is(:nth-child(-n+3)) {text-align: left}
.bp :is(thead, tfoot) :is(th, td) {font-weight: 600}
.bp tbody th {font-weight: 600; border-left: 4px solid var(--c)}
.bp td code {font-size: .95em; background: none; padding: 0; color: inherit}
.bp td.bp-share {min-width: 130px; padding-left: 0; color: var(--soft)}
.bp-share span {display: flex; align-items: center; gap: 7px}
.bp-share i {height: 9px; width: calc(var(--part) * 80px); min-width: 1px; background: var(--c)}
@media print {.bp :is(th, td) {padding: 3px 5px} .bp td.bp-share {min-width: 0} .bp-share i {display: none}}
.bp-steps {display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; min-height: 107px}
.bp-steps > span {font-size: .74rem; color: var(--soft); text-align: center; line-height: 1.3}
.bp-steps > span b {font-size: 1.15rem; font-weight: 400; line-height: 1}
.bp-plane {--p: 15px; --s: calc(var(--n) * var(--p) + 1px); position: relative;
  width: var(--s); height: var(--s);
  background-color: color-mix(in srgb, var(--conv) 26%, transparent);
  background-image: linear-gradient(var(--line) 1px, transparent 1px),
    linear-gradient(90deg, var(--line) 1px, transparent 1px); background-size: var(--p) var(--p)}
.bp-plane > * {position: absolute; left: 0; top: 0}
.bp-plane b {width: calc(var(--p) + 1px); height: calc(var(--p) + 1px); background: var(--pool)}
.bp-plane i {width: calc(var(--k) * var(--p) + 1px); height: calc(var(--k) * var(--p) + 1px);
  outline: 2px solid var(--pool)}
.bp-weights {display: flex; align-items: center; gap: 8px; font-size: .86rem; margin-top: 6px}
.bp-weights div {display: flex; gap: 2px; flex: 0 0 calc(var(--part) * 55%)}
.bp-weights i {flex: 1; height: 14px; background: var(--conv)}
@media (max-width: 640px) {
  .bp:not(.many) {--u: 17px} .bp-plane {--p: 11px}
  .bp dl.bp-totals {gap: 6px 22px} .bp-totals dd {font-size: 1.05rem}
}
</style>"""

_TO_THE_TOP = """<script>
document.querySelector('[data-testid=stMain]').scrollTo({{top: 0, behavior: 'smooth'}}); // {n}
</script>"""


def to_the_top(n: int) -> str:
    """Return a script that brings the drawing into sight for the n-th time: a browser runs the same one only once."""
    return _TO_THE_TOP.format(n=n)


def size(shape: Sequence[int]) -> str:
    """Return a shape as a person writes it: 55 × 55 × 96."""
    return " × ".join(f"{length:,}" for length in shape)


def drawing(rows: Sequence[Row], label: str) -> str:
    """Return the network as HTML: a box for each layer, and under it the layer's share of the costs."""
    boxes, names = [_box("input", rows[0].in_shape)], [_name(_("input"), rows[0].in_shape)]
    for row in rows:
        boxes.append(_box(_kind(row), row.out_shape, f"{row.token}: {size(row.in_shape)} → {size(row.out_shape)}"))
        names.append(_name(row.name, row.out_shape))
    grid = "".join(boxes + names)
    for title, cost in ((_("Parameters"), PARAMETERS), (_("Multiply-adds"), MULTIPLY_ADDS)):
        grid += _cost_head(rows, title, cost) + '<div class="bp-bar"></div>' + "".join(_bars(rows, cost))
    many = "many" if len(rows) > 12 else ""
    return (
        f'<div class="bp {many}"><div class="bp-sheet" tabindex="0" role="img" aria-label="{escape(label)}">'
        f'<div class="bp-grid" style="--n:{len(rows) + 1}">{grid}</div></div>{_key()}</div>'
    )


def totals(rows: Sequence[Row]) -> str:
    """Return the sums over all layers as HTML."""
    count = sum(map(PARAMETERS, rows))
    fields = [row.receptive_field for row in rows if row.receptive_field]
    facts = {
        _("parameters"): f"{count:,}",
        _("multiply-adds for one picture"): f"{sum(map(MULTIPLY_ADDS, rows)):,}",
        _("parameters in memory, 4 bytes each"): _bytes(4 * count),
        _("receptive field of the last feature map"): size((fields[-1],) * 2) if fields else "–",
    }
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    return f'<div class="bp"><dl class="bp-totals">{items}</dl></div>'


def table(rows: Sequence[Row]) -> str:
    """Return the layers as an HTML table, the sums in its foot."""
    parameters, multiply_adds = (sum(map(cost, rows)) for cost in (PARAMETERS, MULTIPLY_ADDS))
    head = "".join(f"<th scope='col'>{escape(title)}</th>" for title in _titles())
    body = "".join(
        f'<tr class="{_kind(row)}"><th scope="row">{row.name}</th><td><code>{row.token}</code></td>'
        f"<td>{size(row.out_shape)}</td><td>{row.parameters:,}</td>{_share(row.parameters, parameters)}"
        f"<td>{row.multiply_adds:,}</td>{_share(row.multiply_adds, multiply_adds)}"
        f"<td>{size((row.receptive_field,) * 2) if row.receptive_field else '–'}</td></tr>"
        for row in rows
    )
    total, label = escape(_("Total")), escape(_("Layer by layer"))
    foot = (
        f"<tr><th scope='row'>{total}</th><td></td><td></td><td>{parameters:,}</td><td></td>"
        f"<td>{multiply_adds:,}</td><td></td><td></td></tr>"
    )
    return (
        f'<div class="bp"><div class="bp-sheet" tabindex="0" role="region" aria-label="{label}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table></div></div>"
    )


def weights(rows: Sequence[Row]) -> int:
    """Return how many weights convolutions have, their biases left out."""
    return sum(row.multiply_adds // math.prod(row.out_shape[:2]) for row in rows)


def stack(rows: Sequence[Row], most: int) -> str:
    """Return convolutions upon each other as HTML: how far back one number reaches, and their weights beside `most`."""
    planes = ""
    for row in rows:
        first = "" if row is rows[0] else "<b></b>"
        k = row.token.kernel
        planes += _plane(row.in_shape[0], f'{first}<i style="--k:{k}"></i>') + f"<span>{k} × {k}<br><b>→</b></span>"
    count = weights(rows)
    said = escape(_("{n} weights").format(n=f"{count:,}"))
    return (
        f'<div class="bp"><div class="bp-steps">{planes}{_plane(1, "<b></b>")}</div>'
        f'<div class="bp-weights"><div style="--part:{count / most:.4f}">{"<i></i>" * len(rows)}</div>'
        f"<span>{said}</span></div></div>"
    )


def _kind(row: Row) -> str:
    return KINDS[type(row.token)]


def _box(kind: str, shape: Sequence[int], hint: str = "") -> str:
    if len(shape) == 3:
        scale, flat = f"--side:{math.log2(1 + shape[0]):.2f};--channels:{math.log2(1 + shape[2]):.2f}", ""
    else:
        scale, flat = f"--units:{math.log2(1 + shape[0]):.2f}", "flat"
    cube = f'<div class="bp-cube {kind} {flat}" style="{scale}"><i></i></div>'
    return f'<div class="bp-box" title="{escape(hint)}">{cube}</div>'


def _name(name: str, shape: Sequence[int]) -> str:
    *sides, last = size(shape).split(" × ")
    said = "<wbr>×".join(["×".join(sides), last] if sides else [last])  # in a narrow column the channels go below
    return f'<div class="bp-name"><b>{escape(name)}</b><span>{said}</span></div>'


def _cost_head(rows: Sequence[Row], title: str, cost: Callable[[Row], int]) -> str:
    """Return the line above a row of bars: the sum, and what convolutions and dense layers have of it."""
    total = sum(map(cost, rows))
    convolutions = sum(cost(row) for row in rows if isinstance(row.token, Conv))
    parts = escape(_("convolution {conv}, dense and output {dense}")).format(
        conv=_percent(convolutions, total), dense=_percent(total - convolutions, total)
    )
    return f'<div class="bp-head"><span><b>{escape(title)} {total:,}</b> <em>{parts}</em></span></div>'


def _bars(rows: Sequence[Row], cost: Callable[[Row], int]) -> list[str]:
    costs = [cost(row) for row in rows]
    return [
        f'<div class="bp-bar {_kind(row)}" title="{part:,}">{_percent(part, sum(costs)) if part else ""}'
        f'<i style="--part:{part / max(costs):.4f}"></i></div>'
        for row, part in zip(rows, costs, strict=True)
    ]


def _key() -> str:
    """Return what the colours and the measures of the boxes stand for."""
    kinds = {
        "input": _("input"),
        "conv": _("convolution"),
        "pool": _("pooling"),
        "dense": _("dense"),
        "output": _("output"),
    }
    colours = "".join(f'<span class="{kind}"><i></i>{escape(word)}</span>' for kind, word in kinds.items())
    measures = _("Height: side of the picture (or units); thickness: channels; both to a logarithmic scale.")
    return f'<div class="bp-key">{colours}<span>{escape(measures)}</span></div>'


def _titles() -> tuple[str, ...]:
    return (
        _("Layer"), _("Written as"), _("Output"), _("Parameters"), "", _("Multiply-adds"), "", _("Receptive field"),
    )  # fmt: skip


def _share(part: int, total: int) -> str:
    bar = f'<span><i style="--part:{part / total:.4f}"></i>{_percent(part, total)}</span>' if part else ""
    return f'<td class="bp-share">{bar}</td>'


def _plane(side: int, marks: str) -> str:
    return f'<div class="bp-plane" style="--n:{side}">{marks}</div>'


def _percent(part: int, total: int) -> str:
    """Return a share in whole percent as HTML, "<1%" for what is little and not nothing."""
    share = 100 * part / total
    return "&lt;1%" if 0 < share < 0.5 else f"{share:.0f}%"


def _bytes(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
