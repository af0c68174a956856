"""Update policies as the functions they are: histories in, masks out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.methods import (
    Discriminative,
    EqualBudget,
    Freeze,
    GradualByEpoch,
    GradualTuning,
    HeadOnly,
    TopLayers,
    WarmUp,
)
from npnet.policies import FineTuning

percent = st.integers(0, 5000).map(lambda wrong: 100 * wrong / 5000)
histories = st.lists(percent, max_size=12)


def test_gradual_tuning_joins_a_layer_at_every_pair_that_differs_by_less_than_a_tenth():
    policy = GradualTuning()
    curve = [9.0, 8.0, 7.95, 7.5, 7.52, 7.51, 7.5]
    masks = [policy(curve[:n], 3) for n in range(len(curve) + 1)]
    assert [sum(mask) for mask in masks] == [1, 1, 1, 2, 2, 3, 4, 4]
    assert masks[3] == (0, 0, 1, 1)


def test_a_tenth_of_a_point_exactly_is_not_less_than_a_tenth():
    for wrong in range(1, 400):
        apart, nearer = [100 * (wrong + 5) / 5000, 100 * wrong / 5000], [100 * (wrong + 4) / 5000, 100 * wrong / 5000]
        assert GradualTuning()(apart, 2) == (0, 0, 1)
        assert GradualTuning()(nearer, 2) == (0, 1, 1)


@pytest.mark.parametrize("unit", [1e-12, 1e-3, 1.0, 1e6])
def test_a_tolerance_may_be_of_any_unit(unit):
    """A regression's errors are in units of its targets, however small those are."""
    assert GradualTuning(0.1 * unit)([3 * unit, 2.95 * unit], 2) == (0, 1, 1)
    assert GradualTuning(0.1 * unit)([3 * unit, 2.8 * unit], 2) == (0, 0, 1)


def test_the_signed_difference_also_joins_when_the_error_rises():
    rising = [5.0, 7.0]
    assert GradualTuning()(rising, 2) == (0, 0, 1)
    assert GradualTuning(difference="improvement")(rising, 2) == (0, 1, 1)
    assert GradualTuning(difference="improvement")([7.0, 5.0], 2) == (0, 0, 1)


@given(histories, st.integers(1, 4))
def test_layers_join_from_the_head_down_and_never_leave(history, depth):
    for policy in (GradualTuning(), GradualTuning(difference="improvement"), GradualByEpoch(2)):
        assert policy.gradual
        before = None
        for n in range(len(history) + 1):
            mask = policy(history[:n], depth)
            assert len(mask) == depth + 1
            assert list(mask) == sorted(mask)
            assert mask[-1] == 1
            if before:
                assert 0 <= sum(mask) - sum(before) <= 1
            before = mask


@given(histories, st.integers(1, 4), st.integers(0, 6))
def test_fixed_policies_do_not_look_at_the_history(history, depth, layers):
    assert FineTuning()(history, depth) == (1,) * (depth + 1)
    assert HeadOnly()(history, depth) == (0,) * depth + (1,)
    frozen = min(layers, depth)
    assert Freeze(layers)(history, depth) == (0,) * frozen + (1,) * (depth + 1 - frozen)
    assert [policy.gradual for policy in (FineTuning(), HeadOnly(), Freeze(layers))] == [False] * 3


def test_rates_budgets_and_combinations():
    assert Discriminative(0.5)([], 2) == (0.25, 0.5, 1)
    assert Discriminative(0.5, GradualTuning())([1.0, 1.0], 2) == (0, 0.5, 1)
    assert Discriminative(0.5, GradualTuning()).gradual
    assert EqualBudget(2)([1.0], 2) == (1, 1, 1)
    assert EqualBudget(2)([1.0, 1.0], 2) == (0, 0, 0)
    assert EqualBudget(3, GradualByEpoch(1))([1.0], 2) == (0, 1, 1)


def test_bad_options_are_named():
    for bad, name in (
        (lambda: GradualTuning(0), "tolerance is 0"),
        (lambda: GradualTuning(difference="up"), "difference is 'up'"),
        (lambda: GradualByEpoch(0), "every is 0"),
        (lambda: Freeze(-1), "layers is -1"),
        (lambda: Discriminative(0), "factor is 0"),
        (lambda: EqualBudget(0), "epochs is 0"),
    ):
        with pytest.raises(ValueError, match=name):
            bad()


def test_the_top_layers_train_and_those_beneath_never():
    for layers, mask in ((0, (0, 0, 0, 1)), (1, (0, 0, 1, 1)), (3, (1, 1, 1, 1)), (9, (1, 1, 1, 1))):
        assert TopLayers(layers)([5.0, 5.0], 3) == mask
    with pytest.raises(ValueError, match="layers is -1; expected zero or more"):
        TopLayers(-1)


@given(histories, st.integers(1, 4), st.integers(1, 4))
def test_after_a_warm_up_the_other_policy_begins_with_its_own_history(history, epochs, depth):
    mask = WarmUp(epochs, GradualTuning())(history, depth)
    if len(history) < epochs:
        assert mask == HeadOnly()(history, depth)
    else:
        assert mask == GradualTuning()(history[epochs:], depth)
    assert WarmUp(2, GradualByEpoch(1))([5.0, 4.0], 2) == (0, 0, 1)
    assert WarmUp(2, GradualByEpoch(1))([5.0, 4.0, 3.0], 2) == (0, 1, 1)
