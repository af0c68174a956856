"""The study of penalties around the starting point. Reading order: design, tasks, runs, results, report, figures."""
