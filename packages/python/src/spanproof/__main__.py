"""``python -m spanproof`` is the program."""

import subprocess
import sys

from spanproof.program import binary

sys.exit(subprocess.run([binary(), *sys.argv[1:]], check=False).returncode)
