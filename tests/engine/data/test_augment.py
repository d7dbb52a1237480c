"""Augmentation: read where the textbook reads, changed as far as was asked and no further, repeatable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.augment import SMOOTHING, Augmentation, Augmenter, Bilinear, Coordinates, affine, gauss
from engine.errors import InputError
from tests.engine.memory import memory_of

EVERYTHING = Augmentation(shift=2, rotation=15, scale=0.1, shear=0.2, elastic=1.2)
NAMES = ("shift", "rotation", "scale", "shear", "elastic")
SHAPES = st.tuples(st.integers(0, 4), st.integers(1, 12), st.integers(1, 12), st.integers(1, 3))
DTYPES = st.sampled_from([np.uint8, np.float32])
AUGMENTATIONS = st.builds(
    Augmentation,
    shift=st.sampled_from([0, 0.5, 40]),
    rotation=st.sampled_from([0, 20, 180]),
    scale=st.sampled_from([0, 0.2, 3]),
    shear=st.sampled_from([0, 0.3, 2]),
    elastic=st.sampled_from([0, 1.5, 30]),
)


def generator(seed=0):
    return np.random.Generator(np.random.SFC64(seed))


def pictures(shape, dtype=np.uint8, seed=0):
    x = generator(seed).integers(0, 256, shape)
    return (x if dtype == np.uint8 else x + 0.25).astype(dtype)


def augmented(x, augmentation=EVERYTHING, seed=0):
    return Augmenter(augmentation, rng=generator(seed))(x, np.empty(x.shape, np.float32))


def draws(n, **chosen):
    """Return u (6, n), 0 but for the rows chosen by name."""
    u = np.zeros((6, n))
    for name, value in chosen.items():
        u[["down", "right", "rotation", "size", "aspect", "shear"].index(name)] = value
    return u


def moved(x, augmentation, **chosen):
    """Return the pictures x under the affine map of the draws chosen."""
    maps = affine(augmentation, draws(len(x), **chosen))
    coordinates = Coordinates(x.shape[:3], elastic=0)(maps, rng=generator())
    return Bilinear(x.shape)(x, coordinates, np.empty(x.shape, np.float32))


def textbook(x, coordinates):
    """Return the pictures x at the coordinates (2, N, H, W): a loop over pixels, a condition at every border."""
    height, width = x.shape[1:3]
    out = np.zeros(x.shape)
    for k, i, j in np.ndindex(x.shape[:3]):
        r, c = coordinates[:, k, i, j].astype(np.float64)
        r0, c0 = int(np.floor(r)), int(np.floor(c))
        for rr, cc in [(r0, c0), (r0, c0 + 1), (r0 + 1, c0), (r0 + 1, c0 + 1)]:
            if 0 <= rr < height and 0 <= cc < width:
                out[k, i, j] += (1 - abs(r - rr)) * (1 - abs(c - cc)) * x[k, rr, cc]
    return out


def blob(size, spread):
    """Return a round spot of light in the middle of one picture, float32 (1, size, size, 1)."""
    t = np.arange(size) - (size - 1) / 2
    return (255 * np.exp(-(t[:, None] ** 2 + t**2) / (2 * spread**2))).astype(np.float32)[None, :, :, None]


def centre_of_mass(x):
    """Return (row, column) of each picture (N, H, W, 1), from the picture's centre."""
    weights = x[..., 0].astype(np.float64) / x.sum(axis=(1, 2, 3), dtype=np.float64)[:, None, None]
    rows, columns = (np.arange(size) - (size - 1) / 2 for size in x.shape[1:3])
    return np.stack([(weights.sum(axis=2) * rows).sum(axis=1), (weights.sum(axis=1) * columns).sum(axis=1)])


# ------------------------------------------------------------------------------------------ reading between the pixels


