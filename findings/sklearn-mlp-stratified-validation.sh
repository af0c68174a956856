#!/usr/bin/env bash
# scikit-learn 1.9.1: MLPClassifier with early stopping stratifies its validation rows for two classes only.
#
# A good guess: "The split is stratified, except in a multilabel setting", says the docstring of early_stopping. So with
# three classes the validation rows hold each class in its share of the data.
# What happens: with two classes they do. With three or more the rows are drawn without a look at the classes. A class
# of 8 among 200 rows has 2 of 50 validation rows by its share, and gets anything from none to five of them.
# Where: sklearn/neural_network/_multilayer_perceptron.py, _fit_stochastic: it stratifies if the network has one output,
# which is meant to leave out multilabel targets. A network for three classes has three outputs.
# Why it matters: the score that ends the training is measured on those rows. In comparisons over seeds it varies more
# than a stratified one, and a rare class may have no part in it.
# The reference is the share of each class, which a stratified split keeps up to rounding.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "scikit-learn==1.9.1" "numpy==2.4.6" "scipy==1.17.1"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
from unittest.mock import patch

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, _multilayer_perceptron

assert "stratified, except in a multilabel setting" in " ".join(MLPClassifier.__doc__.split()), "the docstring changed"

counts = {2: [192, 8], 3: [96, 96, 8]}  # rows of each class; the last one is rare
rows = {}
for classes, sizes in counts.items():
    y = np.repeat(np.arange(classes), sizes)
    X = np.random.default_rng(0).normal(size=(len(y), 3))
    rows[classes] = []
    for seed in range(12):

        def split(*arrays, **options):
            parts = train_test_split(*arrays, **options)
            truth = parts[3].ravel() if classes == 2 else parts[3].argmax(axis=1)
            rows[classes].append(int((truth == classes - 1).sum()))
            return parts

        with patch.object(_multilayer_perceptron, "train_test_split", split):
            MLPClassifier((4,), early_stopping=True, validation_fraction=0.25, max_iter=2, random_state=seed).fit(X, y)
    print(f"{classes} classes: rare rows among the validation rows of twelve seeds {rows[classes]}, by their share 2")

assert rows[2] == [2] * 12, "two classes are no longer stratified"
assert len(set(rows[3])) > 2 and 0 in rows[3], "three classes are now stratified"

# One row of a class cannot be split: a stratified split refuses it. With three classes nothing is noticed.
for classes, sizes in {2: [39, 1], 3: [20, 19, 1]}.items():
    y = np.repeat(np.arange(classes), sizes)
    try:
        MLPClassifier((4,), early_stopping=True, max_iter=2, random_state=0).fit(np.eye(40), y)
        print(classes, "classes, one of a single row: fitted")
        assert classes == 3, "two classes are no longer stratified"
    except ValueError as error:
        print(classes, "classes, one of a single row:", str(error).split(".")[0])
        assert classes == 2, "three classes are now stratified"
PYTHON
