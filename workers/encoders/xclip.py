"""X-CLIP: the frames of a clip tell each other what they see before they become one vector. 512 numbers.

Two things to know, both said in docs/models.md:

- Its training rewrites each text in view of the video it is compared with. A stored vector cannot know the
  question, so texts are encoded without that: what remains is the text tower as CLIP has it.
- It was trained on clips of a fixed number of frames, and the archive stores a vector for each frame, from which
  it learns only afterwards where a moment ends. So a frame, as a photograph, is shown as a clip in which nothing
  moves: that many times the same frame, and that many times the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np
import torch
from PIL import Image
from transformers import CLIPImageProcessor, XCLIPModel

from workers.encoders.device import Device, choose_device, keep_freed_memory, use_one_thread
from workers.encoders.protocol import Vectors, picture_of, refuse_too_many_numbers
from workers.encoders.running import run
from workers.encoders.sources import find_source
from workers.encoders.trained import trained_number
from workers.encoders.transformers_folder import Words, identity_of, load_model


class XClipEncoder:
    """An encoder from a folder with config.json of model_type xclip."""

    def __init__(self, model: str, pretrained: str = "", device: Device | None = None) -> None:
        source = find_source(model, pretrained)
        self.device = device or choose_device()
        use_one_thread()
        keep_freed_memory()
        self._model = load_model(XCLIPModel, source, self.device)
        config = self._model.config
        refuse_too_many_numbers(source.name, config.projection_dim)
        self.frames: int = config.vision_config.num_frames
        # Its published folders name a video processor, whose steps for one frame are CLIP's.
        self._processor = CLIPImageProcessor.from_pretrained(str(source.folder), local_files_only=True)
        self._words = Words(source, config.text_config.max_position_embeddings)
        scale = exp(trained_number(source.weights, "logit_scale", self._model.logit_scale))
        self.identity = identity_of(source, self._words, config.projection_dim, scale)

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """(3, side, side) float32, one frame."""
        tensor: torch.Tensor = self._processor(picture.convert("RGB"), return_tensors="pt")["pixel_values"][0]
        return tensor

    def prepare_jpeg(self, data: bytes) -> torch.Tensor:
        return self.prepare(picture_of(data))

    def encode_pictures(self, prepared: Sequence[torch.Tensor]) -> Vectors:
        """Each as a clip in which nothing moves."""
        return self.encode_clips([[frame] for frame in prepared])

    def encode_clips(self, clips: Sequence[Sequence[torch.Tensor]]) -> Vectors:
        """(n, 768) of n clips. Of longer ones evenly spaced frames are seen, of shorter ones some twice."""
        pixels = torch.stack([torch.stack([clip[at] for at in self._spread(len(clip))]) for clip in clips])
        forward = self._model.get_video_features
        return run(lambda: forward(pixels.to(self.device.name, self.device.dtype)).pooler_output, self.device)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        tokens = self._words(texts, self.device)
        return run(lambda: self._model.get_text_features(**tokens).pooler_output, self.device)

    def count_tokens(self, text: str) -> int:
        return self._words.count(text)

    def _spread(self, length: int) -> list[int]:
        return [int(at) for at in np.linspace(0, length - 1, self.frames).round()]
