"""What every study shares: jobs and who runs them, folders that survive a stop, and how results become a report.

Reading order: study (what a study is) with its options; jobs and training (what it consists of); workspace, folder,
executors, scheduler and run (how jobs run and survive being stopped); tasks, task_specs and source_and_target (what
networks learn); long_form and method_grid (studies whose results are one long table); measurements, statistics, text,
grids and pictures (the parts of a report).
"""
