"""What the archive keeps, by noun."""

from archive.models.assets import Asset, AssetQuerySet, Kind, Rendition, Status
from archive.models.collections import Collection, Membership, Role, Visibility
from archive.models.duplicates import Decision, DuplicatePair, Fingerprint, Likeness, PairState
from archive.models.embeddings import ClipEmbedding, Embedding
from archive.models.frames import Frame
from archive.models.spaces import DIMENSIONS, Space, SpaceState
from archive.models.work import Step, Work, WorkState

__all__ = [
    "DIMENSIONS",
    "Asset",
    "AssetQuerySet",
    "ClipEmbedding",
    "Collection",
    "Decision",
    "DuplicatePair",
    "Embedding",
    "Fingerprint",
    "Frame",
    "Kind",
    "Likeness",
    "Membership",
    "PairState",
    "Rendition",
    "Role",
    "Space",
    "SpaceState",
    "Status",
    "Step",
    "Visibility",
    "Work",
    "WorkState",
]
