import math
import warnings

import numpy as np
import pytest
import scipy.integrate
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_models import unet

from hspace.geometry import (
    PullbackMetric,
    along,
    between,
    chord_length,
    geodesics,
    graph,
    path_length,
    polar,
    principal_cosines,
    second_derivative,
    sheet,
    shoot,
    transport,
    walk,
    whitened,
)
from hspace.geometry.maps import twice_differentiable
from hspace.jacobian import Jacobian
from hspace.krylov import svd
from hspace.model import DiffusionModel

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
few = settings(deadline=None, max_examples=15)


def tensor(*values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype)


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def sphere(z):
    """Colatitude and longitude → the unit sphere."""
    return torch.stack([z[0].sin() * z[1].cos(), z[0].sin() * z[1].sin(), z[0].cos()])


def torus(z):
    """Angle around the hole, 2 from the axis, and around the tube, of radius 1 → the torus."""
    ring = 2 + z[1].cos()
    return torch.stack([ring * z[0].cos(), ring * z[0].sin(), z[1].sin()])


def curved(n, m, seed=0, dtype=torch.float64):
    """A smooth map from n to m dimensions, and of full rank: linear and a third as much sine."""
    A, B = noise(m, n, seed=seed, dtype=dtype), noise(m, n, seed=seed + 1, dtype=dtype)
    return lambda x: A @ x.flatten() + torch.sin(B @ x.flatten()) / 3


def look(f, x, k, tol=1e-10):
    return svd(Jacobian(f, x), k, tol=tol)


def great_circle(z, v, length, steps):
    """Points (steps + 1, 3) from sphere(z) along v, by cosine and sine."""
    a, e = sphere(z), Jacobian(sphere, z) @ v
    t = torch.linspace(0, length, steps + 1, dtype=z.dtype)[:, None]
    return a * t.cos() + e / e.norm() * t.sin()


def torus_geodesic(z, v, length, steps):
    """Points (steps + 1, 2) and velocities of the geodesic equation with Christoffel symbols, by DOP853 at 1e-12."""

    def slope(t, y):
        sin, ring = math.sin(y[1]), 2 + math.cos(y[1])
        return [y[2], y[3], 2 * sin / ring * y[2] * y[3], -ring * sin * y[2] ** 2]

    speed = math.hypot((2 + math.cos(z[1])) * v[0], v[1])
    start = [*z.tolist(), *(v / speed).tolist()]
    times = np.linspace(0, length, steps + 1)
    solved = scipy.integrate.solve_ivp(slope, (0, length), start, "DOP853", times, rtol=1e-12, atol=1e-12)
    return torch.from_numpy(solved.y.T).split(2, dim=1)


def mapped(f, points):
    return torch.stack([f(z) for z in points])


def order(error, coarse):
    """log₂ of how much smaller the error gets where there are twice as many steps."""
    return math.log2(error(coarse) / error(2 * coarse))


Z, V = tensor(1.0, 0.3), tensor(0.4, 0.7)


# The metric


@few
@given(n=st.integers(1, 6), m=st.integers(1, 6), seed=st.integers(0, 99), white=st.booleans())
def test_metric_is_that_of_the_dense_jacobian(n, m, seed, white):
    f, x, u, v = curved(n, m, seed), noise(n, seed=2), noise(n, seed=3), noise(n, seed=4)
    W = noise(3, m, seed=5) if white else torch.eye(m, dtype=torch.float64)
    metric = PullbackMetric(f, x, whiten=W if white else None)
    J = W @ torch.func.jacrev(f)(x)
    G = J.T @ J
    assert metric.inner(u, v) == pytest.approx((u @ G @ v).item(), rel=1e-9, abs=1e-9)
    assert metric.inner(u, v) == pytest.approx(metric.inner(v, u), rel=1e-12, abs=1e-12)
    assert metric.norm(v) == pytest.approx((v @ G @ v).sqrt().item(), rel=1e-6)
    torch.testing.assert_close(metric.apply(v), G @ v)
    cosine = metric.inner(u, v) / metric.norm(u) / metric.norm(v)
    assert math.cos(metric.angle(u, v)) == pytest.approx(cosine, abs=1e-9)
    assert metric.angle(u, -v) == pytest.approx(math.pi - metric.angle(u, v), abs=1e-9)


