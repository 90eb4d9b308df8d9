"""`python -m waybill.cli`."""

import sys

from waybill.cli.app import main

sys.exit(main())
