"""Known models without their weights: published counts, shapes that agree with real runs, and nothing is fetched."""

import json
import math
import re
import shlex

import diffusers
import nbformat
import pytest
import torch
from clip import CLIP, stand_in
from contents import ROOT
from small_models import autoencoder, conditional_unet, scheduler, transformer, unet

import hspace
from hspace import architectures, cli
from hspace.minds import LICENCES, layers, outline, twin, untrained
from hspace.model import DiffusionModel

FACES, THINGS = "google/ddpm-ema-celebahq-256", "google/ddpm-cifar10-32"
SENTENCES, CLASSES = "stable-diffusion-v1-5/stable-diffusion-v1-5", "facebook/DiT-XL-2-256"
SMALL = {"sample_size": 16, "block_out_channels": (8, 8, 16, 16), "norm_num_groups": 4}
CHAPTER = ROOT / "chapters" / "14_other_minds.ipynb"
UNITS = {"MB": 1e6, "GB": 1e9}


def written():
    """All text of the chapter."""
    cells = nbformat.read(CHAPTER, 4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def small(**options):
    return DiffusionModel(unet(0, size=8), scheduler().alphas_cumprod, "v_prediction", steps=10, **options)


@pytest.mark.parametrize(
    ("name", "parameters", "x", "bottleneck", "h"),
    [
        (THINGS, 35_746_307, (3, 32, 32), "mid_block", (256, 4, 4)),  # Ho et al. 2020: 35.7 million
        (FACES, 113_673_219, (3, 256, 256), "mid_block", (512, 8, 8)),  # 114 million
        (SENTENCES, 859_520_964, (4, 64, 64), "mid_block", (1280, 8, 8)),  # its card: 860 million
        (CLASSES, 749_826_464, (4, 32, 32), "transformer_blocks.13", (256, 1152)),  # with an embedding in each block
    ],
)
def test_an_outline_is_that_of_the_published_model(name, parameters, x, bottleneck, h):
    before = torch.get_rng_state()
    found = outline(name)
    assert (found.parameters, found.x, found.bottleneck) == (parameters, x, bottleneck)
    assert found.layers[bottleneck] == h
    assert torch.equal(torch.get_rng_state(), before)
    assert "time_embedding" not in found.layers and found.layers.get("conv_out", x) == x


def test_every_known_model_has_its_licence_in_the_chapters_table():
    rows = dict(re.findall(r"^\| \[[^]]*\]\(https://huggingface\.co/([^)]*)\)[^|]*\| ([^|]*) \|", written(), re.M))
    assert rows == LICENCES


def test_the_table_gives_the_sizes_that_follow_from_the_weights():
    row = r"^\| \[[^]]*\]\(https://huggingface\.co/([^)]*)\).*\| ([\d.]+) ([GM]B)[^|]*\|$"
    sizes = {name: float(number) * UNITS[unit] for name, number, unit in re.findall(row, written(), re.M)}
    assert sizes == {name: pytest.approx(4 * outline(name).parameters, rel=0.02) for name in LICENCES}


def test_the_table_adds_what_reads_the_sentence_and_decodes_the_picture():
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    with torch.device("meta"):
        vae = diffusers.AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, **blocks)
    decodes = sum(value.numel() for value in vae.parameters())
    reads = 123_060_480  # of CLIP ViT-L/14's text encoder, as published
    row = r"^\| \[[^]]*\]\(https://huggingface\.co/([^)]*)\).* \+ ([\d.]+) GB \|$"
    added = {name: float(number) for name, number in re.findall(row, written(), re.M)}
    assert added == {SENTENCES: round(4e-9 * (decodes + reads), 1), CLASSES: round(4e-9 * decodes, 1)}


def test_the_chapter_counts_faces_against_alice():
    (n, m), (faces_n, faces_m) = (
        (math.prod(known.x), math.prod(known.layers[known.bottleneck]))
        for known in (layers(hspace.load()), outline(FACES))
    )
    assert faces_n * faces_m == 64 * n * m and (faces_n, faces_m) == (16 * n, 4 * m)
    assert round((faces_n + faces_m) / (n + m)) == 11
    text = " ".join(written().split())
    assert "sixty-four times as many entries as Alice's" in text and "take eleven times as much room" in text
    sentences = outline(SENTENCES)
    tall, wide = math.prod(sentences.layers[sentences.bottleneck]), math.prod(sentences.x)
    assert 4 * tall * wide == 5 * 2**30 and "would take 5 GiB" in text
    assert "16 384 numbers and its $h$ 81 920" in text and (wide, tall) == (16384, 81920)


