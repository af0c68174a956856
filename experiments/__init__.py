"""Studies of transfer and forgetting: each a small description that one runner turns into results, tables and figures.

    python -m experiments --help

Reading order: tables (what is studied), transfer (what one job does), jobs, workspace, folder and runner (how jobs run
and survive being stopped), results, statistics, report and figures (what comes of it), and command (the command line).
"""
