"""New spaces: open the encoder once, write down what it is, keep its goldens."""

from __future__ import annotations

from typing import Any

from archive.catalogue import find_model
from archive.models import Space
from archive.spaces import create_space
from workers.calibration import calibrate
from workers.encoders.first_seen import remember_weights
from workers.encoders.goldens import as_json, golden_vectors
from workers.encoders.load import identity_fields, open_encoder_of

# The models in the repository, with a line for people; the first is what a new archive is searched with.
SHIPPED_KNOW = {
    "everyday-things": "This small model knows everyday things only.",
    "drawn-scenes": "This small model was trained on drawings only.",
}
SHIPPED = f"shipped:{next(iter(SHIPPED_KNOW))}"


def make_shipped_space(name: str, slug: str = "") -> Space:
    """A space of a model that comes along, by default called as the model is."""
    return make_space(slug or name, f"shipped:{name}", knows=SHIPPED_KNOW[name])


def make_space(
    slug: str,
    model: str,
    pretrained: str = "",
    knows: str = "",
    *,
    parent: Space | None = None,
    gain: dict[str, Any] | None = None,
) -> Space:
    """Create a BUILDING space for a model, or for an adapter of `parent`'s with what it was seen to gain.

    Raises `EncoderRefused` when the model cannot be used.
    """
    encoder = open_encoder_of(Space(slug=slug, model=model, pretrained=pretrained, parent=parent))
    identity = encoder.identity
    curated = find_model(model)
    if curated is not None and curated.kind != "shipped" and not pretrained:  # put there by hand, perhaps
        remember_weights(curated, identity.weights)
    return create_space(
        Space(
            slug=slug,
            model=model,
            pretrained=pretrained,
            fingerprint=identity.fingerprint,
            identity={**identity_fields(encoder), **about_model(model)},
            dimensions=identity.dimensions,
            context_length=identity.context_length,
            logit_scale=identity.scale,
            logit_bias=identity.bias,
            goldens=as_json(golden_vectors(encoder)),
            calibration=calibrate(encoder),
            knows=knows,
            parent=parent,
            gain=gain or {},
        )
    )


def about_model(name: str) -> dict[str, Any]:
    """What models.toml says of a known model, kept with the space for the people who look after it."""
    model = find_model(name.removeprefix("shipped:"))
    if model is None:
        return {}
    told = ("family", "licence", "languages", "parameters", "imagenet", "source", "choose")
    return {"about": {field: getattr(model, field) for field in told if getattr(model, field)}}
