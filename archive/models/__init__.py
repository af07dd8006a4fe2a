"""What the archive keeps, by noun."""

from archive.models.assets import Asset, AssetQuerySet, Kind, Rendition, Status
from archive.models.batches import Action, Batch, BatchItem, BatchState, ItemState
from archive.models.collections import Collection, Membership, Role, Visibility
from archive.models.concept_vectors import ConceptHead, ConceptPass, ConceptVector, PassState
from archive.models.concepts import Concept, ConceptExample, ConceptKind, OnMatch, Tag, TagSource, TagState
from archive.models.duplicates import Decision, DuplicatePair, Fingerprint, Likeness, PairState
from archive.models.embeddings import ClipEmbedding, Embedding
from archive.models.frames import Frame
from archive.models.moderation import Answer, Flag, FlagState, Policy, PolicyLine, Verdict
from archive.models.moderation_checks import Check, CheckState
from archive.models.moderation_log import Event, LogEntry
from archive.models.saved import Alert, AlertMode, Arrival, Match, SavedSearch
from archive.models.setups import Setup, SetupState, Then
from archive.models.spaces import DIMENSIONS, Space, SpaceState
from archive.models.stills import StillFingerprint
from archive.models.telling import Delivery, DeliveryState, Digest, Every, Webhook
from archive.models.words import AssetWords
from archive.models.work import Step, Work, WorkState

__all__ = [
    "DIMENSIONS",
    "Action",
    "Alert",
    "AlertMode",
    "Answer",
    "Arrival",
    "Asset",
    "AssetQuerySet",
    "AssetWords",
    "Batch",
    "BatchItem",
    "BatchState",
    "Check",
    "CheckState",
    "ClipEmbedding",
    "Collection",
    "Concept",
    "ConceptExample",
    "ConceptHead",
    "ConceptKind",
    "ConceptPass",
    "ConceptVector",
    "Decision",
    "Delivery",
    "DeliveryState",
    "Digest",
    "DuplicatePair",
    "Embedding",
    "Event",
    "Every",
    "Fingerprint",
    "Flag",
    "FlagState",
    "Frame",
    "ItemState",
    "Kind",
    "Likeness",
    "LogEntry",
    "Match",
    "Membership",
    "OnMatch",
    "PairState",
    "PassState",
    "Policy",
    "PolicyLine",
    "Rendition",
    "Role",
    "SavedSearch",
    "Setup",
    "SetupState",
    "Space",
    "SpaceState",
    "Status",
    "Step",
    "StillFingerprint",
    "Tag",
    "TagSource",
    "TagState",
    "Then",
    "Verdict",
    "Visibility",
    "Webhook",
    "Work",
    "WorkState",
]
