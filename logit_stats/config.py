"""What is installed and in use."""

from __future__ import annotations

import platform
from importlib import metadata

PACKAGES = ("logit-stats", "numpy", "scipy", "pandas", "patsy", "narwhals", "statsmodels")


def show_config() -> None:
    """Print the versions in use and the kernel that sums over the rows."""
    from logit_stats.estimation.kernel import description

    print(f"python       {platform.python_version()} ({platform.machine()})")
    for package in PACKAGES:
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            version = "not installed"
        print(f"{package:<12} {version}")
    print(f"{'kernel':<12} {description()}")
