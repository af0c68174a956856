"""`python -m npnet train` and `python -m npnet transfer`: networks for people who do not program."""

import sys

from npnet.command import main

sys.exit(main())
