"""Two digits a task: the baselines of a published comparison of continual learning, theirs and ours."""
