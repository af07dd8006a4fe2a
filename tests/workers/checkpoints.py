"""Model folders made on the spot: random weights, one layer deep, in the published layout of each family.

Configuration, preprocessing, file names and tokenizer classes are the real ones; only depth, the width of inner
layers and the vocabulary are cut, so that a test takes a second and not a gigabyte.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import timm
import torch
from safetensors.torch import save_file
from transformers import (
    AlignConfig,
    AlignModel,
    BertTokenizer,
    CLIPImageProcessor,
    CLIPTokenizer,
    EfficientNetImageProcessor,
    GemmaTokenizer,
    T5Tokenizer,
    XCLIPConfig,
    XCLIPModel,
)

from archive.catalogue import Model

WORDS = ("a", "red", "blue", "boat", "dog", "in", "the", "snow", "photo", "of", "three", "people", "at", "night", "sea")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")

create_deep = timm.create_model


def create_shallow(name: str, **options: Any) -> Any:
    """timm's own model of that name, one block deep."""
    cut: dict[str, Any] = {"layers": (1, 1, 1, 1)} if name.startswith("fastvit") else {"depth": 1}
    return create_deep(name, **options, **cut)


def write_model(folder: Path, model: Model, *, seed: int = 1) -> Path:
    """A folder as `space fetch` leaves one, for any curated model that is not shipped."""
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    writers: dict[str, Callable[[Path, Model], None]] = {
        "open_clip": write_open_clip,
        "align": write_align,
        "xclip": write_xclip,
    }
    writers[model.kind](folder, model)
    return folder


def shallow_config(architecture: str) -> dict[str, Any]:
    config: dict[str, Any] = open_clip.get_model_config(architecture)
    if "timm_model_name" not in config["vision_cfg"]:
        config["vision_cfg"] |= {"layers": 1, "width": 64, "head_width": 32}
    config["text_cfg"] |= {"layers": 1, "width": 64, "heads": 2}
    if "hf_tokenizer_name" in config["text_cfg"]:
        config["text_cfg"]["vocab_size"] = 1000
    return config


def write_open_clip(folder: Path, model: Model) -> None:
    config = shallow_config(model.architecture)
    trained = open_clip.get_pretrained_cfg(model.architecture, model.tag)
    preprocessing = {key: trained[key] for key in PREPROCESSING}
    if "hf_tokenizer_name" in config["text_cfg"]:
        (gemma if "SigLIP2" in model.architecture else sentencepiece)(folder)
    # As open_clip writes it: what was made is what is read again.
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocessing}))
    made = build(config)
    save_file(
        {key: value.contiguous() for key, value in made.state_dict().items()}, folder / "open_clip_model.safetensors"
    )


def build(config: dict[str, Any]) -> torch.nn.Module:
    """The bare model of a configuration, by open_clip's classes alone."""
    fields = dict(config)
    kind = open_clip.CustomTextCLIP if fields.pop("custom_text", False) else open_clip.CLIP
    made: torch.nn.Module = kind(**fields)
    return made.eval()


def write_align(folder: Path, model: Model) -> None:
    vision = {
        "image_size": 289,
        "hidden_dim": model.numbers,
        "in_channels": [32],
        "out_channels": [16],
        "kernel_sizes": [3],
        "strides": [2],
        "expand_ratios": [1],
        "num_block_repeats": [1],
        "width_coefficient": 1.0,
        "depth_coefficient": 1.0,
        "depthwise_padding": [],
    }
    text = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 128}
    config = AlignConfig(text_config={**text, "vocab_size": 200}, vision_config=vision, projection_dim=model.numbers)
    AlignModel(config).save_pretrained(folder)
    EfficientNetImageProcessor(
        size={"height": 346, "width": 346},
        do_center_crop=True,
        crop_size={"height": 289, "width": 289},
        rescale_factor=1 / 127.5,
        rescale_offset=True,
        do_normalize=False,
    ).save_pretrained(folder)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    BertTokenizer(vocab=vocabulary, model_max_length=64).save_pretrained(folder)


def write_xclip(folder: Path, model: Model) -> None:
    inner = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 128}
    mit = {"mit_hidden_size": model.numbers, "mit_intermediate_size": 128, "mit_num_hidden_layers": 1}
    config = XCLIPConfig(
        text_config={**inner, "vocab_size": 200},
        vision_config={**inner, **mit, "mit_num_attention_heads": 8, "patch_size": 32, "num_frames": 8},
        projection_dim=model.numbers,
        prompt_num_attention_heads=8,
    )
    made = XCLIPModel(config)
    for weight in made.mit.parameters():  # as loud as trained ones: fresh ones hardly say a thing
        torch.nn.init.normal_(weight, std=0.2)
    torch.nn.init.normal_(made.mit.position_embedding, std=2.0)
    made.save_pretrained(folder)
    CLIPImageProcessor(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]).save_pretrained(folder)
    pieces = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    vocabulary = {piece: number for number, piece in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77).save_pretrained(folder)


def gemma(folder: Path) -> None:
    """SigLIP 2's tokenizer: Gemma's class, an end token behind each text, padding behind that."""
    vocabulary = {name: number for number, name in enumerate(("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁"))}
    merges: list[Any] = []
    for letter in LETTERS:
        vocabulary[letter] = len(vocabulary)
    for word in WORDS:
        begun = "▁"
        for letter in word:
            if (begun, letter) not in merges:
                merges.append((begun, letter))
                vocabulary.setdefault(begun + letter, len(vocabulary))
            begun += letter
    for byte in range(256):
        vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
    made = GemmaTokenizer(vocab=vocabulary, merges=merges, add_bos_token=False, add_eos_token=True)
    made.padding_side = "right"
    made.save_pretrained(folder)


def sentencepiece(folder: Path) -> None:
    """SigLIP's tokenizer: T5's class, padded with its end token."""
    pieces = [(f"▁{word}", -2.0 - number / 100) for number, word in enumerate(WORDS)]
    letters = [(letter, -8.0) for letter in ["▁", *LETTERS] if letter != "a"] + [("a", -8.0)]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    T5Tokenizer(vocab=special + pieces + letters, pad_token="</s>", extra_ids=0).save_pretrained(folder)
