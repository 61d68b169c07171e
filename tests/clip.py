"""Stand-ins for the tokenizer and the text encoder of the package transformers, which the tests do without."""

import importlib.machinery
import sys
import types

import torch

CLIP = {"tokenizer": ["transformers", "CLIPTokenizer"], "text_encoder": ["transformers", "CLIPTextModel"]}


def stand_in(monkeypatch):
    """Puts the two classes below into a module `transformers`."""
    module = types.ModuleType("transformers")
    module.__spec__ = importlib.machinery.ModuleSpec("transformers", None)
    module.CLIPTokenizer, module.CLIPTextModel = Tokenizer, TextModel
    monkeypatch.setitem(sys.modules, "transformers", module)


class Tokenizer:
    """In the place of transformers' CLIPTokenizer: letters as tokens."""

    model_max_length = 9

    @classmethod
    def from_pretrained(cls, folder):
        assert folder.name == "tokenizer"
        return cls()

    def __call__(self, texts, padding=None, max_length=None, truncation=False, return_tensors=None):
        if isinstance(texts, str):
            return types.SimpleNamespace(input_ids=[1, *map(ord, texts), 2])
        assert (padding, max_length, truncation, return_tensors) == ("max_length", 9, True, "pt")
        ids = [[1, *map(ord, text), *[2] * 9][:9] for text in texts]
        return types.SimpleNamespace(input_ids=torch.tensor(ids), attention_mask=None)


class TextModel(torch.nn.Module):
    """In the place of transformers' CLIPTextModel: a table of vectors."""

    config = types.SimpleNamespace(use_attention_mask=False)

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.table = torch.nn.Parameter(torch.randn(256, 12, generator=generator))

    @classmethod
    def from_pretrained(cls, folder):
        assert folder.name == "text_encoder"
        return cls()

    def forward(self, ids, attention_mask=None):
        return (self.table[ids],)
