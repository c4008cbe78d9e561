"""The page: a Gradio app around the animated attention player."""

from gradio import component_meta

# On import Gradio writes a .pyi stub beside the source of every component class; type checkers would
# then read that stale copy in place of the source.
component_meta.create_or_modify_pyi = lambda *_: None
