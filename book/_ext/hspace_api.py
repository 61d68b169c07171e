"""The directive `hspace-api`: every public name of the library with its signature and docstring.

The files are read, never imported, so the site needs neither torch nor the library.
"""

import ast
import re
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "lib" / "hspace"
CODE = re.compile(r"(``?)(.+?)\1")
NAME = r"\*{0,2}[A-Za-z_]\w*(?: \([^)]*\))?"  # of an argument, perhaps with its shape
FIELD = re.compile(rf"{NAME}(?:(?:, | and ){NAME})*: |(?:Returns|Raises|Yields) ")
SECOND = re.compile(r"(?<=\S)\s{2,}(?=\S)")  # two blanks set a second field off on the same line
CALLABLE = (ast.FunctionDef, ast.AsyncFunctionDef)
#: What a reader looks for comes first; the other modules follow by name.
LEADING = (
    "model",
    "jacobian",
    "krylov",
    "geometry",
    "scoring",
    "editing",
    "directions",
    "treatment",
    "gallery",
    "widgets",
)
FIRST = ("hspace", *(f"hspace.{name}" for name in LEADING))


def module_name(path):
    """hspace.cats.world for lib/hspace/cats/world.py, hspace.cats for the package's own file."""
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules():
    """{name: file} of the library's public modules: `FIRST`, the package's other modules, then those of its parts."""
    files = {module_name(path): path for path in LIBRARY.rglob("*.py")}
    chosen = [(name, path) for name, path in files.items() if "._" not in name]
    return dict(sorted(chosen, key=lambda item: (item[0] not in FIRST, item[0].count(".") > 1, place(item[0]))))


def place(name):
    """Where a module stands among its like: by rank in `FIRST`, else by name."""
    return (FIRST.index(name), "") if name in FIRST else (0, name)


def public(tree):
    """The module's own functions and classes that say what they do and whose names do not start with an underscore."""
    own = [node for node in tree.body if isinstance(node, (*CALLABLE, ast.ClassDef)) and not node.name.startswith("_")]
    return [node for node in own if ast.get_docstring(node)]


def decorators(node):
    return {ast.unparse(item).split("(")[0].rsplit(".", 1)[-1] for item in node.decorator_list}


def arguments(function, method=False):
    """The arguments as written, without `self`."""
    spec = function.args
    if method and "staticmethod" not in decorators(function):
        del (spec.posonlyargs or spec.args)[:1]
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"({ast.unparse(spec)}){returns}"


def signature(node):
    """How a function or class is called. A dataclass shows its fields, a class without __init__ its name alone."""
    if isinstance(node, CALLABLE):
        return node.name + arguments(node)
    for item in node.body:
        if isinstance(item, CALLABLE) and item.name == "__init__":
            return node.name + arguments(item, method=True)
    if "dataclass" in decorators(node):
        return f"{node.name}({', '.join(ast.unparse(item) for item in node.body if isinstance(item, ast.AnnAssign))})"
    return node.name


def methods(node):
    """[(signature, docstring)] of a class's public methods and properties that say what they do."""
    if not isinstance(node, ast.ClassDef):
        return []
    own = [item for item in node.body if isinstance(item, CALLABLE) and not item.name.startswith("_")]
    return [
        (item.name + ("" if decorators(item) & {"property", "cached_property"} else arguments(item, True)), doc)
        for item in own
        if (doc := ast.get_docstring(item))
    ]


def exported(path, tree):
    """[(name, where it is defined)] of what a package's __init__ offers: its imports from within, or its lazy names."""
    package = module_name(path)
    if path.name != "__init__.py":
        return []
    found = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            home = f"{package}.{node.module}" if node.module else package
            found += [(alias.asname or alias.name, f"{home}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_HOME":
            found += [(name, f"{package}.{home}.{name}") for name, home in ast.literal_eval(node.value).items()]
    return sorted(found)


def inline(text):
    """Text with `code` set as code."""
    pieces, end = [], 0
    for match in CODE.finditer(text):
        pieces += [nodes.Text(text[end : match.start()]), nodes.literal("", match[2])]
        end = match.end()
    return [*pieces, nodes.Text(text[end:])]


def fields(lines):
    """Lines that open "name: …" or "Returns …", each joined with what continues it. The first line opens one."""
    items = []
    for line in lines:
        for piece in [line] if line.startswith(" ") else SECOND.split(line):
            if FIELD.match(piece):
                items.append(piece)
            else:
                items[-1] += " " + piece.strip()
    return items


def docstring(text):
    """Docutils nodes of a docstring: paragraphs, lists of fields, and indented paragraphs as code.

    Its first line is always prose. Elsewhere the prose of a paragraph ends where a line opens a field.
    """
    found = []
    for block in re.split(r"\n\s*\n", text.strip("\n")) if text else ():
        lines = block.split("\n")
        if all(line.startswith("    ") for line in lines):
            found.append(nodes.literal_block("", "\n".join(line[4:] for line in lines), language="text"))
            continue
        least = 0 if found else 1
        start = next((i for i, line in enumerate(lines) if i >= least and FIELD.match(line)), len(lines))
        if start:
            found.append(nodes.paragraph("", "", *inline(" ".join(line.strip() for line in lines[:start]))))
        if start < len(lines):
            items = [nodes.list_item("", nodes.paragraph("", "", *inline(item))) for item in fields(lines[start:])]
            found.append(nodes.bullet_list("", *items, classes=["fields"]))
    return found


def anchor(name):
    """The id of a name's section. A dot would have to be escaped in selectors, and the theme's search does not."""
    return name.replace(".", "-")


def entry(module, node):
    """The section of one function or class."""
    name = f"{module}.{node.name}"
    section = nodes.section(
        "", nodes.title("", "", nodes.literal("", node.name)), ids=[anchor(name)], classes=["api-entry"]
    )
    section += nodes.literal_block("", signature(node), language="python", classes=["signature"])
    section += docstring(ast.get_docstring(node) or "")
    for called, doc in methods(node):
        section += nodes.paragraph("", "", nodes.literal("", f".{called}"), classes=["api-method"])
        section += nodes.container("", *docstring(doc), classes=["api-method-body"])
    return section


def links(names, known):
    """A list of what a package offers, each linked to where this page describes it."""
    items = []
    for name, home in names:
        code = nodes.literal("", name)
        linked = nodes.reference("", "", code, refid=anchor(home), internal=True) if home in known else code
        where = nodes.Text(f", from {home.rsplit('.', 1)[0]}")
        items.append(nodes.list_item("", nodes.paragraph("", "", linked, where)))
    return nodes.bullet_list("", *items, classes=["api-names"])


def sections():
    """One section for each module that has something public."""
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in modules().items()}
    known = {f"{name}.{node.name}" for name, tree in trees.items() for node in public(tree)}
    found = []
    for name, path in modules().items():
        names, entries = exported(path, trees[name]), [entry(name, node) for node in public(trees[name])]
        if not names and not entries:
            continue
        section = nodes.section(
            "", nodes.title("", "", nodes.literal("", name)), ids=[anchor(name)], classes=["api-module"]
        )
        section += docstring(ast.get_docstring(trees[name]) or "")
        if names:
            section += links(names, known)
        section += entries
        found.append(section)
    return found


class Api(SphinxDirective):
    """```{hspace-api}``` stands for the whole library."""

    def run(self):
        for path in modules().values():
            self.env.note_dependency(str(path))
        return sections()


def setup(app):
    app.add_directive("hspace-api", Api)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
