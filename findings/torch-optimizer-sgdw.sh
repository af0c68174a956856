#!/usr/bin/env bash
# torch-optimizer 0.3.0: the weight decay of SGDW takes the same amount from every weight, whatever the weight is.
#
# A good guess: as in the paper that the class cites, each step multiplies a weight by 1 - lr * weight_decay besides the
# step along the gradient, so that without a gradient all weights shrink towards zero.
# What happens: each step subtracts lr * weight_decay. All weights drift down at one speed: positive ones pass zero, and
# negative ones grow without bound. AdamW of PyTorch and AdaMod of the same package decay as the paper has it.
# Where: torch_optimizer/sgdw.py, step: the decay lacks the weight as a factor. The project has a report of it.
# Why it matters: a loss may fall nevertheless, as biases and other layers make up for the drift. A test of an optimizer
# has to look at one step on weights of both signs, with no gradient.
# The reference is the geometric decay.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "torch==2.13.0" "torch-optimizer==0.3.0" "numpy==2.4.6"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
import torch
import torch_optimizer

START, RATE, DECAY, STEPS = torch.tensor([2.0, 0.0, -3.0]), 0.1, 0.5, 40


def without_gradient(optimizer, **options):
    w = torch.nn.Parameter(START.clone())
    w.grad = torch.zeros_like(w)
    optimizer = optimizer([w], lr=RATE, weight_decay=DECAY, **options)
    for _ in range(STEPS):
        optimizer.step()
    return w.detach()


geometric = START * (1 - RATE * DECAY) ** STEPS
for name, optimizer in (("AdamW", torch.optim.AdamW), ("AdaMod", torch_optimizer.AdaMod)):
    given = without_gradient(optimizer)
    print(f"{name}: {given.tolist()}")
    assert torch.allclose(given, geometric), f"{name} decays otherwise"
given = without_gradient(torch_optimizer.SGDW)
print(f"SGDW: {given.tolist()}; geometric {geometric.tolist()}")
assert torch.allclose(given, START - STEPS * RATE * DECAY, atol=1e-5), "the decay changed"
assert abs(given[2]) > abs(START[2]), "a negative weight no longer grows"
PYTHON
