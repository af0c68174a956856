"""The data that networks learn: line-and-angle stimuli drawn from addresses, real image files, and their splits.

Reading order: rules, appearance, stimuli (with geometry, addresses, figures, backgrounds, raster and truth below
them), stimulus_sets, line_tasks; jitter, patches; idx, download, mnist.
"""

from npnet.data import Split, Task, batch
from npnet.tasks.appearance import CALIBRATED, Appearance
from npnet.tasks.download import data_folder
from npnet.tasks.idx import read_idx
from npnet.tasks.jitter import Jittered
from npnet.tasks.line_tasks import TARGETS, line_task, line_tasks, targets
from npnet.tasks.mnist import ImageFiles, fashion_task, load, mnist_halves, mnist_task
from npnet.tasks.patches import in_patches, patch_order
from npnet.tasks.rules import TASKS, Figure, Rule
from npnet.tasks.stimuli import Stimuli, draw, draw_at
from npnet.tasks.stimulus_sets import StimulusSet, stimulus_set
from npnet.tasks.truth import TRUTH

__all__ = [
    "CALIBRATED",
    "TARGETS",
    "TASKS",
    "TRUTH",
    "Appearance",
    "Figure",
    "ImageFiles",
    "Jittered",
    "Rule",
    "Split",
    "Stimuli",
    "StimulusSet",
    "Task",
    "batch",
    "data_folder",
    "draw",
    "draw_at",
    "fashion_task",
    "in_patches",
    "line_task",
    "line_tasks",
    "load",
    "mnist_halves",
    "mnist_task",
    "patch_order",
    "read_idx",
    "stimulus_set",
    "targets",
]
