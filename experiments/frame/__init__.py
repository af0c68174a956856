"""What every study shares: jobs and who runs them, folders that survive a stop, and how results become a report.

Reading order: study (what a study is), jobs and training (what it consists of), workspace, folder, executors, scheduler
and run (how jobs run and survive being stopped), task_specs and transfer (what networks learn), long_form and
method_grid (studies whose results are one long table), measurements, statistics, text, grids, pictures (their report).
"""
