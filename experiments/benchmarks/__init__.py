"""Speed, as ratios against peers and against what the machine allows, measured in turn within one run."""