@given(shape=SHAPES, dtype=DTYPES, reach=st.sampled_from([0.5, 3, 1e6]), seed=st.integers(0, 99))
def test_pictures_are_read_as_in_the_textbook(shape, dtype, reach, seed):
    n, height, width, _ = shape
    x = pictures(shape, dtype, seed)
    size = np.array([height, width]).reshape(2, 1, 1, 1)
    coordinates = generator(seed).uniform(-reach, size - 1 + reach, (2, n, height, width)).astype(np.float32)
    read = Bilinear(shape)(x, coordinates, np.empty(shape, np.float32))
    np.testing.assert_allclose(read, textbook(x, coordinates), atol=1e-3)


@given(shape=SHAPES, dtype=DTYPES, augmentation=AUGMENTATIONS.filter(lambda a: a.active), seed=st.integers(0, 99))
def test_an_augmented_picture_is_the_old_one_read_at_its_coordinates(shape, dtype, augmentation, seed):
    x = pictures(shape, dtype, seed)
    before = x.copy()
    found = augmented(x, augmentation, seed)
    rng = generator(seed)
    maps = affine(augmentation, rng.uniform(-1, 1, (6, len(x))))
    coordinates = Coordinates(shape[:3], elastic=augmentation.elastic)(maps, rng=rng)
    assert (found.dtype, found.shape) == (np.float32, shape)
    np.testing.assert_allclose(found, textbook(x, coordinates), atol=1e-3)
    np.testing.assert_array_equal(x, before)


@given(shape=SHAPES, dtype=DTYPES)
def test_without_augmentation_pictures_stay_bit_by_bit(shape, dtype):
    x, rng = pictures(shape, dtype), generator()
    out = Augmenter(Augmentation(), rng=rng)(x, np.empty(shape, np.float32))
    np.testing.assert_array_equal(out, x)
    np.testing.assert_equal(rng.bit_generator.state, generator().bit_generator.state)
    np.testing.assert_array_equal(moved(x, EVERYTHING), x)  # the long way: every draw happens to be 0


@pytest.mark.parametrize("name", NAMES)
def test_one_kind_of_change_is_enough_to_be_active(name):
    assert not Augmentation(**{name: 0}).active
    augmentation = Augmentation(**{name: 0.1})
    assert augmentation.active
    x = pictures((3, 12, 12, 1))
    assert (augmented(x, augmentation) != x).any(axis=(1, 2, 3)).all()


def test_the_channels_of_a_picture_stay_together():
    x = np.repeat(pictures((5, 9, 7, 1)), 3, axis=3)
    found = augmented(x)
    for channel in (1, 2):
        np.testing.assert_array_equal(found[..., channel], found[..., 0])


# -------------------------------------------------------------------------------------------------------- affine maps


@given(shape=SHAPES, down=st.integers(-16, 16), right=st.integers(-16, 16))
def test_a_shift_by_whole_pixels_is_a_roll_with_zeros(shape, down, right):
    x = pictures(shape)
    height, width = shape[1:3]
    margin = ((0, 0), (16, 16), (16, 16), (0, 0))
    expected = np.roll(np.pad(x, margin), (down, right), axis=(1, 2))[:, 16 : 16 + height, 16 : 16 + width]
    np.testing.assert_array_equal(moved(x, Augmentation(shift=16), down=down / 16, right=right / 16), expected)


@given(size=st.integers(1, 29), turns=st.sampled_from([-2, -1, 1, 2]))
def test_a_quarter_turn_is_rot90(size, turns):
    x = pictures((2, size, size, 2))
    found = moved(x, Augmentation(rotation=180), rotation=turns / 2)
    np.testing.assert_allclose(found, np.rot90(x, turns, axes=(1, 2)), atol=1e-4)


def test_the_way_back_inverts_rotation_after_shear_after_stretching_then_shift():
    augmentation = Augmentation(shift=5, rotation=70, scale=0.8, shear=0.6)
    u = generator().uniform(-1, 1, (6, 50))
    maps = affine(augmentation, u)
    for n, (down, right, turn, size, aspect, shear) in enumerate(u.T):
        angle = np.deg2rad(70 * turn)
        # On (row, column), rows downwards: counterclockwise takes the column axis to the negative row axis.
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        slant = np.array([[1, 0], [0.6 * shear, 1]])
        stretch = np.diag([1.8 ** (size - aspect / 4), 1.8 ** (size + aspect / 4)])
        forward = rotation @ slant @ stretch
        shift = np.array([5 * down, 5 * right])
        np.testing.assert_allclose(forward @ maps[:, n, :2], np.eye(2), atol=1e-12)
        np.testing.assert_allclose(forward @ maps[:, n, 2] + shift, 0, atol=1e-12)


