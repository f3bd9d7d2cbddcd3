"""Sphinx configuration."""

from importlib import metadata

project = "logit_stats"
author = "the logit_stats founders"
copyright = "2026, the logit_stats founders"
release = metadata.version("logit-stats")
version = release

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "myst_nb",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
nb_execution_mode = "off"  # notebooks are executed by their own stage of the checks
exclude_patterns = ["_build", "performance_table.md", "penalized_table.md"]
html_theme = "furo"
html_title = f"logit_stats {release}"
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
plot_formats = ["svg"]
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
myst_enable_extensions = ["dollarmath", "colon_fence"]
