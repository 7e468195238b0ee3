"""`python -m biosig_lstm` is the command `biosig-lstm`."""

import sys

from biosig_lstm.cli import main

sys.exit(main())