@pytest.mark.parametrize(
    "model",
    [
        small(),
        DiffusionModel(transformer(), scheduler("epsilon").alphas_cumprod, layer="transformer_blocks.1"),
        DiffusionModel(
            conditional_unet(),
            scheduler("epsilon").alphas_cumprod,
            conditioning={"encoder_hidden_states": torch.zeros(1, 3, 12)},
        ),
    ],
    ids=["pixels", "transformer", "sentence"],
)
def test_layers_have_the_shapes_that_h_has(model):
    x, found = model.noise(0), layers(model)
    for name, shape in found.layers.items():
        assert model.h(x, 900, layer=name).shape[1:] == shape
    assert found.x == model.shape and found.bottleneck in found.layers
    assert found.parameters == sum(value.numel() for value in model.network.parameters())


def test_an_untrained_folder_opens_like_a_downloaded_one(tmp_path):
    before = torch.get_rng_state()
    folder = untrained(THINGS, tmp_path / "one", seed=3, **SMALL)
    assert torch.equal(torch.get_rng_state(), before)
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    assert index["unet"] == ["diffusers", "UNet2DModel"]
    model = hspace.load(folder)
    x = model.noise(0)
    assert model.shape == (3, 16, 16) and model.prediction_type == "epsilon" and len(model.alphas_cumprod) == 1000
    assert torch.isfinite(model.denoise(x, stop=900)).all()
    S = hspace.svd(model.jacobian(x, 999), k=2, tol=1e-2)
    assert S.converged
    assert hspace.load(untrained(THINGS, tmp_path / "two", seed=3, **SMALL)).hash == model.hash
    assert hspace.load(untrained(THINGS, tmp_path / "three", seed=4, **SMALL)).hash != model.hash


