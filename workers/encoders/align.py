"""ALIGN: an EfficientNet for pictures and a BERT for texts, through transformers. 640 numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from transformers import AlignModel, EfficientNetImageProcessor

from workers.encoders.device import Device, choose_device, exact, keep_freed_memory, use_one_thread
from workers.encoders.protocol import EncoderRefused, Vectors, picture_of, refuse_too_many_numbers
from workers.encoders.running import run
from workers.encoders.sources import find_source
from workers.encoders.trained import trained_number
from workers.encoders.transformers_folder import Words, identity_of, load_model

CONTEXT = 64  # as it was trained, though its positions go on to 512


class AlignEncoder:
    """An encoder from a folder with config.json of model_type align."""

    def __init__(self, model: str, pretrained: str = "", device: Device | None = None) -> None:
        source = find_source(model, pretrained)
        self.device = exact(device or choose_device())  # an EfficientNet: bf16 turns its vectors
        use_one_thread()
        keep_freed_memory()
        self._model = load_model(AlignModel, source, self.device)
        config = self._model.config
        if config.vision_config.hidden_dim != config.projection_dim:
            raise EncoderRefused(
                f"{source.folder} gives pictures {config.vision_config.hidden_dim} numbers and texts "
                f"{config.projection_dim}: they cannot be compared."
            )
        refuse_too_many_numbers(source.name, config.projection_dim)
        self._processor = EfficientNetImageProcessor.from_pretrained(str(source.folder), local_files_only=True)
        self._words = Words(source, CONTEXT)
        scale = 1 / trained_number(source.weights, "temperature", self._model.temperature)
        self.identity = identity_of(source, self._words, config.projection_dim, scale)

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """(3, side, side) float32."""
        tensor: torch.Tensor = self._processor(picture.convert("RGB"), return_tensors="pt")["pixel_values"][0]
        return tensor

    def prepare_jpeg(self, data: bytes) -> torch.Tensor:
        return self.prepare(picture_of(data))

    def encode_pictures(self, prepared: Sequence[torch.Tensor]) -> Vectors:
        pixels = torch.stack(list(prepared))
        forward = self._model.get_image_features
        return run(lambda: forward(pixels.to(self.device.name, self.device.dtype)).pooler_output, self.device)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        tokens = self._words(texts, self.device)
        return run(lambda: self._model.get_text_features(**tokens).pooler_output, self.device)

    def count_tokens(self, text: str) -> int:
        return self._words.count(text)