def test_metric_of_the_sphere():
    """diag(1, sin² θ) for colatitude and longitude."""
    metric = PullbackMetric(sphere, Z)
    torch.testing.assert_close(metric.apply(V), V * tensor(1, math.sin(1) ** 2))
    assert metric.angle(tensor(1, 0), tensor(0, 1)) == pytest.approx(math.pi / 2)
    assert metric.rank() == 2 and metric.kernel().shape == (2, 0)


def test_small_angles_are_exact():
    metric = PullbackMetric(lambda x: x, torch.zeros(2, dtype=torch.float64))
    assert metric.angle(tensor(1, 0), tensor(1, 1e-10)) == pytest.approx(1e-10, rel=1e-6)


@few
@given(n=st.integers(1, 9), m=st.integers(1, 9), share=st.floats(0, 1), seed=st.integers(0, 99))
@example(n=5, m=7, share=0.2, seed=75)  # to its one direction the first random vector is nearly at right angles
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rank_and_kernel(n, m, share, seed, dtype):
    r = round(share * min(m, n))
    A = torch.linalg.qr(noise(m, r, seed=seed)).Q @ torch.linalg.qr(noise(n, r, seed=seed + 1)).Q.T
    metric = PullbackMetric(lambda x: A.to(dtype) @ x, noise(n, dtype=dtype))
    N, v = metric.kernel(), noise(n, seed=7, dtype=dtype)
    assert metric.rank() == r and N.shape == (n, n - r)
    eps = 100 * torch.finfo(dtype).eps
    assert (N.T @ N - torch.eye(n - r)).abs().le(eps).all() and (A.to(dtype) @ N).abs().le(eps).all()
    seen, unseen = metric.split(v)
    torch.testing.assert_close(seen + unseen, v)
    assert metric.norm(unseen) <= eps * v.norm() and metric.in_kernel(N.sum(1) if r < n else 0 * v)


def test_rank_by_svd_where_j_is_too_large():
    A, B = noise(2500, 6), noise(6, 2000, seed=1)
    metric = PullbackMetric(lambda x: A @ torch.sin(B @ x), 0.01 * noise(2000, seed=2))
    with pytest.raises(ValueError, match=r"2500 × 2000.*pass k"):
        metric.rank()
    with pytest.raises(ValueError, match=r"all k = 4 .*larger k"):
        metric.rank(k=4)
    assert metric.rank(k=9) == 6
    assert metric.kernel(k=9).shape == (2000, 1994)
    assert metric.in_kernel(metric.split(noise(2000, seed=3), k=9)[1], tol=1e-3)


def test_a_basis_of_a_large_kernel():
    with pytest.raises(ValueError, match=r"n = 2100.*split"):
        PullbackMetric(lambda x: x[:2], noise(2100)).kernel()


def test_directions_in_the_kernel_have_no_angle():
    metric = PullbackMetric(lambda x: x[:2] + x[1:], noise(3))
    assert metric.in_kernel(tensor(1, -1, 1)) and not metric.in_kernel(tensor(1, -1, 1.001))
    with pytest.raises(ValueError, match=r"length 1\.7 .*kernel.*split"):
        metric.angle(tensor(1, 0, 0), tensor(1, -1, 1))


def test_whitening_by_the_inverse_root_makes_an_isometry():
    A = noise(3, 3)
    metric = PullbackMetric(lambda x: A @ x, noise(3), whiten=torch.linalg.inv(A))
    u, v = noise(3, seed=1), noise(3, seed=2)
    assert metric.inner(u, v) == pytest.approx((u @ v).item())


def latitude(colatitude, steps):
    phi = torch.linspace(0, 2 * math.pi, steps + 1, dtype=torch.float64)
    return torch.stack([torch.full_like(phi, colatitude), phi], 1)


def test_length_of_a_latitude_circle():
    exact = 2 * math.pi * math.sin(1)
    assert path_length(sphere, latitude(1, 3)) == pytest.approx(exact, rel=1e-12)
    assert order(lambda n: exact - chord_length(sphere, latitude(1, n)), 12) >= 1.9
    double = 2 * torch.eye(3, dtype=torch.float64)
    assert path_length(sphere, latitude(1, 3), whiten=double) == pytest.approx(2 * exact, rel=1e-12)
    assert chord_length(sphere, latitude(1, 9), double) == pytest.approx(2 * chord_length(sphere, latitude(1, 9)))


