"""Real pictures: read, cropped and said, refused by name, inverted to states of a treatment."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from small_models import autoencoder, scheduler, transformer, unet

from hspace import pictures
from hspace import treatment as module
from hspace.model import DiffusionModel
from hspace.treatment import DamagedError, Plan, Treatment, treat


def gradient(size, mode="RGB"):
    """A picture whose red rises from left to right."""
    image = Image.linear_gradient("L").rotate(90).resize(size)
    return Image.merge("RGB", (image, Image.new("L", size, 128), Image.new("L", size, 0))).convert(mode)


def values(image):
    return torch.tensor(list(image.tobytes())).reshape(image.height, image.width, -1).permute(2, 0, 1) / 127.5 - 1


def test_a_picture_of_the_right_size_is_itself(tmp_path):
    gradient((8, 6)).save(tmp_path / "a.png")
    found = pictures.find(tmp_path, (3, 6, 8))
    assert found.notes == () and found.read(0).dtype == torch.float32
    assert torch.allclose(found.read(0)[0], values(gradient((8, 6))))
    grey = pictures.find(tmp_path, (1, 6, 8)).read(0)
    assert torch.allclose(grey[0], values(gradient((8, 6)).convert("L")))


def test_files_are_sorted_and_named_with_their_content(tmp_path):
    gradient((8, 8)).save(tmp_path / "b.PNG", format="png")
    gradient((8, 8), "L").save(tmp_path / "a.jpeg")
    (tmp_path / "notes.txt").write_text("no picture")
    found = pictures.find(tmp_path, (3, 8, 8))
    assert [path.name for path in found.paths] == ["a.jpeg", "b.PNG"] and found.read(0).shape == (1, 3, 8, 8)
    names = found.names
    assert names[0].startswith("a.jpeg ") and len(names[0]) == len("a.jpeg ") + 16
    gradient((8, 8)).rotate(90).save(tmp_path / "a.jpeg")
    assert pictures.find(tmp_path, (3, 8, 8)).names[0] != names[0]


def test_other_sizes_are_cropped_around_the_middle_and_said(tmp_path):
    """A wide picture, red, green and blue side by side: only green is left."""
    wide = Image.new("RGB", (90, 30), "red")
    wide.paste("lime", (30, 0, 60, 30))
    wide.paste("blue", (60, 0, 90, 30))
    wide.save(tmp_path / "wide.png")
    Image.new("RGB", (16, 16), "blue").save(tmp_path / "small.png")
    found = pictures.find(tmp_path, (3, 8, 8))
    assert found.notes == ("small.png: 16×16 scaled to 8×8", "wide.png: 90×30 cropped and scaled to 8×8")
    assert torch.allclose(found.read(1), torch.tensor([-1.0, 1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8))


def test_transparency_lies_on_white_and_exif_turns(tmp_path):
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "a.png")
    turned = Image.new("RGB", (8, 4), "white")
    exif = turned.getexif()
    exif[0x0112] = 6  # turned by a quarter
    turned.save(tmp_path / "b.jpg", exif=exif)
    assert torch.equal(pictures.find(tmp_path, (3, 4, 4)).read(0), torch.ones(1, 3, 4, 4))
    assert "b.jpg: 4×8" in pictures.find(tmp_path, (3, 4, 4)).notes[0]


def test_bad_files_are_all_named(tmp_path):
    gradient((8, 8)).save(tmp_path / "good.png")
    (tmp_path / "text.png").write_text("no picture")
    gradient((64, 64)).save(tmp_path / "half.jpg")
    (tmp_path / "half.jpg").write_bytes((tmp_path / "half.jpg").read_bytes()[:400])
    Image.new("I;16", (8, 8)).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"^3 of 4 pictures .*deep\.png.*8 bits.*half\.jpg.*text\.png.*take them away"):
        pictures.find(tmp_path, (3, 8, 8))


def test_folders_without_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        pictures.find(tmp_path / "nowhere", (3, 8, 8))
    with pytest.raises(FileNotFoundError, match=r"holds no picture: its files must end in \.png, \.jpg, \.jpeg"):
        pictures.find(tmp_path, (3, 8, 8))
    with pytest.raises(ValueError, match="4 channels cannot be read: load the model with its vae"):
        pictures.find(tmp_path, (4, 8, 8))


# In a treatment


@pytest.fixture(scope="module")
def model():
    return DiffusionModel(unet(size=8), scheduler().alphas_cumprod, "v_prediction", steps=5)


@pytest.fixture(scope="module")
def found(tmp_path_factory, model):
    """Two pictures that the model could have drawn."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, colour in (("one.png", (120, 130, 140)), ("two.png", (90, 100, 110))):
        Image.new("RGB", (8, 8), colour).save(folder / name)
    return pictures.find(folder, model.picture_shape)


def plan_of(found, **options):
    return Plan(range(len(found.names)), (800, 400), k=2, pictures=found.names, **options)


