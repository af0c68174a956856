"""Joint fine tuning: a source task that goes on training with the new one, all of it or its images nearest to the new."""

from npnet.joint_tuning.selection import neighbours_of
from npnet.joint_tuning.tuning import joint_tasks, selective_joint_tuning

__all__ = ["joint_tasks", "neighbours_of", "selective_joint_tuning"]
