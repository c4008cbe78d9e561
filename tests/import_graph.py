"""Which wing imports which, read from the syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINGS = (
    "app",
    "demo",
    "demo.gradio_inside",
    "demo.door",
    "demo.page",
    "demo.protocol",
    "demo.runs",
    "demo.texts",
    "captioner",
    "captioner.commands",
    "captioner.render",
    "captioner.training",
)


def sources() -> list[Path]:
    """Every Python file of the product."""
    return sorted([*ROOT.glob("captioner/**/*.py"), *ROOT.glob("demo/**/*.py"), *ROOT.glob("app.py")])


def wing(module: str) -> str | None:
    """The innermost wing that a module lies in; None for other libraries."""
    if module == "captioner.__main__":
        return "captioner.commands"
    inside = [each for each in WINGS if module == each or module.startswith(f"{each}.")]
    return max(inside, key=len, default=None)


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it; relative imports are not used here."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def edges() -> dict[tuple[str, str], int]:
    """(from, to) → how many imports, between different wings."""
    found: dict[tuple[str, str], int] = {}
    for path in sources():
        parts = path.relative_to(ROOT).with_suffix("").parts
        own = wing(".".join(parts))
        for module in imported(path):
            other = wing(module)
            if other and own and other != own:
                found[own, other] = found.get((own, other), 0) + 1
    return found


def picture() -> str:
    """The wings and their imports as a Mermaid flowchart."""
    found = edges()
    lines = ["flowchart TD", *(f'  {name.replace(".", "_")}["{name}"]' for name in WINGS)]
    arrows = sorted(found, key=lambda edge: (WINGS.index(edge[0]), WINGS.index(edge[1])))
    lines += [f"  {one.replace('.', '_')} --> {other.replace('.', '_')}" for one, other in arrows]
    return "\n".join(lines)


if __name__ == "__main__":
    print(picture())  # noqa: T201
