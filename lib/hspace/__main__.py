"""`python -m hspace`, which launchers such as `accelerate launch -m hspace` start."""

import sys

from hspace.cli import main

sys.exit(main())
