"""Two directions: those of a decomposition, found without one, and without a jump."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.projection import PrincipalPlane


def cloud(n: int, d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.Generator(np.random.SFC64(seed))
    return (rng.standard_normal((n, d)) * np.geomspace(5, 0.1, d) + 3).astype(np.float32)


@pytest.mark.parametrize(("n", "d"), [(250, 20), (30, 100), (10, 2)])
def test_it_is_the_plane_of_the_leading_singular_vectors(n, d):
    points = cloud(n, d)
    plane = PrincipalPlane()
    coordinates, share = plane.project(points)
    centred = points - points.mean(axis=0)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    assert share == pytest.approx(np.sum(values[:2] ** 2) / np.sum(values**2), rel=5e-3)
    for _ in range(30):
        plane.project(points)
    expected = centred @ vectors[:2].T
    np.testing.assert_allclose(np.abs(plane.project(points)[0]), np.abs(expected), atol=0.01 * np.abs(expected).max())
    assert coordinates.shape == (n, 2)
    np.testing.assert_allclose(coordinates.mean(axis=0), 0, atol=1e-4)


def test_a_cloud_that_moves_a_little_moves_a_little():
    plane = PrincipalPlane()
    points, drift = cloud(200, 10), cloud(200, 10, seed=1)
    before = plane.project(points)[0]
    for part in range(1, 50):
        now = plane.project(points + 0.01 * part * drift)[0]
        assert np.abs(now - before).max() < 0.1 * np.abs(before).max()
        before = now


def test_on_a_line_the_second_coordinate_is_zero():
    along = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    for points in (along, along * np.float32([3, 4])):
        plane = PrincipalPlane()
        for _ in range(3):
            coordinates, share = plane.project(points)
        length = np.linalg.norm(points - points.mean(axis=0), axis=1)
        np.testing.assert_allclose(np.abs(coordinates), np.column_stack([length, 0 * length]), atol=1e-5)
        assert share == pytest.approx(1)


def test_points_that_are_all_the_same_are_at_the_origin():
    plane = PrincipalPlane()
    for points in (np.full((5, 3), 7, np.float32), np.zeros((5, 3), np.float32)):
        coordinates, share = plane.project(points)
        np.testing.assert_array_equal(coordinates, 0)
        assert share == 0
    # and from there it finds the plane of others
    assert plane.project(cloud(50, 3))[1] > 0.5


@pytest.mark.parametrize("size", [1e-42, 1e-25, 1e25, 1e37])
@pytest.mark.filterwarnings("error")
def test_the_size_of_the_numbers_does_not_matter(size):
    points = cloud(50, 8)
    expected, share = PrincipalPlane().project(points)
    coordinates, found = PrincipalPlane().project(points * np.float32(size))
    assert found == pytest.approx(share, rel=0.01)
    np.testing.assert_allclose(coordinates / size, expected, atol=0.01 * np.abs(expected).max())