def test_length_of_a_line_in_the_chart():
    """θ from 0.3 to 1.3 and φ = 2 θ on the sphere, against scipy's quadrature."""
    exact = scipy.integrate.quad(lambda a: math.hypot(1, 2 * math.sin(a)), 0.3, 1.3, epsabs=1e-12)[0]
    points = torch.linspace(0.3, 1.3, 5, dtype=torch.float64)[:, None] * tensor(1, 2)
    assert path_length(sphere, points) == pytest.approx(exact, rel=1e-7)
    assert path_length(sphere, points, nodes=8) == pytest.approx(exact, rel=1e-12)


def test_length_of_a_point():
    for length in (path_length, chord_length):
        with pytest.raises(ValueError, match="path of 1 points"):
            length(sphere, Z[None])


# Transport


@few
@given(m=st.integers(1, 9), n=st.integers(1, 9), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_transport_keeps_lengths_and_angles(m, n, share, seed):
    k = 1 + int(share * (min(m, n) - 1))
    here, there = (svd(noise(m, n, seed=s), k, tol=1e-10) for s in (seed, seed + 100))
    v = here.V @ noise(k, 3, seed=5)
    w = transport(v, here, there)
    before, after = here.push(v), there.push(w)
    torch.testing.assert_close(after.T @ after, before.T @ before, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(transport(w, there, here), v, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(transport(v[:, 1], here, there), w[:, 1])
    assert principal_cosines(here, there).le(1).all()


@few
@given(k=st.integers(1, 8), seed=st.integers(0, 99))
def test_polar_factor_is_scipy_s(k, seed):
    M = noise(k, k, seed=seed)
    torch.testing.assert_close(polar(M), torch.from_numpy(scipy.linalg.polar(M.numpy())[0]), rtol=1e-8, atol=1e-8)


def test_in_flat_h_nothing_turns():
    """Where J has full row rank, J v stays what it is, whatever the path."""
    f, points = curved(5, 2), 0.3 * noise(6, 5, seed=3)
    path = [look(f, x, 2) for x in points]
    carried = along(path[0].V[:, 0], path)
    for S, v in zip(path, carried, strict=True):
        torch.testing.assert_close(S.push(v), path[0].U[:, 0] * path[0].s[0])


def circle_path(colatitude, steps):
    path = [look(sphere, z, 2) for z in latitude(colatitude, steps)[:-1]]
    return [*path, path[0]]


def turned(u, w):
    """The angle from u to w about the normal at the start of the latitude circle, in (-π, π]."""
    normal = sphere(tensor(1.0, 0.0))
    return math.atan2(torch.linalg.cross(u, w) @ normal, u @ w)


def holonomy_error(steps, carry):
    """How far a vector carried once round colatitude 1 is from having turned by 2π(1 − cos θ)."""
    path = circle_path(1.0, steps)
    u = path[0].U @ tensor(0.6, 0.8)
    angle = turned(u, carry(u, path)) - 2 * math.pi * (1 - math.cos(1.0))
    return abs(math.remainder(angle, 2 * math.pi))


def by_polar_factors(u, path):
    return path[-1].push(along(path[0].pull(path[0].U.T @ u), path)[-1])


def by_projection(u, path):
    for S in path[1:]:
        w = S.U @ (S.U.T @ u)
        u = w / w.norm()
    return u


def test_holonomy_on_a_latitude_circle_is_of_second_order():
    assert order(lambda n: holonomy_error(n, by_polar_factors), 12) >= 1.9
    assert holonomy_error(48, by_polar_factors) < 0.004


def test_projecting_and_renormalising_bends_angles():
    """Two orthogonal vectors, carried a quarter round by projection: first order in the angle between them."""

    def bend(steps):
        path = [look(sphere, z, 2) for z in latitude(1.0, 4 * steps)[: steps + 1]]
        a, b = (by_projection(path[0].U @ c, path) for c in (tensor(0.6, 0.8), tensor(0.8, -0.6)))
        return abs(math.asin(a @ b))

    assert bend(10) > 1e-3 and 0.8 < order(bend, 10) < 1.2


def test_along_keeps_lengths_and_angles_to_rounding():
    path = circle_path(1.0, 20)
    v = path[0].V @ noise(2, 2, seed=1)
    grams = [S.push(w).T @ S.push(w) for S, w in zip(path, along(v, path), strict=True)]
    torch.testing.assert_close(torch.stack(grams), grams[0].expand(21, 2, 2), rtol=1e-12, atol=1e-12)


def test_spaces_with_nothing_in_common():
    A, B = torch.zeros(4, 4, dtype=torch.float64), torch.zeros(4, 4, dtype=torch.float64)
    A[0, 0], A[1, 1], B[1, 0], B[2, 1] = 3, 2, 3, 2  # the spans of e1, e2 and of e2, e3
    here, there = svd(A, 2), svd(B, 2)
    assert principal_cosines(here, there).tolist() == pytest.approx([1, 0], abs=1e-15)
    with pytest.raises(ValueError, match=r"1 of the direction is orthogonal.*closer"):
        transport(here.V[:, 0], here, there)
    torch.testing.assert_close(there.push(transport(here.V[:, 1], here, there)), here.push(here.V[:, 1]))
    with pytest.raises(ValueError, match=r"length 2 has none in the first 2 dimensions.*raise k"):
        transport(tensor(0, 0, 2, 0), here, here)


# Walks


def walk_error(steps):
    points = walk(sphere, Z, V, 1.0, steps, 2).points
    a, e = sphere(Z), Jacobian(sphere, Z) @ V
    normal = torch.linalg.cross(a, e / e.norm())
    return (mapped(sphere, points) @ normal).abs().max().item()


def test_a_walk_with_all_directions_is_a_geodesic_at_first_order():
    assert 0.8 < order(walk_error, 8) < 1.3


def test_a_walk_says_what_it_did():
    f, x = curved(12, 8), noise(3, 4)
    v = look(f, x, 4).V @ tensor(1, 2, 3, 4) + 5 * look(f, x, 8).V[:, 7]
    path = walk(f, x, v, 0.6, 3, 4, tol=1e-6)
    assert path.points.shape == (4, 3, 4) and torch.equal(path.points[0], x)
    torch.testing.assert_close(path.points.diff(dim=0).flatten(1), 0.2 * path.directions)
    assert path.residuals.shape == (3, 4) and path.residuals.max() <= 1e-6 and path.converged
    assert path.substeps.tolist() == [1, 1, 1] and path.mismatch.max() < 0.5 and path.products > 0
    assert path.kept == pytest.approx(math.sqrt(30 / 55))
    torch.testing.assert_close(path.directions[0], look(f, x, 4).V @ tensor(1, 2, 3, 4) / math.sqrt(30))


def test_mismatch_is_found_against_predicted():
    path = walk(sphere, Z, tensor(1, 0), 0.4, 1, 2)  # along a meridian: f is a circle of radius 1
    predicted, found = 0.4 * Jacobian(sphere, Z).dense()[:, 0], sphere(Z + tensor(0.4, 0)) - sphere(Z)
    assert path.mismatch.item() == pytest.approx(((found - predicted).norm() / 0.4).item(), rel=1e-6)


def test_a_step_too_long_is_shortened_and_said():
    with pytest.warns(RuntimeWarning, match="1 of 1 steps were too long .* 4 shorter"):
        path = walk(sphere, Z, tensor(1, 0), 2.0, 1, 2, trust=0.3)
    assert path.substeps.tolist() == [4] and path.mismatch.max() <= 0.3 and path.converged
    torch.testing.assert_close(path.points[1], Z + tensor(2, 0))  # on a meridian, all the same


def test_a_step_too_long_that_may_not_be_shortened():
    with pytest.warns(RuntimeWarning, match="in step 1, h changes by .*raise steps"):
        path = walk(sphere, Z, tensor(1, 0), 2.0, 1, 2, trust=0.3, halvings=0)
    assert not path.converged and path.substeps.tolist() == [1]


def test_a_walk_out_of_the_domain():
    with pytest.raises(ValueError, match=r"f\(x\) holds NaN or inf"):
        walk(torch.log, tensor(1.0), tensor(-1.0), 1.0, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((lambda x: x[:2], noise(3), tensor(0, 0, 1), 1.0, 1, 2), "kernel"),
        ((lambda x: torch.stack([x.sum()] * 2), noise(3), tensor(1, 1, 1), 1.0, 1, 2), "singular value 2 of 2.*k = 1"),
        ((sphere, Z, V, -1.0, 1, 2), r"length = -1\.0.*-v"),
        ((sphere, Z, V, math.nan, 1, 2), "length = nan"),
        ((sphere, Z, V, 1.0, 0, 2), "steps = 0"),
        ((sphere, Z, V, 1.0, 1, 3), "k = 3"),
        ((sphere, Z, noise(3), 1.0, 1, 2), r"v of shape \(3,\)"),
    ],
)
def test_walks_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        walk(*arguments)


# Geodesics


def sphere_error(steps):
    points = shoot(sphere, Z, V, 2.0, steps).points
    return (mapped(sphere, points) - great_circle(Z, V, 2.0, steps)).norm(dim=1).max().item()


def test_geodesics_of_the_sphere_are_great_circles():
    assert order(sphere_error, 8) >= 3.7 and sphere_error(16) < 1e-5
    path = shoot(sphere, Z, V, 2.0, 16)
    assert path.converged and path.drift < 1e-5 and path_length(sphere, path.points) == pytest.approx(2, rel=1e-2)


def test_geodesics_of_the_torus_against_an_ode_solver():
    def error(steps):
        path = shoot(torus, Z, V, 4.0, steps)
        z, v = torus_geodesic(Z, V, 4.0, steps)
        return max((path.points - z).abs().max().item(), (path.velocities - v).abs().max().item())

    assert order(error, 12) >= 3.7 and error(24) < 1e-4


def test_a_reversed_geodesic_returns():
    def error(steps):
        there = shoot(torus, Z, V, 3.0, steps)
        back = shoot(torus, there.points[-1], -there.velocities[-1], 3.0, steps)
        return (back.points.flip(0) - there.points).norm(dim=1).max().item()

    assert order(error, 8) >= 3.7


@settings(deadline=None, max_examples=4)
@given(seed=st.integers(0, 99))
def test_a_flat_chart_has_straight_lines(seed):
    """A local diffeomorphism of the plane curves the coordinates, not the space: in h the geodesics are straight."""
    A = torch.linalg.qr(noise(2, 2, seed=seed)).Q

    def f(x):
        return x + 0.4 * torch.sin(A @ x)

    x, v = noise(2, seed=seed), noise(2, seed=seed + 1)
    path = shoot(f, x, v, 1.0, 8)
    u = Jacobian(f, x) @ v
    line = f(x) + torch.linspace(0, 1, 9, dtype=torch.float64)[:, None] * u / u.norm()
    torch.testing.assert_close(mapped(f, path.points), line, rtol=0, atol=1e-4)
    assert (path.points - torch.lerp(path.points[0], path.points[-1], tensor(0.5))).norm(dim=1).min() > 1e-4


def test_any_shape_and_float32():
    path = shoot(lambda z: sphere(z.flatten()), Z.float()[:, None], V.float(), 2.0, 16)
    assert path.points.shape == (17, 2, 1) and path.velocities.shape == (17, 2) and path.converged
    torch.testing.assert_close(
        mapped(sphere, path.points.flatten(1).double()), great_circle(Z, V, 2.0, 16), rtol=0, atol=1e-5
    )


def test_the_graph_of_a_hemisphere_is_a_sphere():
    """The height √(1 − |x|²) has a kernel everywhere, and its graph has great circles."""

    def height(x):
        return (1 - x.square().sum()).sqrt().view(1)

    x, v = tensor(0.2, -0.3), tensor(1.0, 0.5)
    f = graph(height, 1.0)
    path = shoot(f, x, v, 0.8, 16)
    e = Jacobian(f, x) @ v
    t = torch.linspace(0, 0.8, 17, dtype=torch.float64)[:, None]
    torch.testing.assert_close(mapped(f, path.points), f(x) * t.cos() + e / e.norm() * t.sin(), rtol=0, atol=1e-6)
    J, metric = Jacobian(height, x).dense(), PullbackMetric(graph(height, 0.1), x)
    torch.testing.assert_close(metric.apply(v), J.T @ J @ v + 0.01 * v)


def test_many_coordinates_go_by_conjugate_gradients(monkeypatch):
    A = noise(20, 300) / 10
    f, x, v = graph(lambda x: torch.sin(A @ x), 0.5), noise(300, seed=1), noise(300, seed=2)
    path = shoot(f, x, v, 0.5, 2)
    monkeypatch.setattr(geodesics, "DENSE", 300)
    torch.testing.assert_close(path.points, shoot(f, x, v, 0.5, 2).points, rtol=0, atol=1e-8)
    assert path.converged


def test_conjugate_gradients_that_do_not_settle(monkeypatch):
    monkeypatch.setattr(geodesics, "ITERATIONS", 2)
    A = noise(20, 300)
    with pytest.warns(RuntimeWarning, match="did not settle.*larger eps"):
        path = shoot(graph(lambda x: torch.sin(A @ x), 0.1), 0 * A[0] + 0.3, A[0], 1e-3, 1)
    assert not path.converged


def test_sheet():
    f, x, B = curved(12, 8), noise(3, 4), noise(12, 2, seed=5)
    S = sheet(f, x, B)
    torch.testing.assert_close(
        Jacobian(S, tensor(0.1, 0.2)).dense(), Jacobian(f, x + (B @ tensor(0.1, 0.2)).view(3, 4)).dense() @ B
    )
    plane = sheet(lambda x: 2 * x, x, B)
    path = shoot(plane, torch.zeros(2, dtype=torch.float64), tensor(1, 1), 3.0, 2)
    torch.testing.assert_close(path.points[1], path.points[2] / 2)
    assert (plane(path.points[2]) - 2 * x).norm().item() == pytest.approx(3)
    with pytest.raises(ValueError, match=r"V of shape \(2, 12\).*\(12, k\)"):
        sheet(f, x, B.T)
    with pytest.raises(ValueError, match="eps = 0"):
        graph(f, 0)


def test_turning_h_leaves_geodesics_alone():
    Q = torch.linalg.qr(noise(3, 3)).Q
    torch.testing.assert_close(shoot(whitened(torus, Q), Z, V, 1.0, 2).points, shoot(torus, Z, V, 1.0, 2).points)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((sphere, tensor(0.0, 0.3), V, 1.0, 4), "loses rank.* down to 0.*graph"),
        ((lambda z: sphere(z.sum() * V), Z, tensor(1, -1), 1.0, 4), "loses rank"),
        ((lambda z: z[:2], noise(3), noise(3), 1.0, 4), r"no immersion: J of shape \(2, 3\).*sheet of at most 2"),
        ((sphere, Z, 0 * V, 1.0, 4), "v of length 0 .*kernel"),
        ((sphere, Z, V, 0.0, 4), r"length = 0\.0"),
        ((sphere, Z, V, 1.0, 0), "steps = 0"),
        ((sphere, tensor(0.05, 0.3), tensor(0.0, 1), 3.0, 2), "steps = 2 are too few"),
    ],
)
def test_geodesics_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        shoot(*arguments)


