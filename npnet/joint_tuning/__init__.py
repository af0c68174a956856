"""Joint fine tuning: the source task, or its images nearest to the new task, trains on with the new one."""

from npnet.joint_tuning.selection import neighbours_of
from npnet.joint_tuning.tuning import joint_tasks, selective_joint_tuning

__all__ = ["joint_tasks", "neighbours_of", "selective_joint_tuning"]
