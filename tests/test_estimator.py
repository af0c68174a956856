"""The estimators: scikit-learn's own checks, what its users know, and what npnet adds."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import npnet

pytest.importorskip("sklearn", reason="the extra 'sklearn' brings it")

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from npnet.sklearn import MLPClassifier, MLPRegressor
from npnet.sklearn.settings import AdaptiveRate
from npnet.sklearn.stopping import Stopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(3)
X = RNG.standard_normal((120, 6))
Y = np.array(["a", "b", "c"])[np.argmax(X[:, :3], 1)]  # a class that can be learned
T = np.stack([X[:, 0] * X[:, 1], X[:, 2]], 1)
QUICK = {"hidden_layer_sizes": (16,), "max_iter": 30, "random_state": 0, "learning_rate_init": 0.01}


def quick(**more):
    return MLPClassifier(**{**QUICK, **more})


@pytest.mark.parametrize("estimator", [MLPClassifier(), MLPRegressor()], ids=["classifier", "regressor"])
def test_scikit_learns_own_checks_pass(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(estimator, on_fail=None)
    assert len(found) > 50
    assert [each["check_name"] for each in found if each["status"] not in ("passed", "skipped")] == []


def test_npnet_itself_does_not_import_scikit_learn():
    program = "import sys, npnet; assert not any(name.split('.')[0] in ('sklearn', 'scipy') for name in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_the_parameters_of_scikit_learn_have_its_names_and_defaults(kind):
    theirs = (TheirClassifier if kind is MLPClassifier else TheirRegressor)().get_params()
    ours = kind().get_params()
    assert {name: ours.get(name, "missing") for name in theirs if name != "loss"} == {
        name: value for name, value in theirs.items() if name != "loss"
    }


# With the rest of scikit-learn ----------------------------------------------------------------------------------------


def test_it_works_in_a_pipeline_a_search_and_a_calibration():
    pipeline = make_pipeline(StandardScaler(), quick())
    search = GridSearchCV(pipeline, {"mlpclassifier__hidden_layer_sizes": [(4,), (16,)]}, cv=2).fit(X, Y)
    assert search.best_score_ > 0.6
    calibrated = CalibratedClassifierCV(quick(), cv=2).fit(X, Y)
    assert np.allclose(calibrated.predict_proba(X).sum(1), 1)
    assert cross_val_score(quick(), X, Y, cv=2).mean() > 0.6


def test_a_fitted_estimator_can_be_pickled_copied_and_cloned():
    clf = quick().fit(X, Y)
    for twin in (pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        assert np.array_equal(twin.predict_proba(X), clf.predict_proba(X))
    assert np.array_equal(clone(clf).fit(X, Y).predict_proba(X), clf.predict_proba(X))  # same seed, same bits


def test_sparse_inputs_are_read_a_batch_at_a_time_and_to_the_same_numbers():
    words = RNG.integers(0, 5, (90, 3)).astype(str)
    encoder = OneHotEncoder().fit(words)
    sparse, labels = encoder.transform(words), words[:, 0] == words[:, 1]
    one, other = quick().fit(sparse, labels), quick().fit(sparse.toarray(), labels)
    assert np.array_equal(one.predict_proba(sparse), other.predict_proba(sparse.toarray()))


# Beside scikit-learn's own --------------------------------------------------------------------------------------------

SETS = {
    "iris": load_iris,
    "wine": load_wine,
    "cancer": load_breast_cancer,
    "digits": load_digits,
    "diabetes": load_diabetes,
}


@pytest.mark.parametrize("name", SETS)
def test_the_errors_on_bundled_data_are_those_of_scikit_learn(name):
    data, targets = SETS[name](return_X_y=True)
    ours, theirs = (MLPRegressor, TheirRegressor) if name == "diabetes" else (MLPClassifier, TheirClassifier)
    stratify = None if name == "diabetes" else targets
    X_fit, X_test, y_fit, y_test = train_test_split(data, targets, test_size=0.4, random_state=0, stratify=stratify)
    settings = {"hidden_layer_sizes": (30,), "max_iter": 30, "learning_rate_init": 0.01, "random_state": 0}
    scores = [
        make_pipeline(StandardScaler(), kind(**settings)).fit(X_fit, y_fit).score(X_test, y_test)
        for kind in (ours, theirs)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.002)  # one example, or less: the last batch's share of alpha


TARGETS = {
    "three classes": Y,
    "two classes": X[:, 0] > X[:, 1],
    "labels": (X[:, :3] + X[:, 3:] > 0).astype(int),
    "one value": T[:, 1],
    "values": T,
}
SETTINGS = [
    {"solver": "adam"},
    {"solver": "adam", "shuffle": False, "activation": "logistic"},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    {"solver": "sgd", "nesterovs_momentum": False, "activation": "tanh"},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 2},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: "-".join(map(str, settings.values())))
@pytest.mark.parametrize("targets", TARGETS)
def test_with_the_same_seed_a_fit_is_that_of_scikit_learn_to_rounding(targets, settings):
    y = TARGETS[targets]
    ours, theirs = (MLPRegressor, TheirRegressor) if "value" in targets else (MLPClassifier, TheirClassifier)
    shared = {"hidden_layer_sizes": (7, 5), "batch_size": 20, "max_iter": 12, "random_state": 3, "alpha": 0.1}
    one, other = (kind(**{**shared, **settings}).fit(X, y) for kind in (ours, theirs))
    for w, v in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert np.allclose(w, v, rtol=1e-9, atol=1e-12)
    if "value" in targets:
        assert np.allclose(one.predict(X), other.predict(X), rtol=1e-9, atol=1e-12)
    else:
        assert np.array_equal(one.predict(X), other.predict(X))
        assert np.allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-9)
        assert np.allclose(one.predict_log_proba(X), np.log(other.predict_proba(X)), rtol=1e-9)
    if targets != "values":  # whose loss scikit-learn divides by their number, and whose gradient it does not
        assert np.allclose(one.loss_curve_, other.loss_curve_, rtol=1e-9)
    for name in ("n_iter_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(one, name) == getattr(other, name), name


def test_with_the_same_seed_early_stopping_is_that_of_scikit_learn():
    shared = {"hidden_layer_sizes": (7,), "batch_size": 12, "max_iter": 60, "random_state": 1, "early_stopping": True}
    y = Y == "a"  # with more classes than two scikit-learn's split is not stratified, and ours is
    one, other = (kind(**shared, learning_rate_init=0.01).fit(X, y) for kind in (MLPClassifier, TheirClassifier))
    assert one.validation_scores_ == pytest.approx(other.validation_scores_)
    assert one.n_iter_ == other.n_iter_
    for w, v in zip(one.coefs_, other.coefs_, strict=True):
        assert np.allclose(w, v, rtol=1e-9)


def test_lbfgs_finds_the_minimum_that_scikit_learn_finds():
    settings = {
        "hidden_layer_sizes": (5,),
        "solver": "lbfgs",
        "alpha": 1.0,
        "max_iter": 400,
        "random_state": 0,
        "tol": 1e-6,
    }
    ours, theirs = (kind(**settings).fit(X, Y) for kind in (MLPClassifier, TheirClassifier))
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-5)
    assert np.allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3)


# Weights of examples and classes --------------------------------------------------------------------------------------


def test_weights_of_classes_are_weights_of_their_examples():
    by_class = quick(class_weight={"a": 1, "b": 3, "c": 2}).fit(X, Y)
    by_example = quick().fit(X, Y, sample_weight=np.select([Y == "a", Y == "b"], [1, 3], 2))
    assert np.array_equal(by_class.predict_proba(X), by_example.predict_proba(X))
    rare = np.flatnonzero(Y == "a")[:6]
    rows = np.concatenate([rare, np.flatnonzero(Y != "a")])
    plain, balanced = (quick(class_weight=each).fit(X[rows], Y[rows]) for each in (None, "balanced"))
    assert (balanced.predict(X[Y == "a"]) == "a").mean() > (plain.predict(X[Y == "a"]) == "a").mean()


def test_weights_count_in_a_transfer_with_terms_too():
    weights = np.linspace(0.5, 2, 120)
    second = quick().fit(X, OLD).transfer("without_forgetting", max_iter=3)
    plain, weighted = (clone(second).fit(X, NEW, each).coefs_[1] for each in (None, weights))
    assert not np.allclose(plain, weighted)
    assert np.allclose(plain, clone(second).fit(X, NEW, np.full(120, 1.0)).coefs_[1])


def test_examples_of_weight_zero_are_not_read():
    broken = X.copy()
    broken[:5] = 1e6
    weights = np.ones(len(X))
    weights[:5] = 0
    assert np.array_equal(quick().fit(broken, Y, weights).coefs_[0], quick().fit(X, Y, weights).coefs_[0])


# What npnet adds ------------------------------------------------------------------------------------------------------


def test_a_validation_set_of_ones_own_decides_when_to_stop_and_which_weights_to_keep():
    clf = quick(max_iter=200, n_iter_no_change=5).fit(X[:80], Y[:80], X_val=X[80:], y_val=Y[80:])
    best = max(clf.history_, key=lambda record: (record["validation_score"], -record["epoch"]))
    assert clf.score(X[80:], Y[80:]) == best["validation_score"] == clf.best_validation_score_
    assert clf.n_iter_ == len(clf.history_) < 200
    for record in clf.history_:
        assert record["validation_error"] == pytest.approx(100 * (1 - record["validation_score"]))
        assert np.isfinite(record["validation_loss"])
    T_fit = MLPRegressor(**QUICK).fit(X[:80], T[:80], X_val=X[80:], y_val=T[80:])
    assert len(T_fit.validation_scores_) == T_fit.n_iter_


def test_the_validation_loss_is_the_loss_of_the_network_then():
    losses = []

    def look(clf, record):
        Z = clf.predict_log_proba(X[80:])
        losses.append(-Z[np.arange(40), np.searchsorted(clf.classes_, Y[80:])].mean())

    clf = quick(callbacks=(look,), max_iter=4).fit(X[:80], Y[:80], X_val=X[80:], y_val=Y[80:])
    assert losses == pytest.approx([record["validation_loss"] for record in clf.history_])


def test_early_stopping_sets_examples_aside():
    clf = quick(early_stopping=True, max_iter=300).fit(X, Y)
    assert len(clf.validation_scores_) == clf.n_iter_ < 300
    assert clf.best_loss_ is None
    with pytest.raises(ValueError, match=r"validation_fraction is 0\.01"):
        MLPRegressor(early_stopping=True, validation_fraction=0.01).fit(X[:90], T[:90])


def test_layers_may_have_activations_of_their_own_and_there_may_be_none():
    clf = quick(hidden_layer_sizes=(8, 4), activation=("logistic", "gelu"), dropout=(0.2, 0)).fit(X, Y)
    assert [activation.name for activation in clf.network_.activations] == ["sigmoid", "gelu"]
    assert clf.network_.dropout == (0.2, 0.0)
    linear = quick(hidden_layer_sizes=(), max_iter=200).fit(X, Y)
    assert len(linear.coefs_) == 1
    assert linear.score(X, Y) > 0.9


def test_callbacks_see_every_epoch_and_may_end_the_fit():
    seen = []
    clf = quick(callbacks=(lambda clf, record: seen.append(record["epoch"]), lambda clf, record: record["epoch"] == 7))
    assert clf.fit(X, Y).n_iter_ == 7
    assert seen == list(range(1, 8))


def test_a_fit_that_max_iter_ends_warns_and_one_that_has_converged_does_not():
    with pytest.warns(ConvergenceWarning, match="max_iter is 2"):
        quick(max_iter=2).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = quick(max_iter=500, tol=0.05, n_iter_no_change=3).fit(X, Y)
    assert clf.n_iter_ < 500


def test_the_rule_of_stopping_is_that_of_scikit_learn():
    losses = [1.0, 0.5, 0.49, 0.495, 0.48, 0.3, 0.3, 0.3, 0.3, 0.3]
    rule = Stopping(tol=0.1, patience=3, rate=None)
    assert [rule.stops(loss) for loss in losses] == [False] * 9 + [True]
    rate = AdaptiveRate(1e-5)
    rule = Stopping(tol=0.1, patience=0, rate=rate)
    assert [rule.stops(1.0) for _ in range(6)] == [False, False, False, True, True, True]
    assert rate.rate == pytest.approx(4e-7)


def test_rates_follow_their_schedules():
    def rates(**more):
        return [record["rate"] for record in quick(max_iter=3, **more).fit(X, Y).history_]

    sgd = {"solver": "sgd", "learning_rate_init": 0.1}
    assert rates(learning_rate="invscaling", **sgd) == pytest.approx([0.1, 0.1 / 121**0.5, 0.1 / 241**0.5])
    assert rates(learning_rate="invscaling") == [0.01] * 3  # Adam's stays, as in scikit-learn
    assert rates(learning_rate=npnet.cosine(0.1, 3)) == pytest.approx([0.1, 0.075, 0.025])
    falling = quick(**sgd, learning_rate="adaptive", tol=10, n_iter_no_change=1, max_iter=100).fit(X, Y)
    assert falling.history_[-1]["rate"] < 1e-6
    assert falling.n_iter_ < 100


def test_frozen_layers_stay_to_the_bit_and_thaw_when_the_policy_says():
    start = quick().fit(X, Y).network_
    frozen = quick(warm_start_from=start, policy=npnet.Freeze(1)).fit(X, Y)
    assert np.array_equal(frozen.coefs_[0], start.trunk[0]["W"])
    assert not np.array_equal(frozen.coefs_[1], start.heads["task"]["W"])
    thawed = quick(warm_start_from=start, policy=npnet.GradualByEpoch(3), max_iter=5).fit(X, Y)
    assert [record["mask"] for record in thawed.history_] == [[0, 1]] * 3 + [[1, 1]] * 2
    gradual = quick(warm_start_from=start, policy="gradual", early_stopping=True).fit(X, Y)
    assert gradual.history_[0]["mask"] == [0, 1]


def test_patience_waits_for_the_last_layer_and_begins_again_when_it_joins():
    first = quick(hidden_layer_sizes=(16, 8)).fit(X, Y)
    second = first.transfer("gradual", max_iter=200, n_iter_no_change=4).fit(
        X[:80], NEW[:80], X_val=X[80:], y_val=NEW[80:]
    )
    joined = next(record["epoch"] for record in second.history_ if all(record["mask"]))
    assert joined + 4 <= second.n_iter_ < 200


def test_a_policy_that_ends_a_fit_is_no_failure_to_converge():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert quick(policy=npnet.EqualBudget(3)).fit(X, Y).n_iter_ == 3


def test_a_fit_goes_on_from_given_weights_and_leaves_them_alone():
    first = quick().fit(X, Y)
    before = copy.deepcopy(first.network_)
    later = quick(warm_start_from=first.network_).fit(X, Y)
    assert later.loss_curve_[0] < first.loss_curve_[0] / 2
    assert np.array_equal(first.coefs_[0], before.trunk[0]["W"])
    again = quick(warm_start=True).fit(X, Y)
    losses = again.loss_curve_[-1], again.fit(X, Y).loss_curve_[0]
    assert losses[1] < 1.5 * losses[0]


def test_proximal_steps_put_weights_and_whole_units_at_zero_exactly():
    proximal = {"solver": "proximal", "learning_rate_init": 0.05, "batch_size": 20, "max_iter": 60, "alpha": 0}
    sparse = quick(**proximal, l1=0.01).fit(X, Y)
    assert 0.05 < (sparse.coefs_[0] == 0).mean() < 1
    grouped = quick(**proximal, group_lasso=0.03).fit(X, Y)
    units = (grouped.coefs_[0] == 0).all(0)
    assert 0 < units.sum() < 16
    assert (grouped.coefs_[0][:, ~units] != 0).all()
    assert (quick(l1=0.01).fit(X, Y).coefs_[0] == 0).sum() == 0  # Adam follows the subgradient


def test_partial_fit_is_an_epoch_of_fit_each_time():
    whole = quick(max_iter=5, tol=0, n_iter_no_change=99, shuffle=False).fit(X, Y)
    pieces = quick(shuffle=False)
    for _ in range(5):
        pieces.partial_fit(X, Y, classes=np.unique(Y))
    assert np.array_equal(whole.coefs_[0], pieces.coefs_[0])
    assert pieces.n_iter_ == 5
    with pytest.raises(ValueError, match="early_stopping is True"):
        quick(early_stopping=True).partial_fit(X, Y)


# Transfer -------------------------------------------------------------------------------------------------------------

OLD, NEW = Y, np.where(X[:, 3] * X[:, 4] > 0, "yes", "no")


@pytest.mark.parametrize("method", ["fine", "gradual", "without_forgetting", npnet.gradual_tuning])
def test_an_estimator_transfers_to_a_new_task_and_tells_what_the_old_one_lost(method):
    first = quick().fit(X, OLD)
    before = first.score(X, OLD)
    second = first.transfer(method, max_iter=20).fit(X, NEW, X_old=X, y_old=OLD)
    assert list(second.classes_) == ["no", "yes"]
    assert list(second.tasks_) == ["task", "task 2"]
    after = second.score(X, OLD, task="old")
    assert after == second.score(X, OLD, task="task")
    assert second.forgetting_ == pytest.approx(100 * (before - after))
    assert second.history_[-1]["old_error"] == pytest.approx(100 * (1 - after))
    assert first.score(X, OLD) == before  # whose network has not moved
    assert set(second.predict(X, task="old")) <= {"a", "b", "c"}


@pytest.mark.parametrize("old", [OLD, OLD == "a"], ids=["three classes", "two classes"])
def test_without_forgetting_forgets_less_than_fine_tuning(old):
    first = quick(max_iter=100).fit(X, old)
    lost = {
        method: first.transfer(method, max_iter=60, learning_rate_init=0.03).fit(X, NEW, X_old=X, y_old=old).forgetting_
        for method in ("fine", "without_forgetting")
    }
    assert lost["without_forgetting"] < lost["fine"]


def test_a_transferred_estimator_can_be_cloned_searched_and_transferred_again():
    second = quick().fit(X, OLD).transfer("gradual", max_iter=10)
    search = GridSearchCV(second, {"method": ["fine", "gradual"]}, cv=2).fit(X, NEW)
    assert 0.3 < search.best_score_ <= 1
    third = search.best_estimator_.transfer("fine", task="values").fit(X, X[:, 5] > 0)
    assert list(third.tasks_) == ["task", "task 2", "values"]
    assert np.array_equal(third.tasks_["task"].classes, ["a", "b", "c"])
    assert pickle.loads(pickle.dumps(third)).score(X, NEW, task="old") == third.score(X, NEW, task="task 2")


def test_a_regression_transfers_too():
    first = MLPRegressor(**QUICK).fit(X, T)
    second = first.transfer("fine").fit(X, T[:, 0] - T[:, 1], X_old=X, y_old=T)
    assert second.predict(X).shape == (120,)
    assert second.predict(X, task="old").shape == (120, 2)
    assert second.forgetting_ > 0


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"solver": "adamw"}, "solver is 'adamw'; expected one of 'adam', 'sgd', 'proximal', 'lbfgs'"),
        ({"learning_rate": "warm"}, "learning_rate is 'warm'"),
        ({"policy": "none"}, "policy is 'none'"),
        ({"hidden_layer_sizes": (0,)}, r"hidden_layer_sizes is \(0,\)"),
        ({"activation": "swish"}, "activation is 'swish'"),
        ({"dropout": 1.5}, "dropout is 1.5"),
        ({"alpha": -1}, "alpha is -1; expected a finite number, 0 or more"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"method": "gradual"}, "method is 'gradual'; expected a network to transfer from"),
        ({"warm_start_from": "a.npz"}, "warm_start_from is 'a.npz'; expected an npnet.Network or a fitted estimator"),
        ({"warm_start_from": npnet.mlp((5, 3), {"task": 3}, npnet.generator(0))}, "X has 6 features; expected 5"),
        ({"warm_start_from": npnet.mlp((6, 3), {"task": 2}, npnet.generator(0))}, "y needs 3 outputs, and the network"),
        ({"solver": "lbfgs", "dropout": 0.5}, "dropout is"),
        ({"l1": 0.1, "group_lasso": 0.1, "solver": "proximal"}, "expected a sum that has a proximal step"),
    ],
)
def test_what_is_wrong_with_parameters_is_said(parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(X, Y)


def test_what_is_wrong_with_data_is_said():
    with pytest.raises(NotFittedError, match="clones of an estimator never are"):
        quick(warm_start_from=quick()).fit(X, Y)
    with pytest.raises(ValueError, match="y has the class 'd'"):
        quick().fit(X, Y, X_val=X[:3], y_val=np.array(["a", "d", "b"]))
    with pytest.raises(ValueError, match="X_val is given without y_val"):
        quick().fit(X, Y, X_val=X)
    with pytest.raises(ValueError, match="none below zero"):
        quick().fit(X, Y, sample_weight=np.linspace(-1, 1, 120))
    clf = quick().fit(X, Y)
    with pytest.raises(AttributeError, match="X_old"):
        _ = clf.forgetting_
    with pytest.raises(ValueError, match="task is 'old'; expected one of 'task'"):
        clf.predict(X, task="old")
    with pytest.raises(ValueError, match=r"y has shape \(120, 2\); expected \(N, 3\)"):
        quick(warm_start=True).fit(X, TARGETS["labels"]).fit(X, TARGETS["labels"][:, :2])