def test_a_direction_in_the_kernel_where_the_rank_is_not_checked(monkeypatch):
    monkeypatch.setattr(geodesics, "DENSE", 1)
    with pytest.raises(ValueError, match=r"length 1\.4 .*kernel.*another direction"):
        shoot(lambda z: sphere(z.sum() * V), Z, tensor(1, -1), 1.0, 4)


def test_speed_that_is_not_kept_is_said():
    with pytest.warns(RuntimeWarning, match="speed changed by.*raise steps"):
        path = shoot(torus, Z, V, 8.0, 5)
    assert not path.converged and path.drift > 1e-3


# Between two points


def test_distance_on_the_sphere():
    a, b = tensor(0.5, 0.2), tensor(1.4, 2.0)
    exact = math.acos(sphere(a) @ sphere(b))
    path = between(sphere, a, b, 8)
    e = sphere(b) - sphere(a) * math.cos(exact)
    t = torch.linspace(0, exact, 9, dtype=torch.float64)[:, None]
    torch.testing.assert_close(
        mapped(sphere, path.points), sphere(a) * t.cos() + e / e.norm() * t.sin(), rtol=0, atol=1e-9
    )
    assert path.converged and path.drift < 1e-9
    assert order(lambda n: exact - between(sphere, a, b, n).length, 4) >= 1.9


