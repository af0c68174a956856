"""The data that networks learn: line-and-angle stimuli drawn from addresses, real image files, and their splits."""

from npnet.tasks.appearance import DEFAULT_APPEARANCE, Appearance
from npnet.tasks.data import Split, Task
from npnet.tasks.rules import TASKS, Figure, Rule
from npnet.tasks.stimuli import TRUTH, Stimuli, draw, line_task

__all__ = [
    "DEFAULT_APPEARANCE",
    "TASKS",
    "TRUTH",
    "Appearance",
    "Figure",
    "Rule",
    "Split",
    "Stimuli",
    "Task",
    "draw",
    "line_task",
]
