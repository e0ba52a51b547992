"""`python -m ridgeline`."""

import sys

from ridgeline.engine.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
