"""The Architectures page without a browser: every network with its true costs, and one sentence to what cannot be."""

import re

import pytest

from engine import presets
from engine.architecture import describe
from engine.catalogue import CATALOGUE
from engine.experiment import Experiment
from pages._ui import blueprint, theme
from pages._ui.selection import ROWS
from tests.pages.conftest import sentences, shows

TRAINABLE = [name for name, it in CATALOGUE.items() if it.preset]
DEEP = CATALOGUE["ch08-deep-conv"]
CONVOLUTIONS = sum(r.parameters for r in describe(DEEP.network, DEEP.in_shape, 10) if r.name.startswith("conv"))
TRIES = {
    "try_0": ({"net": "vgg16", "size": "448"}, 138_357_544 + 3 * (7 * 7 * 512 * 4096)),  # only dense1 grows, fourfold
    "try_1": ({"net": "gap", "size": "112"}, 35_514),
    "try_2": ({"net": "own"}, CONVOLUTIONS + (28 * 28 * 64 + 1) * 50 + 510),
}


def html(app) -> str:
    return "\n".join(item.proto.body for item in app.get("html"))


def totals(app) -> list[str]:
    """Return the numbers above the drawing: parameters, multiply-adds, bytes, receptive field."""
    return re.findall(r"<dd>(.*?)</dd>", html(app))


