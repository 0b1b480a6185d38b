"""Sphinx configuration of the book; `build.py` beside this file runs it."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))  # figures.py and terms.py

project = "rfcsim"
author = "rfcsim contributors"
copyright = "rfcsim contributors"
version = release = installed_version("rfcsim")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "figures", "terms"]
exclude_patterns = ["_static"]

nb_execution_mode = "off"  # the notebooks have been executed
nb_merge_streams = True
nb_code_prompt_show = "How the numbers in the text are computed"
nb_code_prompt_hide = nb_code_prompt_show
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
default_role = "literal"  # `name` in a docstring is code

autodoc_default_options = {"exclude-members": "model_config"}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it, with units and shapes
napoleon_google_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "rfcsim"
html_show_search_summary = False  # it would fetch pages, which a page opened as a file may not
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = ["charts.js"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_domain_indices = False  # there is one module


def visit_math(translator, node: nodes.math) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_math_block(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def level_captions(app: Sphinx, name: str, template: str, context: dict, doctree: object) -> None:
    """Give the captions of tables of contents a heading level, which Sphinx leaves open."""
    for part in ("body", "furo_navigation_tree"):
        context[part] = context.get(part, "").replace(
            'role="heading"', 'role="heading" aria-level="2"'
        )


def setup(app: Sphinx) -> None:
    """Formulas become MathML, which browsers draw by themselves: no script, no network."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.connect("html-page-context", level_captions, priority=900)  # after the theme
