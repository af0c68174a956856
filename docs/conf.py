"""How the book is built. Sphinx with MyST and the Furo theme: it refuses broken references, and reads well on paper,
phone and screen, in light and dark, from plain files without any server.
"""

import sys
from pathlib import Path

import npnet

sys.path.insert(0, str(Path(__file__).parent / "ext"))

project = "npnet"
author = copyright = "the authors of npnet"
release = npnet.__version__
html_title = "npnet"
extensions = [
    "myst_parser",
    "formulas",
    "prose",
    "annotated",
    "reference",
    "contents",
    "explorable",
    "quick",
    "quoted",
    "kinks",
]
exclude_patterns = ["_build", "ext"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_theme_options = {"navigation_with_keys": True}
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # a page opened from a file may not read other files
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
smartquotes = False
