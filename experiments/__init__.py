"""Studies of transfer and forgetting with npnet; they run from a checkout and are not part of the installed package.

    python -m experiments --help

Rooms: frame (what every study shares), studies (one for each), published (the papers' numbers), benchmarks, faults
(what the gradient checks detect), sheets (pictures of the stimuli). command is the command line, registry lists the
studies, page writes one page of all results.
"""
