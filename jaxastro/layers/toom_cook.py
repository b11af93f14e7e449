"""Short convolutions in time with fewer products than taps times outputs."""

import numpy as np

from jaxastro.errors import InputError

# Small numbers, so that their powers stay small: float32 loses a digit at most.
POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
MOST = len(POINTS) + 1  # products there are points for; the last point is infinity


def num_products(frames: int, taps: int, pad: int) -> int:
    """Returns how many products the shorter of toom_cook's two forms needs.

    Source: Winograd 1980, Arithmetic Complexity of Computations.
    Differs: none.
    """
    return min(frames + taps - 1, frames + 2 * pad)


def toom_cook(
    frames: int, taps: int, pad: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns matrices A, G, C of a convolution in time with as few products as can be.

        out_s = sum over j of x[s + j - pad] w[j]  =  (C ((A x) * (G w)))_s

    A polynomial of degree m - 1, the product of two others, is known from its values
    at m points: one product each. That is the form for much padding. Read backwards,
    as A^T stands for C, it is the form for none. Three frames padded by two, and five
    frames that are not, need 5 products for 9.

    Args:
        frames: of x. taps: of w. pad: zeros on either side of x, less than taps.
    Returns:  A [m frames], G [m taps], C [outputs m], float64.
    Raises:   ValueError: if more than MOST products are needed.
    Source: Toom 1963; Cook 1966; backwards: Winograd 1980, Arithmetic Complexity of
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
        first = taps - 1 - pad  # outputs before it see zeros that are not there
        rows = solve[first : first + outputs]
        return _powers(points, frames), _powers(points, taps)[:, ::-1], rows
    columns = solve.T[:, pad : pad + frames]
    return columns, _powers(points, taps), _powers(points, outputs).T


def _powers(points: tuple[float, ...], count: int) -> np.ndarray:
    """Returns [m count], a polynomial's values at the points by its coefficients."""
    infinity = np.eye(count)[-1:]  # where only the highest power counts
    return np.concatenate([np.vander(points, count, increasing=True), infinity])
