"""What the archive keeps, by noun."""

from archive.models.assets import Asset, AssetQuerySet, Kind, Rendition, Status
from archive.models.batches import Action, Batch, BatchItem, BatchState, ItemState
from archive.models.collections import Collection, Membership, Role, Visibility
from archive.models.concept_vectors import ConceptHead, ConceptPass, ConceptVector, PassState
from archive.models.concepts import Concept, ConceptExample, ConceptKind, OnMatch, Tag, TagSource, TagState
from archive.models.duplicates import Decision, DuplicatePair, Fingerprint, Likeness, PairState
from archive.models.embeddings import ClipEmbedding, Embedding
from archive.models.frames import Frame
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
    "ConceptExample",
    "ConceptHead",
    "ConceptKind",
    "ConceptPass",
    "ConceptVector",
    "Decision",
    "DuplicatePair",
    "Embedding",
    "Fingerprint",
    "Frame",
    "ItemState",
    "Kind",
    "Likeness",
    "Membership",
    "OnMatch",
    "PairState",
    "PassState",
    "Rendition",
    "Role",
    "Space",
    "SpaceState",
    "Status",
    "Step",
    "Tag",
    "TagSource",
    "TagState",
    "Visibility",
    "Work",
    "WorkState",
]
