"""The data that networks learn: lines and angles, digits and letters drawn from addresses, image files, and splits.

Reading order: rules, appearance, line_stimuli (with geometry, addresses, figures, backgrounds, raster and truth below
them); skeletons, handwriting, characters; family, stimuli, stimulus_sets, splits, line_tasks, digit_tasks; jitter,
patches; idx, download, mnist; forms, scale, arrays, tables.
"""

from npnet.data import Split, Task, batch
from npnet.tasks.appearance import CALIBRATED, Appearance
from npnet.tasks.arrays import ArrayTask, task_from_arrays
from npnet.tasks.characters import CHARACTER_TRUTH
from npnet.tasks.digit_tasks import digit_task
from npnet.tasks.download import data_folder
from npnet.tasks.handwriting import HANDWRITING, Handwriting
from npnet.tasks.idx import read_idx
from npnet.tasks.jitter import Jittered
from npnet.tasks.line_tasks import TARGETS, line_task, line_tasks, targets
from npnet.tasks.mnist import ImageFiles, fashion_task, idx_task, kmnist_task, load, mnist_halves, mnist_task
from npnet.tasks.patches import in_patches, patch_order
from npnet.tasks.rules import TASKS, Figure, Rule
from npnet.tasks.skeletons import ALPHABETS
from npnet.tasks.stimuli import Stimuli, draw, draw_at
from npnet.tasks.stimulus_sets import StimulusSet, stimulus_set
from npnet.tasks.tables import csv_task, npz_task, read_csv
from npnet.tasks.truth import TRUTH

__all__ = [
    "ALPHABETS",
    "CALIBRATED",
    "CHARACTER_TRUTH",
    "HANDWRITING",
    "TARGETS",
    "TASKS",
    "TRUTH",
    "Appearance",
    "ArrayTask",
    "Figure",
    "Handwriting",
    "ImageFiles",
    "Jittered",
    "Rule",
    "Split",
    "Stimuli",
    "StimulusSet",
    "Task",
    "batch",
    "csv_task",
    "data_folder",
    "digit_task",
    "draw",
    "draw_at",
    "fashion_task",
    "idx_task",
    "in_patches",
    "kmnist_task",
    "line_task",
    "line_tasks",
    "load",
    "mnist_halves",
    "mnist_task",
    "npz_task",
    "patch_order",
    "read_csv",
    "read_idx",
    "stimulus_set",
    "targets",
    "task_from_arrays",
]
