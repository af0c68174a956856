"""The plain torch script that a user would write for table 1: train a network, give it a new head, train that.

Written straight from the protocol: batches of a shuffled training set, SGD, the validation error after every epoch, the
best weights kept, patience that begins again when a layer joins. Frozen layers have `requires_grad` off, so that
autograd skips them. Weights and shuffles come from NumPy, so that npnet's runs can be compared with it.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from experiments.benchmarks.peers import torch_linears, torch_network
from npnet.layers import Parameters

__all__ = ["Script"]

Data = tuple[Any, Any]  # images (N, D), floats in [0, 1], and labels (N,)


class Script:
    """Networks in torch for a sequence of tasks: a trunk that goes from one to the next, a head for each."""

    def __init__(self, layers: Sequence[Parameters], head: Parameters) -> None:
        self.network = torch_network([*layers, head])
        self.heads = [self.network[-1]]

    def add_head(self, head: Parameters) -> "Script":
        """Return a copy of the script's network with one more head, which is the one to be trained."""
        other = deepcopy(self)
        other.heads.append(torch_network([head])[0])
        other.network[-1] = other.heads[-1]
        return other

    def weights(self) -> list[np.ndarray]:
        """Return the weights of each layer and of the newest head, as npnet has them: (D, K)."""
        return [layer.weight.detach().numpy().T for layer in torch_linears(self.network)]

    def error(self, data: Data, head: int = -1) -> float:
        """Return the percentage misclassified at a head."""
        import torch

        images, labels = data
        with torch.no_grad():
            wrong = sum(
                int((self.heads[head](self.network[:-1](X)).argmax(1) != t).sum())
                for X, t in zip(images.split(1000), labels.split(1000), strict=True)
            )
        return 100 * wrong / len(labels)

    def train(
        self,
        train: Data,
        validation: Data,
        rng: np.random.Generator,
        epochs: int,
        gradual: bool = False,
        watched: Sequence[tuple[int, Data]] = (),
        batch_size: int = 20,
        rate: float = 0.01,
        patience: int = 20,
    ) -> Iterator[tuple[int, float]]:
        """Train the newest head and what is below it; yield the layers that trained and the error of each epoch.

        gradual: the head alone at first, the next layer down after two epochs whose errors differ by less than 0.1.
        watched: other heads and data whose errors are measured after every epoch too.
        """
        import torch

        (images, labels), layers = train, torch_linears(self.network)
        criterion = torch.nn.CrossEntropyLoss()
        trains = 1 if gradual else len(layers)
        errors: list[float] = []
        waited, best = 0, deepcopy(self.network.state_dict())
        while len(errors) < epochs and (waited < patience or trains < len(layers)):
            for i, layer in enumerate(layers):
                layer.requires_grad_(i >= len(layers) - trains)
            optimizer = torch.optim.SGD((w for w in self.network.parameters() if w.requires_grad), lr=rate)
            self.network.train()
            for rows in torch.from_numpy(rng.permutation(len(images))).split(batch_size):
                optimizer.zero_grad()
                criterion(self.network(images[rows]), labels[rows]).backward()
                optimizer.step()
            self.network.eval()
            errors.append(self.error(validation))
            for head, data in watched:
                self.error(data, head)
            yield trains, errors[-1]
            waited += 1
            if errors[-1] < min(errors[:-1], default=np.inf):
                waited, best = 0, deepcopy(self.network.state_dict())
            joins = len(errors) > 1 and trains < len(layers) and abs(errors[-1] - errors[-2]) < 0.1 - 1e-9
            if joins:
                trains, waited = trains + 1, 0
        self.network.load_state_dict(best)
