"""New spaces: open the encoder once, write down what it is, keep its goldens."""

from __future__ import annotations

from archive.models import Space
from archive.spaces import create_space
from workers.encoders.goldens import as_json, golden_vectors
from workers.encoders.load import identity_fields, open_encoder

# The models in the repository, with a line for people; the first is what a new archive is searched with.
SHIPPED_KNOW = {
    "everyday-things": "This small model knows everyday things only.",
    "drawn-scenes": "This small model was trained on drawings only.",
}
SHIPPED = f"shipped:{next(iter(SHIPPED_KNOW))}"


def make_shipped_space(name: str, slug: str = "") -> Space:
    """A space of a model that comes along, by default called as the model is."""
    return make_space(slug or name, f"shipped:{name}", knows=SHIPPED_KNOW[name])


def make_space(slug: str, model: str, pretrained: str = "", knows: str = "") -> Space:
    """Create a BUILDING space for a model. Raises `EncoderRefused` when the model cannot be used."""
    encoder = open_encoder(model, pretrained)
    identity = encoder.identity
    return create_space(
        Space(
            slug=slug,
            model=model,
            pretrained=pretrained,
            fingerprint=identity.fingerprint,
            identity=identity_fields(encoder),
            dimensions=identity.dimensions,
            context_length=identity.context_length,
            logit_scale=identity.scale,
            logit_bias=identity.bias,
            goldens=as_json(golden_vectors(encoder)),
            knows=knows,
        )
    )
