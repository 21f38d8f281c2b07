"""Install npm packages from a folder's lock file."""

import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache"


def installed(here: Path) -> Path:
    """Return a folder with the packages locked in ``here``.

    It is kept between runs and rebuilt when the lock file changes.
    """
    lock = (here / "package-lock.json").read_bytes()
    folder = CACHE / f"npm-{here.name}-{sha256(lock).hexdigest()[:12]}"
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        # Made aside and moved into place whole, so that an interrupted run leaves no half of it.
        making = Path(tempfile.mkdtemp(dir=CACHE))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(here / name, making)
        subprocess.run(
            ["npm", "ci", "--prefix", str(making), "--no-audit", "--no-fund"],
            check=True,
            capture_output=True,
            timeout=300,
        )
        try:
            making.rename(folder)
        except OSError:  # another worker was quicker
            shutil.rmtree(making)
    return folder
