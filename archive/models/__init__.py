"""What the archive keeps, by noun."""

from archive.models.assets import Asset, AssetQuerySet, Kind, Rendition, Status
from archive.models.batches import Action, Batch, BatchItem, BatchState, ItemState
from archive.models.collections import Collection, Membership, Role, Visibility
from archive.models.concepts import Concept, ConceptKind, Tag, TagSource, TagState
from archive.models.duplicates import Decision, DuplicatePair, Fingerprint, Likeness, PairState
from archive.models.embeddings import ClipEmbedding, Embedding
from archive.models.frames import Frame
from archive.models.setups import Setup, SetupState, Then
from archive.models.spaces import DIMENSIONS, Space, SpaceState
from archive.models.words import AssetWords
from archive.models.work import Step, Work, WorkState

__all__ = [
    "DIMENSIONS",
    "Action",
    "Asset",
    "AssetQuerySet",
    "AssetWords",
    "Batch",
    "BatchItem",
    "BatchState",
    "ClipEmbedding",
    "Collection",
    "Concept",
    "ConceptKind",
    "Decision",
    "DuplicatePair",
    "Embedding",
    "Fingerprint",
    "Frame",
    "ItemState",
    "Kind",
    "Likeness",
    "Membership",
    "PairState",
    "Rendition",
    "Role",
    "Setup",
    "SetupState",
    "Space",
    "SpaceState",
    "Status",
    "Step",
    "Tag",
    "TagSource",
    "TagState",
    "Then",
    "Visibility",
    "Work",
    "WorkState",
]