def table(app) -> list[list[str]]:
    """Return the rows of the table in plain words."""
    rows = re.findall(r"<tr.*?</tr>", html(app).split("<tbody>")[1])
    return [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def number(app, name):
    return next(item for item in app.number_input if shows(item, f"architectures_{name}"))


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_network_is_drawn_with_its_totals(visit, name):
    app = visit("architectures", net=name)
    assert sentences(app) == []
    it = CATALOGUE[name]
    rows = describe(it.network, it.in_shape, it.classes)
    parameters, multiply_adds = f"{sum(r.parameters for r in rows):,}", f"{sum(r.multiply_adds for r in rows):,}"
    assert totals(app)[:2] == [parameters, multiply_adds]
    *body, foot = table(app)
    assert [row[0] for row in body] == [r.name for r in rows]
    assert (foot[3], foot[5]) == (parameters, multiply_adds)
    assert html(app).count('class="bp-box"') == len(rows) + 1
    assert any(it.source in caption.value for caption in app.caption)


def test_a_bare_address_opens_on_lenet_and_says_so(visit):
    app = visit("architectures")
    assert totals(app)[0] == "61,706"
    assert app.query_params["net"] == "lenet5"
    assert "size" not in app.query_params


def test_everything_follows_the_input(visit):
    app = visit("architectures", net="ch07-simple-conv")
    number(app, "size").set_value(56).run()
    assert sentences(app) == []
    assert table(app)[1][2] == "26 × 26 × 30"
    assert totals(app)[0] == f"{780 + 26 * 26 * 30 * 100 + 100 + 1010:,}"
    number(app, "channels").set_value(3).run()
    assert table(app)[0][3] == f"{25 * 3 * 30 + 30:,}"
    number(app, "classes").set_value(100).run()
    assert table(app)[3][3] == "10,100"
    assert (app.query_params["size"], app.query_params["channels"], app.query_params["classes"]) == ("56", "3", "100")


def test_another_network_brings_its_own_input(visit):
    app = visit("architectures", net="vgg16", size="448")
    assert number(app, "size").value == 448
    app.selectbox(key="architectures_net_en").set_value("ch08-deep-conv").run()
    assert [number(app, name).value for name in ("size", "channels", "classes")] == [28, 1, 10]
    assert totals(app)[0] == "123,552"
    assert app.query_params["net"] == "ch08-deep-conv"
    assert "size" not in app.query_params


def test_a_network_and_its_input_in_one_moment(visit):
    """A busy server hears of several widgets at once."""
    app = visit("architectures", net="vgg16")
    number(app, "size").set_value(64)
    number(app, "classes").set_value(7)
    app.selectbox(key="architectures_net_en").set_value("ch08-deep-conv").run()
    assert sentences(app) == []
    assert app.query_params["net"] == "ch08-deep-conv"
    for name in ("size", "classes"):
        assert number(app, name).value == app.session_state["architectures"][name]


def test_what_no_network_is_called_changes_nothing(visit):
    app = visit("architectures", net="vgg16", size="448")
    box = app.selectbox(key="architectures_net_en")
    box.options.append("<script>")  # says a forged browser
    box.set_value("<script>").run()
    assert sentences(app) == []
    assert (app.selectbox(key="architectures_net_en").value, number(app, "size").value) == ("vgg16", 448)


def test_an_input_that_does_not_fit_is_said_in_one_sentence(visit):
    app = visit("architectures", net="alexnet")
    number(app, "size").set_value(30).run()
    (said,) = sentences(app)
    assert said == "Input size must be a whole number from 67 to 1024 for AlexNet, not 30."
    assert not totals(app)
    number(app, "size").set_value(227).run()
    assert sentences(app) == []
    assert totals(app)[0] == "62,378,344"


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_smallest_input_that_is_named_works(visit, name):
    app = visit("architectures", net=name, size="1")
    side = 1
    for said in sentences(app):
        side = int(re.fullmatch(rf"Input size must be a whole number from (\d+) to 1024 for .+, not {side}\.", said)[1])
        number(app, "size").set_value(side).run()
        assert sentences(app) == []
        number(app, "size").set_value(side - 1).run()
        assert f"from {side} to 1024" in sentences(app)[0]
    assert (side > 1) == any(token in CATALOGUE[name].network for token in ("pool2", "pool3s2", "@5 ", "@11"))


def test_in_ones_own_network_it_is_the_layers_that_do_not_fit(visit):
    app = visit("architectures", net="own", network="conv4@3p1 pool2 pool2", size="3")
    (said,) = sentences(app)
    assert said.startswith("Hidden layers must be made of smaller windows: pool2 finds only 1 × 1 pixels")


HOSTILE = {
    "no network": {"net": "<script>alert(1)</script>"},
    "no number": {"size": "abc"},
    "zero": {"size": "0"},
    "negative": {"size": "-1"},
    "a fraction": {"size": "1.5"},
    "huge": {"size": "9" * 400},
    "other digits": {"size": "２８"},
    "too many channels": {"channels": "100000"},
    "no classes": {"classes": "0"},
    "endless text": {"net": "own", "network": "dense9 " * 500},
    "no words": {"net": "own", "network": "<b>bold</b>"},
    "too many layers": {"net": "own", "network": "dense9 " * 41},
    "pictures after units": {"net": "own", "network": "dense10 conv3@3"},
    "a huge kernel": {"net": "own", "network": "conv3@99999"},
}


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_address_is_answered_in_one_sentence(visit, query):
    app = visit("architectures", **query)
    (said,) = sentences(app)
    assert said.endswith(".")
    assert len(said) < 250
    assert "\n" not in said
    said = html(app)
    for ours in (blueprint.to_the_top(1), theme.SPOKEN.format(language="en")):
        said = said.replace(ours, "")
    assert "<script" not in said


def test_a_bad_address_leaves_the_rest_of_it_in_force(visit):
    app = visit("architectures", net="vgg11", size="x", channels="1")
    assert len(sentences(app)) == 1
    assert [number(app, name).value for name in ("size", "channels")] == [224, 1]


@pytest.mark.parametrize("name", TRAINABLE)
def test_train_leads_to_an_experiment_with_that_network(visit, name):
    app = visit("architectures", net=name)
    app.button(key="architectures_train").click().run()
    assert sentences(app) == []
    preset = presets.get(CATALOGUE[name].preset)
    assert Experiment.from_json(app.session_state["spec"]) == preset.runs[preset.headline]
    assert app.text_input(key="field_network").value == CATALOGUE[name].network  # of the Train page


def test_the_train_pages_address_is_no_link_of_this_page(visit):
    """The browser may hold it under this page's path, and comes back to it so."""
    app = visit("architectures", net="784-50-10", size="56")
    app.button(key="architectures_train").click().run()
    assert app.query_params["preset"] in ("ch05-two-layer", ["ch05-two-layer"])
    app.switch_page("../architectures.py").run()
    assert sentences(app) == []
    assert number(app, "size").value == 56


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - set(TRAINABLE)))
def test_what_is_too_large_says_so(visit, name):
    app = visit("architectures", net=name)
    assert "architectures_train" not in [button.key for button in app.button]
    assert any("Too large to train here" in caption.value for caption in app.caption)


