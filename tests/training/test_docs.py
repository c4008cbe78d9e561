"""The documents say what the options are: their table is made from the same fields as the command line."""

from pathlib import Path

from captioner.training.options import option_table
from captioner.training.run_config import RunConfig

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_table_of_options_is_that_of_the_command_line():
    rows = "\n".join(["| option | default | |", "|---|---|---|", *option_table(RunConfig)])
    text = (DOCS / "training.md").read_text(encoding="utf-8")
    assert f"\n{rows}\n\n" in text, f"docs/training.md should have this table:\n{rows}"
