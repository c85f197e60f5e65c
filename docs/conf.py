"""How the pages are built: `sphinx-build -W -n docs out/docs`, with no network."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

from symem.version import __version__  # noqa: E402

project, author, version, release = "symem", "the authors of symem", __version__, __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "generators"]
exclude_patterns = ["README.md"]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "attrs_block"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"symem {version}"
html_static_path = ["static", "../templates/katex"]  # KaTeX and its fonts, as reports carry them
html_css_files = ["katex.min.css", "pages.css"]
html_js_files = ["katex.min.js", "formulas.js"]
html_math_renderer = "katex"
html_copy_source = False
html_show_copyright = False

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"
pygments_style, pygments_dark_style = "friendly", "native"