def test_ones_own_network_starts_as_the_one_that_the_session_trains(visit):
    app = visit("train", network="dense30", optimizer="adam")
    app.switch_page("../architectures.py")
    app.query_params.clear()
    app.run()
    app.selectbox(key="architectures_net_en").set_value("own").run()
    field = app.text_input(key="architectures_network")
    assert field.value == "dense30"
    field.set_value("conv8@3 pool2  dense20").run()
    assert sentences(app) == []
    assert totals(app)[0] == f"{80 + 13 * 13 * 8 * 20 + 20 + 210:,}"
    app.button(key="architectures_train").click().run()
    spec = Experiment.from_json(app.session_state["spec"])
    assert (spec.network, spec.optimizer) == ("conv8@3 pool2 dense20", "adam")


def test_ones_own_network_is_counted_with_the_normalization_it_trains_with(visit):
    app = visit("train", network="dense30", normalization="batch")
    app.switch_page("../architectures.py")
    app.query_params.clear()
    app.query_params["net"] = "own"
    app.run()
    assert totals(app)[0] == f"{784 * 30 + 2 * 30 + 310:,}"


def test_ones_own_network_is_kept_while_others_are_looked_at(visit):
    app = visit("architectures", net="own", network="conv4@3 gap")
    app.selectbox(key="architectures_net_en").set_value("vgg11").run()
    assert "network" not in app.query_params
    app.selectbox(key="architectures_net_en").set_value("own").run()
    assert app.text_input(key="architectures_network").value == app.query_params["network"] == "conv4@3 gap"


def test_a_network_that_cannot_train_here_is_answered_in_one_sentence(visit):
    app = visit("architectures", net="own", network="dense4096 dense4096")
    assert sentences(app) == []
    app.button(key="architectures_train").click().run()
    (said,) = sentences(app)
    assert "at most 5,000,000 parameters" in said
    assert "spec" not in app.session_state


def test_a_session_of_points_in_a_plane_gets_pictures_for_a_network_of_its_own(visit):
    app = visit("train", data="toy2d", network="dense8")
    app.switch_page("../architectures.py")
    app.query_params.clear()
    app.query_params["net"] = "own"
    app.run()
    app.button(key="architectures_train").click().run()
    assert Experiment.from_json(app.session_state["spec"]).data == "mnist-5k"


@pytest.mark.parametrize(("c", "weights"), [(64, (73_728, 102_400, 110_592, 200_704)), (1, (18, 25, 27, 49))])
def test_small_filters_against_large_ones(visit, c, weights):
    app = visit("architectures", filters=str(c))
    assert re.findall(r"<span>([\d,]+) weights</span>", html(app)) == [f"{n:,}" for n in weights]
    said = " ".join(item.value for item in app.markdown)
    for claim in ("5 × 5 pixels", "**18C²**", "**25C²**", "28 % fewer", "7 × 7 pixels", "**27C²**", "**49C²**", "45 %"):
        assert claim in said


@pytest.mark.parametrize("key", TRIES)
def test_what_to_try_shows_what_it_promises(visit, key):
    query, parameters = TRIES[key]
    app = visit("architectures")
    app.button(key=key).click().run()
    assert sentences(app) == []
    assert query.items() <= {name: app.query_params[name] for name in query}.items()
    assert totals(app)[0] == f"{parameters:,}"
    assert blueprint.to_the_top(1) in html(app)
    app.button(key=key).click().run()
    assert blueprint.to_the_top(2) in html(app)  # a browser would not run the same script again
    assert "scrollTo" not in html(app.run())


def test_without_pooling_the_last_convolution_sees_little(visit):
    app = visit("architectures")
    app.button(key="try_2").click().run()
    assert totals(app)[3] == "13 × 13"
    assert table(app)[6][3] == "2,508,850"  # dense1


def test_it_speaks_japanese(visit):
    app = visit("architectures", "ja", net="own")
    assert sentences(app) == []
    assert any("1 層を 1 語で" in item.value for item in app.markdown)


@pytest.mark.parametrize(("row", "net"), ROWS.items())
def test_every_row_is_reached_by_its_link(visit, row, net):
    app = visit("architectures", preset=row)
    assert app.selectbox(key="architectures_net_en").value == net
    assert not app.warning
