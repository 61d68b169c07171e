"""Memory: what is predicted, against what torch's own profiler saw allocated; and chunks that fit."""

import psutil
import pytest
import small_models
import torch

from hspace import memory
from hspace.model import DiffusionModel

ALPHAS = small_models.scheduler().alphas_cumprod
TOKENS = {"encoder_hidden_states": torch.ones(1, 5, 12)}


def make(kind):
    if kind == "conditional":
        return DiffusionModel(small_models.conditional_unet(size=32), ALPHAS, conditioning=TOKENS)
    if kind == "transformer":
        return DiffusionModel(small_models.transformer(), ALPHAS, layer="transformer_blocks.1")
    return DiffusionModel(small_models.unet(size=32), ALPHAS)


def allocated(action):
    """The most bytes that the CPU's allocator had given out at a time while the action ran."""
    with torch.profiler.profile(profile_memory=True) as profile:
        action()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


@pytest.mark.parametrize("kind", ["unet", "conditional", "transformer"])
def test_the_prediction_is_what_the_profiler_sees(kind):
    model = make(kind)
    x = model.noise(1)
    need = memory.predict(model, 600, 8, chunk=6, block=4)
    assert need.chunk == 6

    def products():
        J = model.jacobian(x, 600, chunk=6)
        J.T @ torch.ones(J.shape[0], 6)
        J @ torch.ones(J.shape[1], 6)

    products()  # what is made once is not counted
    seen = allocated(products)
    assert 0.6 < seen / (need.states + 6 * need.column) < 1.2


def test_a_model_that_is_told_sizes_too():
    """Whose conditioning is a dict of tensors, as Stable Diffusion XL's."""
    added = {"text_embeds": torch.ones(1, 10), "time_ids": torch.ones(1, 6)}
    model = DiffusionModel(small_models.sized_unet(), ALPHAS, conditioning=TOKENS | {"added_cond_kwargs": added})
    need = memory.predict(model, 600, 3)
    assert need.column > 0 and added["text_embeds"].device.type == "cpu"


def test_nothing_of_the_model_is_touched_and_no_weights_are_copied():
    model = make("unet")
    before = model.hash
    need = memory.predict(model, 600, 5)
    assert model.device.type == "cpu" and DiffusionModel(model.network, ALPHAS).hash == before
    assert need.weights == sum(4 * parameter.numel() for parameter in model.network.parameters())


def test_columns_are_no_more_than_are_ever_multiplied():
    model = make("unet")
    assert memory.predict(model, 600, 3, block=2).chunk == 3
    assert memory.predict(model, 600, 50).chunk == 16 and memory.predict(model, 600, 50, chunk=5).chunk == 5


def test_live_counts_what_is_alive_once():
    with memory.Live() as live:
        a = torch.ones(1000)
        b = a.view(10, 100)
        assert live.now == 4000
        c = b + 1
        assert live.now == live.peak == 8000
        del a, b
        assert live.now == 4000
        del c
    assert (live.now, live.peak) == (0, 8000)


def test_a_chunk_is_fitted_into_what_there_is():
    need = memory.Memory(weights=1000, states=500, column=100, search=100, chunk=16)
    assert need.total == 1000 + 500 + 1600 + 100
    for available in (2500, 5000, 6000):
        chunk = memory.fit(need, available)
        fixed = 1600
        assert memory.MARGIN * (fixed + 100 * chunk) <= available < memory.MARGIN * (fixed + 100 * (chunk + 1))
    assert memory.fit(need, 10**9) == memory.MOST
    with pytest.raises(ValueError, match="do not hold one column at a time, which takes"):
        memory.fit(need, 2000)


def test_a_prediction_reads_as_a_sentence():
    text = str(memory.Memory(3 * 2**30, 2**30, 2**28, 2**20, 4))
    assert text == (
        "about 5.0 GiB (weights 3.0 GiB, states and graph 1.0 GiB, 4 columns at a time 1.0 GiB, search 1.0 MiB)"
    )


def test_what_is_free_is_asked_of_the_system(monkeypatch):
    assert 2**20 < memory.free("cpu") < psutil.virtual_memory().total
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (7, 9))
    assert memory.free(torch.device("cuda", 0)) == 7


def test_bad_names_are_met_at_the_door():
    with pytest.raises(ValueError, match="close to it: mid_block"):
        memory.predict(make("unet"), 600, layer="mid_blok")
    with pytest.raises(ValueError, match="t=1000 must be"):
        memory.predict(make("unet"), 1000)