@given(shape=st.tuples(st.just(3), st.integers(1, 40), st.integers(1, 40)), seed=st.integers(0, 99))
def test_everything_turns_about_the_centre_of_the_picture(shape, seed):
    u = generator(seed).uniform(-1, 1, (6, 3))
    coordinates = Coordinates(shape, elastic=0)(affine(Augmentation(0, 180, 0.5, 0.5), u), rng=generator())
    centre = (np.array(shape[1:]) - 1) / 2
    np.testing.assert_allclose(coordinates.mean(axis=(2, 3), dtype=float).T, np.tile(centre, (3, 1)), atol=1e-4)


def test_a_shift_moves_the_centre_of_mass_up_to_its_range_and_no_further():
    x = np.repeat(blob(29, 2.0), 2000, axis=0)
    moves = centre_of_mass(augmented(x, Augmentation(shift=3)))
    assert np.abs(moves).max() <= 3 + 1e-3
    assert moves.min(axis=1).max() < -2.95
    assert moves.max(axis=1).min() > 2.95
    np.testing.assert_allclose(moves.mean(axis=1), 0, atol=0.15)
    np.testing.assert_allclose(moves.std(axis=1), 3 / np.sqrt(3), rtol=0.05)  # of a uniform number
    assert abs(np.corrcoef(moves)[0, 1]) < 0.1


@pytest.mark.parametrize("elastic", [0, 0.5])
def test_the_rest_leaves_the_centre_of_mass_where_it_was(elastic):
    x = np.repeat(blob(41, 3.0), 300, axis=0)
    moves = centre_of_mass(augmented(x, Augmentation(0, 25, 0.2, 0.3, elastic)))
    assert np.abs(moves).max() < (0.02 if elastic == 0 else 4 * elastic)
    np.testing.assert_allclose(moves.mean(axis=1), 0, atol=0.01 if elastic == 0 else 0.1)


def second_moments(x):
    """Return the covariance (N, 2, 2) of the light in pictures (N, S, S, 1), rows first."""
    t = np.arange(x.shape[1]) - (x.shape[1] - 1) / 2
    p = x[..., 0].astype(np.float64) / x.sum(axis=(1, 2, 3), dtype=np.float64)[:, None, None]
    row, column, mixed = (
        np.einsum("nij,i->n", p, t**2),
        np.einsum("nij,j->n", p, t**2),
        np.einsum("nij,i,j->n", p, t, t),
    )
    return np.stack([row, mixed, mixed, column], axis=1).reshape(-1, 2, 2)


def test_scaling_changes_size_and_aspect_within_their_ranges():
    x = np.repeat(blob(61, 5.0), 1000, axis=0)
    moments = second_moments(augmented(x, Augmentation(scale=0.2)))
    height, width = np.sqrt(moments[:, 0, 0] / 25), np.sqrt(moments[:, 1, 1] / 25)
    size, aspect = np.sqrt(height * width), width / height
    tolerance = 1.01  # reading between pixels blurs by up to half a pixel
    for found, limit in [(size, 1.2), (aspect, 1.2**0.5)]:
        assert 1 / limit / tolerance <= found.min() <= 1 / limit * 1.02
        assert limit / 1.02 <= found.max() <= limit * tolerance
        np.testing.assert_allclose(np.log(found).mean(), 0, atol=0.02)
        np.testing.assert_allclose(np.log(found).std(), np.log(limit) / np.sqrt(3), rtol=0.06)


def test_a_bar_turns_within_the_range_of_the_rotation():
    t = np.arange(61) - 30
    bar = (255 * np.exp(-(t[:, None] ** 2) / 18 - t**2 / 128)).astype(np.float32)[None, :, :, None]  # lies flat
    moments = second_moments(augmented(np.repeat(bar, 1000, axis=0), Augmentation(rotation=30)))
    angle = 0.5 * np.arctan2(2 * moments[:, 0, 1], moments[:, 1, 1] - moments[:, 0, 0])
    angle = np.rad2deg(angle)
    assert np.abs(angle).max() <= 30.3
    assert angle.min() < -29
    assert angle.max() > 29