def test_a_model_of_sentences_and_one_of_classes_can_be_rehearsed_small(tmp_path):
    words = {"block_out_channels": (8, 8, 16, 16), "norm_num_groups": 4, "attention_head_dim": 2}
    folder = untrained(SENTENCES, tmp_path / "words", sample_size=16, cross_attention_dim=12, **words)
    sentence = hspace.load(folder).with_conditioning(encoder_hidden_states=torch.ones(1, 5, 12))
    x = sentence.noise(0)
    assert sentence.h(x, 999).shape == (1, 16, 2, 2)
    other = sentence.with_conditioning(encoder_hidden_states=-torch.ones(1, 5, 12))
    assert not torch.allclose(sentence.h(x, 999), other.h(x, 999)), "the sentence is not heard"
    parts = {"num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8, "sample_size": 8}
    folder = untrained(CLASSES, tmp_path / "classes", **parts)
    model = hspace.load(folder, layer="transformer_blocks.0")
    assert model.h(model.noise(0), 999).shape == (1, 16, 16)


def test_a_twin_is_the_model_without_what_it_learned():
    model = small(layer="down_blocks.1")
    before = torch.get_rng_state()
    other, again = twin(model), twin(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert other.hash == again.hash != model.hash != twin(model, seed=1).hash
    assert (other.shape, other.layer, other.timesteps) == (model.shape, model.layer, model.timesteps)
    assert other.prediction_type == model.prediction_type and torch.equal(other.alphas_cumprod, model.alphas_cumprod)
    assert not any(value.requires_grad for value in other.network.parameters())


def test_random_weights_seed_no_gpu(monkeypatch):
    def seeded(seed):
        raise AssertionError("the generators of the GPUs are seeded as well")

    model = small()
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded)
    twin(model)
    architectures.network(THINGS, **SMALL)


def test_a_twin_keeps_the_conditioning_and_the_decoder():
    tokens, vae = torch.ones(1, 3, 12), autoencoder()
    alphas = scheduler("epsilon").alphas_cumprod
    model = DiffusionModel(conditional_unet(), alphas, vae=vae, conditioning={"encoder_hidden_states": tokens})
    assert twin(model).vae is vae and twin(model).conditioning == model.conditioning


@pytest.mark.parametrize("do", [outline, lambda name: untrained(name, "nowhere")])
def test_an_unknown_name_is_refused_with_those_there_are(do):
    with pytest.raises(ValueError, match=r"'google/ddpm-dogs'.*google/ddpm-cat-256"):
        do("google/ddpm-dogs")


def cells():
    """The chapter's code, without the cell that installs and without what is typed into exercises."""
    found = [cell for cell in nbformat.read(CHAPTER, 4).cells if cell.cell_type == "code"]
    return [cell.source for cell in found if "%pip" not in cell.source and "check(" not in cell.source]


def run(guest, sentence=""):
    """All of the chapter with another model, as if typed into its first cells; returns its names."""
    names, source = {}, "\n\n".join(cells())
    for said, typed in (('GUEST = ""', f"GUEST = {guest!r}"), ('SENTENCE = ""', f"SENTENCE = {sentence!r}")):
        assert source.count(f"{said}  #") == 1
        source = source.replace(said, typed)
    head = "import torch\nimport hspace\nfrom hspace import figures, widgets\n"
    exec(compile(head + source, str(CHAPTER), "exec"), names)
    return names


@pytest.fixture
def guests(tmp_path, monkeypatch):
    """Folders of small models, in place of those that are fetched; and nothing of full size is rehearsed with."""
    stand_in(monkeypatch)
    full = hspace.minds.untrained
    monkeypatch.setattr(hspace.minds, "untrained", lambda name, folder: full(name, folder, **SMALL))

    def make(name, **changes):
        folder = full(name, tmp_path / "guest", **changes)
        if name != FACES:
            autoencoder().save_pretrained(folder / "vae")
            index = folder / "model_index.json"
            parts = json.loads(index.read_text(encoding="utf-8")) | {"vae": ["diffusers", "AutoencoderKL"]}
            index.write_text(json.dumps(parts | (CLIP if name == SENTENCES else {})))
        return str(folder)

    return make


def test_the_chapter_runs_on_faces(guests, capsys):
    six = {"sample_size": 64, "block_out_channels": (4, 4, 8, 8, 8, 8), "norm_num_groups": 4}
    names = run(guests(FACES, **six))
    assert names["mind"].layer == "mid_block" and len(names["mind"].network.down_blocks) == 6
    shown = capsys.readouterr().out
    assert "This page runs on" in shown and "Alice" not in shown


def test_the_chapter_runs_on_what_a_sentence_asks_for(guests):
    words = {"block_out_channels": (8, 8, 16, 16), "norm_num_groups": 4, "attention_head_dim": 2}
    names = run(guests(SENTENCES, sample_size=16, cross_attention_dim=12, **words), "a cat")
    assert names["mind"].guidance == 7.5 and names["J"].shape[1] == 4 * 16 * 16


def test_the_chapter_runs_on_a_transformer(guests):
    names = run(guests(CLASSES, num_layers=3, num_attention_heads=2, attention_head_dim=8, sample_size=16))
    assert names["mind"].layer == "transformer_blocks.1" and names["J"].shape == (64 * 16, 4 * 16 * 16)


def test_without_a_connection_the_chapter_runs_on_alice_and_says_so(monkeypatch, capsys):
    def download(name, **options):
        raise OSError("no connection")

    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    first = next(i for i, source in enumerate(cells()) if source.startswith("try:\n    mind ="))
    names = {"GUEST": FACES, "SENTENCE": "a cat", "DEVICE": "cpu", "hspace": hspace}
    exec(cells()[first], names)
    assert (names["GUEST"], names["SENTENCE"]) == ("", "") and names["mind"].hash == hspace.load().hash
    shown = capsys.readouterr().out
    assert "could not fetch" in shown and shown.endswith("This page runs on Alice, who lives in this book\n")


def test_the_chapters_command_lines_can_be_typed():
    lines = "\n".join(re.findall(r"```bash\n(.*?)```", written(), re.S)).replace("\\\n", " ").splitlines()
    assert len(lines) >= 3
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "hspace" and cli.parser().parse_args(arguments).run
