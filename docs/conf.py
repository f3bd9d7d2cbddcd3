"""Sphinx configuration."""

import shutil
from pathlib import Path

from logit_stats.version import __version__

HERE = Path(__file__).parent

project = "logit_stats"
author = "the logit_stats founders"
copyright = "2026, the logit_stats founders"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "myst_nb",
    "sphinx_copybutton",
]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "performance_table.md", "penalized_table.md", "notebooks/.ipynb_checkpoints"]
templates_path = ["_templates"]
# a name in backticks of a docstring is a link, where there is something of that name
default_role = "py:obj"
# several classes have a fit(): such a name alone is no link, and no mistake
suppress_warnings = ["ref.python"]

# Notebooks lie at the top of the project, where people look for them; the site shows them with what they print.
shutil.copytree(HERE.parent / "notebooks", HERE / "notebooks", dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_excludepatterns = ["*.md"]

html_theme = "furo"
html_title = f"logit_stats {release}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
autosummary_generate = True
# pages whose names differ in case only would be one file on macOS and Windows
autosummary_filename_map = {
    f"logit_stats.{name}": f"logit_stats.{name}-function" for name in ("logit", "mnlogit", "logitgee")
}
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
plot_formats = ["svg"]
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3


def _without_last_blank_lines(app, docname, source) -> None:
    """The blank line that ends the output of a doctest is not shown."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def setup(app) -> None:
    """Sphinx calls this."""
    app.connect("source-read", _without_last_blank_lines)