def test_states_are_inversions_of_the_pictures(model, found, tmp_path):
    done = treat(model, tmp_path, plan_of(found), pictures=found.read, progress=False)
    assert str(done.status()) == "4 of 4 units done" and done.path(1, 400).name == "picture1_t400.safetensors"
    for number, t in done.plan.units:
        unit = done.read(number, t)
        assert torch.equal(unit.x, model.invert(found.read(number), stop=t, steps=25))
        back = model.denoise(unit.x, start=t)
        assert unit.about["lost"] == pytest.approx((back - found.read(number)).square().mean().sqrt().item(), rel=1e-3)
    assert done.plan.name(1) == "two.png" and Treatment(tmp_path).plan == done.plan


def test_the_norm_of_an_inverted_state_is_told_and_too_small_a_one_said(tmp_path):
    """Where v = 0, a picture of norm √n keeps it if the steps are fine, and a grey one stays at 0."""
    network = unet(size=8)
    for parameter in network.conv_out.parameters():
        torch.nn.init.zeros_(parameter)
    model = DiffusionModel(network, scheduler().alphas_cumprod, "v_prediction", steps=5)
    chess = (torch.arange(192) % 2 * 2.0 - 1).view(1, 3, 8, 8)
    plan = Plan((0, 1), (800, 400), k=1, pictures=("chess.png 0", "grey.png 0"))
    with pytest.warns(RuntimeWarning, match="of the norm of a noisy picture") as caught:
        done = treat(model, tmp_path, plan, pictures=[chess, torch.zeros(1, 3, 8, 8)].__getitem__, progress=False)
    said = [one for one in caught if "of the norm" in str(one.message)]
    assert [str(one.message).split(":")[0] for one in said] == ["grey.png, t = 800", "grey.png, t = 400"]
    assert ": the inverted state has 0 % of the norm" in str(said[0].message) and said[0].filename == __file__
    for t in plan.timesteps:
        unit = done.read(0, t)
        assert unit.about["norm"] == pytest.approx(unit.x.norm().item() / 192**0.5, rel=1e-5)
        assert 1 < unit.about["norm"] < 1.1 and done.read(1, t).about["norm"] == 0
        assert model.invert(chess, stop=t).norm().item() / 192**0.5 > 1.2


def test_an_inversion_is_as_fine_as_the_schedule_allows(model, found, tmp_path, monkeypatch):
    steps = [5, 20, 300, 999]
    assert [module._finer(SimpleNamespace(steps=n, alphas_cumprod=range(1000))) for n in steps] == [25, 100, 900, 999]
    treat(model, tmp_path, plan_of(found), pictures=found.read, progress=False)
    monkeypatch.setattr(module, "FINER", 1)
    with pytest.raises(ValueError, match="its inversion steps: 25, not 5; take another folder"):
        treat(model, tmp_path, plan_of(found), pictures=found.read, progress=False)


def test_a_treatment_of_pictures_goes_on_and_refuses_others(model, found, tmp_path):
    first = treat(model, tmp_path / "a", plan_of(found), pictures=found.read, progress=False)
    content = first.path(1, 400).read_bytes()
    first.path(1, 400).unlink()
    treat(model, tmp_path / "a", plan_of(found), pictures=found.read, progress=False)
    assert first.path(1, 400).read_bytes() == content
    other = Plan((0, 1), (800, 400), k=2, pictures=(found.names[0], "two.png 0000000000000000"))
    with pytest.raises(ValueError, match=r"its pictures: .*two\.png 0000"):
        treat(model, tmp_path / "a", other, pictures=found.read, progress=False)
    with pytest.raises(ValueError, match="holds another treatment: its pictures"):
        treat(model, tmp_path / "a", Plan((0, 1), (800, 400), k=2), progress=False)


def test_plans_and_pictures_belong_together(model, found, tmp_path):
    with pytest.raises(ValueError, match="belong together"):
        treat(model, tmp_path, plan_of(found), progress=False)
    with pytest.raises(ValueError, match="do not number the 2 pictures from 0"):
        Plan((1, 2), (800,), pictures=found.names)


def test_a_picture_that_is_lost_on_the_way_is_said(model, found, tmp_path):
    def read(i):
        if i == 0:
            raise ValueError("one.png is damaged")
        return found.read(i)

    with pytest.raises(ValueError, match=r"1 of 2 seeds were given up.* one\.png, t = 800: one\.png is damaged"):
        treat(model, tmp_path, plan_of(found), pictures=read, progress=False)
    assert Treatment(tmp_path).status().done == ((1, 800), (1, 400)) and not issubclass(DamagedError, ValueError)


def test_a_latent_model_inverts_the_latents(tmp_path, found):
    noise = scheduler("epsilon").alphas_cumprod
    model = DiffusionModel(transformer(), noise, steps=5, layer="transformer_blocks.0", vae=autoencoder())
    assert model.picture_shape == (3, 16, 16)
    larger = pictures.find(found.paths[0].parent, model.picture_shape)
    done = treat(
        model, tmp_path, Plan((0, 1), (400,), k=1, pictures=larger.names), pictures=larger.read, progress=False
    )
    assert torch.equal(done.read(0, 400).x, model.invert(model.encode(larger.read(0)), stop=400, steps=25))
