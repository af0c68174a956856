"""The study of how hard the stimuli are. Reading order: trials, report."""
