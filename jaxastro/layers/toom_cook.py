"""Short 1-D convolutions with fewer products than taps times outputs."""

import numpy as np

from jaxastro.errors import InputError

# Evaluation points. Their powers are small, so float32 loses at most one digit.
POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
MOST = len(POINTS) + 1  # largest number of products; the last point is infinity


def num_products(frames: int, taps: int, pad: int) -> int:
    """Returns the number of products of the cheaper of the two forms of toom_cook.

    Source: Winograd 1980, Arithmetic Complexity of Computations.
    Differs: none.
    """
    return min(frames + taps - 1, frames + 2 * pad)


def toom_cook(
    frames: int, taps: int, pad: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns matrices A, G, C of a convolution with the fewest products.

        out_s = sum over j of x[s + j - pad] w[j]  =  (C ((A x) * (G w)))_s

    The product of two polynomials, of degree m - 1, is determined by its values at m
    points: one product each. This form needs few products with much padding. Its
    transpose, with A^T in place of C, needs few without padding. Three frames padded by
    two, or five frames without padding, need 5 products instead of 9.

    Args:
        frames: length of x.
        taps: length of w.
        pad: zeros on either side of x, less than taps.
    Returns:  A [m frames], G [m taps], C [outputs m], float64.
    Raises:
        InputError: if more than MOST products are needed.
    Source: Toom 1963; Cook 1966; transpose: Winograd 1980, Arithmetic Complexity of
        Computations.
    Differs: none.
    """
    outputs, products = frames + 2 * pad - taps + 1, num_products(frames, taps, pad)
    if products > MOST:
        raise InputError(
            f"{frames} frames and {taps} taps need {products} products. There are "
            f"points for {MOST}. Use shorter chunks."
        )
    points = POINTS[: products - 1]
    solve = np.linalg.inv(_powers(points, products))
    if products == frames + taps - 1:
        first = taps - 1 - pad  # earlier outputs depend on zeros beyond the padding
        rows = solve[first : first + outputs]
        return _powers(points, frames), _powers(points, taps)[:, ::-1], rows
    columns = solve.T[:, pad : pad + frames]
    return columns, _powers(points, taps), _powers(points, outputs).T


def _powers(points: tuple[float, ...], count: int) -> np.ndarray:
    """Returns [m count], the matrix that evaluates a polynomial at the points."""
    infinity = np.eye(count)[-1:]  # at infinity: the coefficient of the highest power
    return np.concatenate([np.vander(points, count, increasing=True), infinity])
