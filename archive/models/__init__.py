"""What the archive keeps, by noun."""

from archive.models.assets import Asset, AssetQuerySet, Kind, Rendition, Status
from archive.models.collections import Collection, Membership, Role, Visibility
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
    "Embedding",
    "Frame",
    "Kind",
    "Membership",
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
