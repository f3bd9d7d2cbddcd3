"""The version of the package, said in this one place, and those of the packages it stands on."""

from __future__ import annotations

__version__ = "0.1.0"

DEPENDENCIES = ("numpy", "scipy", "pandas", "patsy", "narwhals", "statsmodels")
# On these the numbers of a report depend.
NUMERICAL = ("numpy", "scipy", "pandas", "patsy")


def versions(packages: tuple[str, ...] = NUMERICAL) -> dict[str, str]:
    """Versions of this package and of others, "not installed" where one is not."""
    from importlib import metadata

    found = {"logit-stats": __version__}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