def test_geodesics_between_points_of_the_torus():
    def errors(steps):
        z, v = torus_geodesic(Z, V, 2.5, steps)
        path = between(torus, z[0], z[-1], steps)
        assert path.converged
        return tensor((path.points - z).norm(dim=1).max(), abs(path.length - 2.5), (path.velocities[0] - v[0]).norm())

    rates = (errors(12) / errors(24)).log2()
    assert rates.min() >= 1.9


def test_a_bent_path_is_pulled_straight_on_a_long_helix():
    """On the cylinder, flat but bent in H by more than half a turn, where steps without h″ overshoot."""

    def cylinder(z):
        return torch.stack([z[0].cos(), z[0].sin(), z[1]])

    a, b = tensor(0.0, 0.0), tensor(5.0, 1.0)
    straight = a + torch.linspace(0, 1, 13, dtype=torch.float64)[:, None] * (b - a)
    bump = 0.4 * torch.sin(math.pi * torch.linspace(0, 1, 13, dtype=torch.float64))[:, None]
    bent = torch.cat([a[None], (straight + bump)[1:-1], b[None]])
    path = between(cylinder, a, b, 12, path=bent)
    assert path.converged
    torch.testing.assert_close(path.points, straight, rtol=0, atol=1e-9)
    assert path.length == pytest.approx(12 * math.hypot(2 * math.sin(5 / 24), 1 / 12), rel=1e-12)


