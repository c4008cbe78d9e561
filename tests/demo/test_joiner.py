"""Joined modules do in one script what Node does with the modules themselves; all else is refused by file and line."""

import json
import shutil
import subprocess

import pytest

from demo.page.joiner import JoinError, in_order, join_modules

NODE = shutil.which("node")
GIVEN = "const [element, props, watch, trigger] = [1, 2, 3, 4];\n"


@pytest.fixture
def written(tmp_path):
    """Write modules; the first one is the entry, whose path comes back."""

    def write(**modules):
        (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
        for name, text in modules.items():
            path = tmp_path / f"{name.replace('__', '/')}.js"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / f"{next(iter(modules)).replace('__', '/')}.js"

    return write


def refused(entry, start="start") -> str:
    with pytest.raises(JoinError) as caught:
        join_modules(entry, start)
    return str(caught.value)


@pytest.mark.skipif(NODE is None, reason="no Node is installed")
def test_the_script_does_what_the_modules_do(written):
    entry = written(
        entry="""// private names clash with those of the others
import { count as much, Box } from './view/box.js';
import {
  twice,
  made,
} from './model/sum.js';

const own = 'entry';
export function start(given) {
  console.log(JSON.stringify([own, much(), much(), twice(21), new Box().own, made, given]));
}
""",
        view__box="""import { made, twice } from '../model/sum.js';
const own = 'box';
let number = twice(1);
export function count() { return (number += made); }
export class Box {
  own = own;
}
""",
        model__sum="""const own = 2;
export const made = 5; // once
export function twice(x) { return own * x; }
console.log('once');
""",
    )
    loader = entry.with_name("loader.js")
    loader.write_text(f"import {{ start }} from './entry.js';\n{GIVEN}start({{ element, props, watch, trigger }});\n")
    joined = entry.with_name("joined.cjs")
    joined.write_text(GIVEN + join_modules(entry, "start"), encoding="utf-8")
    said = [
        subprocess.run([NODE, each], capture_output=True, text=True, check=True, timeout=60).stdout
        for each in (loader, joined)
    ]
    assert said[0] == said[1]
    once, shown = said[1].splitlines()
    given = {"element": 1, "props": 2, "watch": 3, "trigger": 4}
    assert (once, json.loads(shown)) == ("once", ["entry", 7, 12, 42, "box", 5, given])


def test_what_is_imported_comes_first_and_once(written):
    entry = written(
        entry="import { b } from './b.js';\nimport { c } from './c.js';\nexport function start() {}",
        b="import { d } from './d.js';\nexport const b = d;",
        c="import { d } from './d.js';\nexport const c = d;",
        d="export const d = 1;",
        unused="export const e = 1;",
    )
    assert [module.path.stem for module in in_order(entry)] == ["d", "b", "c", "entry"]


def test_lines_keep_their_number_within_a_module(written):
    text = "import {\n  b,\n} from './b.js';\n\nexport function start() {\n  b();\n}"
    entry = written(entry=text, b="export const b = () => 1;")
    assert in_order(entry)[-1].body.splitlines().index("  b();") == text.splitlines().index("  b();")


def test_a_circle_is_named(written):
    entry = written(
        entry="import { b } from './b.js';\nexport function start() {}",
        b="import { c } from './c.js';\nexport const b = 1;",
        c="import { b } from './b.js';\nexport const c = 1;",
    )
    assert refused(entry) == "imports go in a circle: b.js → c.js → b.js"


def test_what_is_missing_is_named(written):
    entry = written(entry="// first\nimport { b } from './b.js';\nexport function start() {}")
    assert refused(entry) == f"{entry}:2: there is no file {entry.with_name('b.js')}"
    written(b="const b = 1;\nexport const other = b;")
    assert refused(entry) == f"{entry}:2: b.js exports no b"
    written(b="export const b = 1;")
    assert refused(entry, "begin").endswith("entry.js: exports no begin")
    assert "there is no file" in refused(entry.with_name("none.js"))


@pytest.mark.parametrize(
    "line",
    [
        "import b from './b.js';",
        "import * as b from './b.js';",
        "import './b.js';",
        "import {} from './b.js';",
        "import { b as } from './b.js';",
        "import { b } from 'b';",
        "import { b } from './b.js'; b();",
        "import { b } from './b.js'",
        "export default start;",
        "export { start };",
        "export { b } from './b.js';",
        "export * from './b.js';",
        "export let b = 1;",
        "export var b = 1;",
        "export const { b } = start;",
        "export const [b] = [1];",
        "export function* b() {}",
        "const b = await import('./b.js');",
        "const here = import.meta.url;",
    ],
)
def test_other_forms_are_refused(line, written):
    entry = written(entry=f"export function start() {{}}\n{line}\n", b="export const b = 1;")
    assert refused(entry).startswith(f"{entry}:2: not joined: ")


def test_a_name_is_exported_once(written):
    entry = written(entry="export function start() {}\nexport const start = 1;\n")
    assert refused(entry) == f"{entry}: exports twice: start"


def test_words_that_only_look_like_statements_are_left(written):
    text = "const exports = {};\nconst important = 1; // import { x }\nexport const start = () => exports;\n"
    assert in_order(written(entry=text))[0].body == text.replace("export const start", "const start")
