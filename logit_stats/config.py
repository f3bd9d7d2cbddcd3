"""What is installed and in use."""

from __future__ import annotations

import platform

from logit_stats.version import DEPENDENCIES, versions


def show_config() -> None:
    """Print the versions in use and the kernel that sums over the rows."""
    from logit_stats.likelihoods.kernel import description

    print(f"python       {platform.python_version()} ({platform.machine()})")
    for package, version in versions(DEPENDENCIES).items():
        print(f"{package:<12} {version}")
    print(f"{'kernel':<12} {description()}")