def test_between_in_float32():
    a, b = tensor(0.5, 0.2), tensor(1.4, 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = between(sphere, a.float(), b.float(), 6)
    torch.testing.assert_close(path.points.double(), between(sphere, a, b, 6).points, rtol=0, atol=1e-4)
    assert path.converged and torch.equal(path.points[-1], b.float())


def test_between_without_convergence():
    with pytest.warns(RuntimeWarning, match="still moved by .*raise rounds"):
        path = between(torus, Z, Z + tensor(1.5, 1.5), 6, rounds=1)
    assert not path.converged


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((sphere, Z, Z), {}, "same point"),
        ((sphere, Z, V), {"steps": 1}, "steps = 1"),
        ((lambda x: x, noise(1000), noise(1000, seed=1)), {}, "1000 coordinates.*sheet"),
        ((sphere, Z, V), {"path": torch.zeros(3, 2)}, r"path of shape \(3, 2\) must be \(17, 2\)"),
        ((sphere, tensor(-1.0, 0.3), tensor(1.0, 0.3)), {"steps": 4}, "loses rank"),
        ((lambda z: z[:1], noise(2), noise(2, seed=1)), {}, "no immersion"),
    ],
)
def test_paths_that_cannot_be(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        between(*arguments, **options)


# A network


@pytest.fixture(scope="module")
def bottleneck():
    """x ↦ h of a small U-Net with group norms, SiLU and attention, in float64: (1, 3, 8, 8) → (1, 16, 4, 4)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = DiffusionModel(unet(size=8).double(), torch.linspace(0.999, 0.01, 1000), "v_prediction")
    return lambda x: model.h(x, 600)


X = noise(1, 3, 8, 8, seed=1)


def test_second_derivative_of_a_network(bottleneck):
    v, e = noise(192, seed=2), 1e-3
    v = v / v.norm()
    with torch.no_grad():
        back, here, ahead = (bottleneck(X + s * e * v.view_as(X)).flatten() for s in (-1, 0, 1))
        torch.testing.assert_close(twice_differentiable(bottleneck)(X).flatten(), here)
    exact = second_derivative(bottleneck, X, v)
    assert (exact - (ahead - 2 * here + back) / e**2).norm() <= 1e-5 * exact.norm()


def test_geodesic_of_a_network_s_sheet_has_no_tangential_acceleration(bottleneck):
    """By second differences of h alone, against the bend that the straight line in X has there."""
    S = look(bottleneck, X, 2, tol=1e-6)
    f, z = sheet(bottleneck, X, S.V), torch.zeros(2, dtype=torch.float64)
    path = shoot(f, z, tensor(1, 1), 1.0, 4)
    w = path.velocities[0]
    line = torch.stack([z, 0.25 * w, 0.5 * w])

    def tangential(points):
        h = mapped(lambda z: f(z).flatten(), points)
        return (Jacobian(f, points[1]).dense().T @ (h[2] - 2 * h[1] + h[0])).norm()

    with torch.no_grad():
        assert path.converged and tangential(path.points[:3]) < 0.02 * tangential(line)


def test_walk_through_a_network(bottleneck):
    S = look(bottleneck, X, 3, tol=1e-4)
    path = walk(bottleneck, X, S.V[:, 0], 0.5, 2, 3, tol=1e-4)
    assert path.points.shape == (3, 1, 3, 8, 8) and path.converged and path.kept == pytest.approx(1)
    there = look(bottleneck, path.points[1], 3, tol=1e-6)
    w = transport(S.V[:, 0], S, there)
    torch.testing.assert_close(path.directions[1], w / w.norm(), rtol=0, atol=1e-2)