def test_shear_slants_what_stood_upright():
    x = np.repeat(blob(61, 4.0), 1000, axis=0)
    moments = second_moments(augmented(x, Augmentation(shear=0.4)))
    slant = moments[:, 0, 1] / moments[:, 0, 0]  # x ← x + s y gives E[xy] = s E[y²]
    assert np.abs(slant).max() <= 0.4 + 0.005
    assert slant.min() < -0.38
    assert slant.max() > 0.38


# --------------------------------------------------------------------------------------------------- elastic distortion


def displacements(shape, elastic, seed=0):
    """Return how far each pixel's coordinates (2, N, H, W) are from its own place."""
    coordinates = Coordinates(shape, elastic=elastic)(affine(Augmentation(), draws(shape[0])), rng=generator(seed))
    own = np.stack(np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij"))
    return coordinates.astype(np.float64) - own[:, None]


@pytest.mark.parametrize("size", [(28, 28), (8, 8), (5, 40), (1, 1)])
@pytest.mark.parametrize("elastic", [0.3, 2.0])
def test_every_pixel_is_displaced_as_far_as_was_asked(size, elastic):
    field = displacements((4000, *size), elastic)
    np.testing.assert_allclose(field.std(axis=1), elastic, rtol=0.07)  # at the corners as in the middle
    np.testing.assert_allclose(field.std(), elastic, rtol=0.02)
    np.testing.assert_allclose(field.mean(axis=1), 0, atol=0.08 * elastic)


def test_displacements_are_smooth_and_the_two_directions_independent():
    field = displacements((4000, 28, 28), 1.0)
    for distance in (1, 4, 8, 16):
        expected = np.exp(-((distance / SMOOTHING) ** 2) / 4)
        along = (field[..., :, distance:] * field[..., :, :-distance]).mean(axis=(1, 2, 3))
        across = (field[..., distance:, :] * field[..., :-distance, :]).mean(axis=(1, 2, 3))
        np.testing.assert_allclose([along, across], expected, atol=0.02)
    assert abs(field.mean()) < 0.015
    assert abs((field[0] * field[1]).mean()) < 0.02
    assert abs((field[:, 1:] * field[:, :-1]).mean()) < 0.02  # nor does one picture's tell the next one's


@given(size=st.integers(1, 60))
def test_the_coarse_grid_of_noise_gives_the_correlations_of_a_fine_one(size):
    k = gauss(size)
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    np.testing.assert_allclose(k @ k.T, np.exp(-((distance / SMOOTHING) ** 2) / 4), atol=2e-4)


def test_an_affine_map_and_a_distortion_add_up():
    maps = affine(EVERYTHING, generator(1).uniform(-1, 1, (6, 5)))
    straight = Coordinates((5, 14, 9), elastic=0)(maps, rng=generator())
    both = Coordinates((5, 14, 9), elastic=2)(maps, rng=generator())
    np.testing.assert_allclose(both - straight, displacements((5, 14, 9), 2), atol=1e-5)


# ------------------------------------------------------------------------------------------- repeatable, and no waste


@given(shape=SHAPES, augmentation=AUGMENTATIONS)
def test_equal_generators_give_equal_pictures(shape, augmentation):
    x = pictures(shape)
    np.testing.assert_array_equal(augmented(x, augmentation), augmented(x, augmentation))


def test_every_call_and_every_picture_is_another():
    x = np.repeat(pictures((1, 28, 28, 1)), 3, axis=0)
    augment = Augmenter(EVERYTHING, rng=generator())
    first, second = (augment(x, np.empty(x.shape, np.float32)) for _ in range(2))
    found = [*first, *second]
    assert all((a != b).any() for i, a in enumerate(found) for b in found[:i])


@given(calls=st.lists(st.integers(1, 5), max_size=4), augmentation=AUGMENTATIONS)
def test_the_state_of_the_generator_alone_decides_what_comes(calls, augmentation):
    rng = generator()
    augment = Augmenter(augmentation, rng=rng)
    for n in calls:
        x = pictures((n, 6, 6, 1), seed=n)
        augment(x, np.empty(x.shape, np.float32))
    heir = Augmenter(augmentation, rng=generator(1))
    heir.rng.bit_generator.state = rng.bit_generator.state
    for n in (2, 5):
        x = pictures((n, 6, 6, 1))
        np.testing.assert_array_equal(*(a(x, np.empty(x.shape, np.float32)) for a in (augment, heir)))
    np.testing.assert_equal(heir.rng.bit_generator.state, rng.bit_generator.state)


def test_what_is_drawn_depends_neither_on_the_pictures_nor_on_what_else_is_switched_on():
    states = []
    for seed, augmentation in [(0, Augmentation(shift=1)), (1, Augmentation(rotation=9, scale=0.2, shear=0.1))]:
        augment = Augmenter(augmentation, rng=generator())
        augment(pictures((4, 6, 6, 1), seed=seed), np.empty((4, 6, 6, 1), np.float32))
        states.append(augment.rng.bit_generator.state)
    np.testing.assert_equal(*states)


def test_an_augmentation_changed_between_calls_counts_from_the_next():
    x = pictures((4, 10, 10, 1))
    augment = Augmenter(Augmentation(shift=2), rng=generator(1))
    augment(x, np.empty(x.shape, np.float32))
    augment.augmentation, augment.rng = EVERYTHING, generator()
    np.testing.assert_array_equal(augment(x, np.empty(x.shape, np.float32)), augmented(x))


def test_pictures_can_be_changed_in_place():
    x = pictures((4, 10, 10, 1), np.float32)
    expected = augmented(x)
    augment = Augmenter(EVERYTHING, rng=generator())
    assert augment(x, x) is x
    np.testing.assert_array_equal(x, expected)


def memory_of_a_call(n):
    """Return the bytes that further calls on n pictures leave behind, and the most that they take on the way."""
    x, out = pictures((n, 28, 28, 1)), np.empty((n, 28, 28, 1), np.float32)
    augment = Augmenter(EVERYTHING, rng=generator())
    assert augment(x, out) is out
    return memory_of(lambda: augment(x, out), steps=3, before=1)


def test_once_the_first_batch_is_through_nothing_the_size_of_a_picture_is_made():
    (left, few), (_, many) = memory_of_a_call(100), memory_of_a_call(400)
    assert left < 10_000
    # NumPy's own buffers are of one size. What grows is the noise, 14 × 14 bytes twice, and the draws.
    assert (many - few) / 300 < 28 * 28 * 4 / 6


# --------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("shift", -1, "shift must be from 0 to 100, not -1."),
        ("rotation", 181, "rotation must be from 0 to 180, not 181."),
        ("scale", 11, "scale must be from 0 to 10, not 11."),
        ("shear", -0.1, "shear must be from 0 to 10, not -0.1."),
        ("elastic", float("nan"), "elastic must be from 0 to 100, not nan."),
        ("elastic", float("inf"), "elastic must be from 0 to 100, not inf."),
    ],
)
def test_ranges_out_of_range(name, value, sentence):
    with pytest.raises(InputError) as error:
        Augmentation(**{name: value})
    assert str(error.value) == sentence


def test_the_widest_ranges_still_give_pictures():
    x = pictures((50, 10, 10, 1))
    found = augmented(x, Augmentation(100, 180, 10, 10, 100))
    assert found.min() >= 0
    assert found.max() <= 255
    assert found.any()


@pytest.mark.parametrize("shapes", [((4, 6, 6), (4, 6, 6)), ((4, 6, 6, 1), (3, 6, 6, 1))])
def test_arrays_of_the_wrong_shape_are_refused(shapes):
    x, out = (np.zeros(shape, np.float32) for shape in shapes)
    with pytest.raises(ValueError, match=r"pictures must be \(N, H, W, C\)"):
        Augmenter(EVERYTHING, rng=generator())(x, out)
