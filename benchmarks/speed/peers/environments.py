"""An environment for each system, so that none chooses the packages of another."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

CACHE = Path.home() / ".cache" / "jointrec-bench"

TORCH = ("torch==2.13.0",)  # first and exactly: a range may bring gigabytes of CUDA
PACKAGES: dict[str, tuple[tuple[str, ...], ...]] = {
    "torch-rechub": (TORCH, ("torch-rechub==0.9.0",)),
    "deepctr-torch": (TORCH, ("deepctr-torch==0.3.0", "requests==2.34.2")),
    "plain-torch": (TORCH, ("numpy==2.4.6",)),
    "fuxictr": (TORCH, ("fuxictr==2.3.10",)),
    "keras": (("tensorflow-cpu==2.21.0", "keras==3.15.1"),),
    "lightgbm": (("lightgbm==4.7.0", "numpy==2.4.6"),),
}
"""What is installed, one call of pip after another."""


def python_of(name: str, cache: Path = CACHE) -> Path:
    """The interpreter of an environment, which is made where it is not there or not as asked.

    :raises subprocess.CalledProcessError: where pip cannot install it.
    """
    folder = cache / f"venv-{name}"
    asked = hashlib.sha256(json.dumps(PACKAGES[name]).encode()).hexdigest()[:16]
    ready, python = folder / "ready", folder / "bin" / "python"
    if ready.exists() and ready.read_text() == asked:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    for packages in PACKAGES[name]:
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install"]
        subprocess.run([*pip, *packages], check=True, stdout=subprocess.DEVNULL)
    ready.write_text(asked)
    return python
