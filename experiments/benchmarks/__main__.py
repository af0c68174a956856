"""The process that measures: `python -m experiments.benchmarks NAME OPTIONS`, which `experiments bench NAME` starts."""

import json
import sys
from importlib import import_module

if __name__ == "__main__":
    name, options = sys.argv[1:]
    try:
        import_module(f"experiments.benchmarks.{name}").main(**json.loads(options))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
