"""The linear head: 1,280 features become the numbers in which the 1,000 classes of the tower are told apart best,
and every class becomes a direction among them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
SHRINKAGE = 0.1  # of the covariance towards its diagonal: fewer pictures than would fill it


@dataclass(frozen=True)
class Head:
    """`weight` (numbers, 1280) and `bias` (numbers,) make a picture's vector of its features; `classes`
    (1000, numbers) are unit vectors: what a text that names the class should become."""

    weight: Matrix
    bias: Matrix
    classes: Matrix

    def __call__(self, features: Matrix) -> Matrix:
        return features @ self.weight.T + self.bias


def make_head(class_weights: Matrix, features: Matrix, numbers: int, sharpness: float) -> Head:
    """Inner products of a picture's vector with a class's are the tower's own logits, less what all classes share.

    Features are whitened, so that a vector's length says little and the cosine ranks as the logit does; then the
    class weights are split by SVD between the two sides. `sharpness` is the power of the singular values that goes
    to the picture: with 0 all directions count alike, with 1 only those that tell classes apart.
    """
    mean = features.mean(axis=0)
    white, colour = _whitening(features - mean)
    apart = (class_weights - class_weights.mean(axis=0)) @ colour
    left, strength, right = np.linalg.svd(apart, full_matrices=False)
    strength = strength[:numbers] / strength[0]
    weight = (strength**sharpness)[:, None] * (right[:numbers] @ white)
    scale = 1 / np.linalg.norm((features - mean) @ weight.T, axis=1).mean()
    classes = left[:, :numbers] * strength ** (1 - sharpness)
    return Head(
        weight=(scale * weight).astype(np.float32),
        bias=(-scale * weight @ mean).astype(np.float32),
        classes=unit(classes),
    )


def unit(rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)


def _whitening(centred: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The inverse square root of the covariance, and the square root."""
    covariance = np.cov(centred.astype(np.float64), rowvar=False)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.diag(np.diag(covariance) + 1e-6)
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 1e-8)
    return (vectors / np.sqrt(values)) @ vectors.T, (vectors * np.sqrt(values)) @ vectors.T
