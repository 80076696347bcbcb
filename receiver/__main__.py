"""`python -m receiver` is `audit-receiver`."""

import sys

from receiver.cli import main

if __name__ == "__main__":
    sys.exit(main())
