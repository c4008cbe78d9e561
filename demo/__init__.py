"""The page: a Gradio app around the animated attention player, in wings."""
