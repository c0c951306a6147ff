"""The program ``spanproof``: where it is, and the servers that it runs."""

import os
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

# A server that was asked to end lets answers in progress finish for five seconds.
STOP_SECONDS = 10


def binary() -> str:
    """The path of the program: ``SPANPROOF_BINARY``, or what this package carries, or the one on
    the path."""
    named = os.environ.get("SPANPROOF_BINARY")
    if named:
        return named
    carried = Path(sysconfig.get_path("scripts")) / f"spanproof{sysconfig.get_config_var('EXE') or ''}"
    found = str(carried) if carried.is_file() else shutil.which("spanproof")
    if found is None:
        raise FileNotFoundError(
            "no program `spanproof`: install the wheel of this platform, put the program on PATH, "
            "or name it in SPANPROOF_BINARY"
        )
    return found


class Server:
    """A verb that serves until it is stopped, and whose first lines say where."""

    def __init__(self, *arguments: str, lines: int) -> None:
        self._arguments = arguments
        # A file, since nobody reads a pipe while the server writes.
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [binary(), *arguments, "--until-stdin-ends"],
            # Nothing is written to it. It ends when this process does, however that comes about.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.said = [self._process.stdout.readline().strip() for _ in range(lines)]
        if not all(self.said):
            code = self.stop()
            raise RuntimeError(f"`spanproof {' '.join(arguments)}` ended with {code}:\n{self.errors}")

    def stop(self) -> int:
        """Ends it, unless it has ended, and gives its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._errors.seek(0)
        self.errors = self._errors.read().decode(errors="replace").strip()
        self._errors.seek(0, 2)
        return self._process.returncode
