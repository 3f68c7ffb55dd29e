#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules, checked: check.py [--root DIR] CHECK... (or all). Prints one line a fault and exits with 1 when there is any.

Every check is a function of the root folder that yields faults as text; check_test.py shows for each that it can fail.
"""
import argparse
import ast
import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CODE_ROOTS = ("lib", "services", "tests", "bench")
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 150


def files(root, *suffixes, under=None):
    """Project files with these suffixes, sorted; build outputs, hidden folders and fixtures left out."""
    for start in under or ["."]:
        for path in sorted((root / start).rglob("*")):
            parts = path.relative_to(root).parts
            hidden = any(p in ("build", "dist", "fixtures", "node_modules", "__pycache__") or (p.startswith(".") and p != ".ci") for p in parts)
            if not hidden and path.is_file() and (not suffixes or path.suffix in suffixes):
                yield path


def text_of(path):
    return path.read_text(encoding="utf-8", errors="replace")


def place(root, path, line=None):
    name = str(path.relative_to(root))
    return f"{name}:{line}" if line else name


def code_only(text):
    """The C++ text with comments and literals blanked out, line by line as long as before."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1), found.group(2)


# ---- layers


def check_layers(root):
    """lib folders include only folders below them; a service includes another only where the table grants it."""
    layers = json.loads(text_of(HERE / "layers.json"))
    table, granted = layers["folders"], layers["services"]
    for path in files(root, ".h", ".cpp", under=["lib", "services"]):
        area, folder = path.relative_to(root).parts[:2]
        for line, _, name in includes(text_of(path)):
            target = name.split("/")
            if area == "lib" and folder not in table:
                yield f"{place(root, path)}: folder lib/{folder} is not in tests/style/layers.json"
                break
            if area == "lib" and target[0] == "services":
                yield f"{place(root, path, line)}: lib must not include {name}"
            elif area == "lib" and target[0] == "lib" and target[1] != folder and target[1] not in table[folder]:
                yield f"{place(root, path, line)}: lib/{folder} must not include lib/{target[1]}"
            elif area == "services" and target[0] == "services" and folder != "segue" and target[1] not in [folder, *granted.get(folder, [])]:
                yield f"{place(root, path, line)}: a service must not include another service ({name})"
            if target[0] in ("..", "."):
                yield f"{place(root, path, line)}: includes are paths from the repository root ({name})"


def check_libraries(root):
    """Each outside library is included by its owner alone."""
    owners = json.loads(text_of(HERE / "layers.json"))["libraries"]
    for path in files(root, ".h", ".cpp", under=["lib", "services"]):
        folder = "/".join(path.relative_to(root).parts[:2])
        for line, _, name in includes(text_of(path)):
            for prefix, allowed in owners.items():
                if name.startswith(prefix) and folder not in allowed and folder.split("/")[0] not in allowed:
                    yield f"{place(root, path, line)}: only {', '.join(allowed)} may include <{name}>"


def check_pure(root):
    """Pure folders have no thread, clock, file or randomness."""
    table = json.loads(text_of(HERE / "layers.json"))
    calls = re.compile("|".join(table["impure_calls"]))
    for path in files(root, ".h", ".cpp", under=["lib"]):
        if path.relative_to(root).parts[1] not in table["pure"]:
            continue
        for line, kind, name in includes(text_of(path)):
            if kind == "<" and name in table["impure_headers"]:
                yield f"{place(root, path, line)}: a pure folder must not include <{name}>"
        for line, code in enumerate(code_only(text_of(path)).splitlines(), 1):
            found = calls.search(code)
            if found:
                yield f"{place(root, path, line)}: a pure folder must not use {found.group()}"


# ---- the form of a source file


def check_sources(root):
    """Guards, SPDX line, length of files and lines, TODOs."""
    for path in files(root, ".h", ".cpp", ".py", ".cmake", ".proto", ".sh"):
        lines = text_of(path).splitlines()
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
            yield f"{place(root, path)}: no SPDX line on top"
        if path.suffix == ".h" and "#pragma once" not in lines:
            yield f"{place(root, path)}: no #pragma once"
        if len(lines) > MAX_FILE_LINES:
            yield f"{place(root, path)}: {len(lines)} lines, at most {MAX_FILE_LINES}"
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                yield f"{place(root, path, number)}: {len(line)} columns, at most {MAX_COLUMNS}"
            if re.search(r"\b(TO" r"DO|FIX" r"ME)\b(?!\(#\d+\))", line):
                yield f"{place(root, path, number)}: a TO" + "DO names its issue, as in TO" + "DO(#12)"


def cxx_functions(text):
    """(first line, lines) of every function body at the outermost level. A heuristic on braces that knows namespaces, types and initialisers."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()), code_only(text), flags=re.M)
    stack, head, line = [], 0, 1
    for at, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == ";" and not any(kind in ("function", "init") for kind, _ in stack):
            head = at + 1
        elif char == "{":
            before = code[head:at].strip()
            if any(kind == "function" for kind, _ in stack):
                kind = "inner"
            elif re.search(r"\)\s*(?:noexcept\s*)?:(?!:)", before) and re.search(r"[\w>]$", before):
                kind = "init"
            elif re.search(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$", before) or "(" not in before or re.search(r"=\s*$", before):
                kind = "scope"
            else:
                kind = "function"
            stack.append((kind, line))
            if kind == "scope":
                head = at + 1
        elif char == "}" and stack:
            kind, first = stack.pop()
            if kind == "function":
                yield first, line - first + 1
            if kind in ("function", "scope") and not any(k == "function" for k, _ in stack):
                head = at + 1


def check_functions(root):
    """No function is longer than a screen."""
    for path in files(root, ".h", ".cpp", under=CODE_ROOTS):
        for line, count in cxx_functions(text_of(path)):
            if count > MAX_FUNCTION_LINES:
                yield f"{place(root, path, line)}: function of {count} lines, at most {MAX_FUNCTION_LINES}"
    for path in files(root, ".py"):
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES:
                yield f"{place(root, path, node.lineno)}: function of {node.end_lineno - node.lineno + 1} lines, at most {MAX_FUNCTION_LINES}"


BANNED_NAME = re.compile(r"(util|utils|utility|utilities|helper|helpers|common|misc|manager)$")
NUMBER_OF_A_STANDARD = re.compile(r"(utf|int|uint|float|xxh|crc|sha|md|hash|hmac|fnv|murmur|iso|rfc)_?\d+$", re.I)


def words_of(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def bad_name(name):
    if any(BANNED_NAME.fullmatch(word) for word in words_of(name)):
        return "says nothing"
    if re.search(r"[a-zA-Z]_?\d+$", name) and not NUMBER_OF_A_STANDARD.search(name):
        return "is numbered"
    return None


def check_names(root):
    """Files and types have names that say what they are; files are snake_case, types PascalCase."""
    for path in files(root, ".h", ".cpp", ".py", ".proto", under=[r for r in (*CODE_ROOTS, "proto") if (root / r).is_dir()]):
        if bad_name(path.stem) or not re.fullmatch(r"[a-z0-9_]+", path.stem):
            yield f"{place(root, path)}: file name {bad_name(path.stem) or 'is not snake_case'}"
    for path in files(root, ".h", ".cpp", under=CODE_ROOTS):
        for line, code in enumerate(code_only(text_of(path)).splitlines(), 1):
            for name in re.findall(r"\b(?:class|struct|enum class|concept)\s+(\w+)\s*(?:final\s*)?(?:[:{=]|$)", code):
                if bad_name(name) or not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
                    yield f"{place(root, path, line)}: type {name} {bad_name(name) or 'is not PascalCase'}"


# ---- what belongs together


def check_registered(root):
    """Every .cpp of tests/ is built: by segue_library for tests/unit/<folder>, else by a glob of its folder or by name."""
    lists = [text_of(path) for path in files(root) if path.name == "CMakeLists.txt"]
    for path in files(root, ".cpp", under=["tests"]):
        parts = path.relative_to(root).parts
        if parts[1] == "unit":
            folder = root / "lib" / parts[2] / "CMakeLists.txt"
            if len(parts) != 4 or not folder.exists() or f"segue_library({parts[2]}" not in text_of(folder):
                yield f"{place(root, path)}: no lib/{parts[2]}/CMakeLists.txt with segue_library({parts[2]}) builds this test"
            continue
        above = [parent / "CMakeLists.txt" for parent in path.parents if root / "tests" in parent.parents]
        patterns = [p for one in above if one.exists() for p in re.findall(r"[\w*]*\*\w*\.cpp", text_of(one))]
        globbed = any(path.match(pattern) for pattern in patterns)
        if not globbed and not any(re.search(rf"\b{re.escape(path.name)}\b", text) for text in lists):
            yield f"{place(root, path)}: no CMakeLists.txt names this file, and none of its folder builds every file"


def check_tested(root):
    """Every .cpp of lib/ has its unit test: one of the same name, or one that includes a header of its folder that the .cpp includes too."""
    included = {name for path in files(root, ".cpp", ".h", under=["tests"]) for _, _, name in includes(text_of(path))}
    for path in files(root, ".cpp", under=["lib"]):
        name = path.relative_to(root / "lib")
        own = {one for _, _, one in includes(text_of(path)) if one.startswith(f"lib/{name.parts[0]}/")}
        if not (root / "tests/unit" / name).exists() and not own & included:
            yield f"{place(root, path)}: no tests/unit/{name}, and no test includes a header that it shares"


def check_readmes(root):
    """Every lib folder has a README.md, and lib/README.md lists it."""
    index = text_of(root / "lib/README.md") if (root / "lib/README.md").exists() else ""
    for folder in sorted(path for path in (root / "lib").iterdir() if path.is_dir() and any(path.iterdir())):
        if not (folder / "README.md").exists():
            yield f"lib/{folder.name}: no README.md"
        if f"`{folder.name}`" not in index:
            yield f"lib/{folder.name}: not listed in lib/README.md"


def check_paths(root):
    """Paths that the documents name in backticks exist, seen from the root or from the document."""
    for path in files(root, ".md"):
        if path.parent.name == "changelog.d" or path.name == "CHANGELOG.md":
            continue
        for line, text in enumerate(text_of(path).splitlines(), 1):
            for name in re.findall(r"`([\w./+-]+)`", text):
                first = name.split("/")[0]
                known = first and (root / first).is_dir() and first not in ("build", ".", "..") and not (root / first).is_symlink()
                is_path = ("/" in name and known) or re.fullmatch(r"[\w-]+\.(md|h|cpp|py|cmake|proto)", name)
                if is_path and not any((base / name).exists() for base in (root, path.parent)):
                    yield f"{place(root, path, line)}: {name} does not exist"


# Spelled in pieces, so that this file may be checked as well.
FOREIGN_WORDS = [
    (re.compile(r"(?<![\w.])/wo" r"rk/(?!<)"), "a path of one machine"),
    (re.compile(r"/tmp/bri" r"ef|/tmp/bu" r"ild-"), "a path of one machine"),
    (re.compile(r"(?<![\w.$}])/(?:ho" r"me|ro" r"ot)/\w"), "a path of one machine"),
    (re.compile(r"\.\./sha" r"red\b"), "a path outside the project"),
    (re.compile(r"\b(?:py" r"pi\.org|python" r"hosted\.org|npm" r"js\.(?:com|org)|crates\." r"io|proxy\.gol" r"ang\.org|rubyg" r"ems\.org"
                r"|repo1?\.mav" r"en)"), "the host of a package registry"),
]


def check_words(root):
    """The project speaks of itself: no path of a machine, no registry's host."""
    for path in files(root):
        if path.stat().st_size > 2_000_000 or path.suffix in (".gz", ".zst", ".png", ".svg"):
            continue
        for line, text in enumerate(text_of(path).splitlines(), 1):
            for pattern, what in FOREIGN_WORDS:
                if pattern.search(text):
                    yield f"{place(root, path, line)}: {what}: {pattern.search(text).group()}"


def check_format(root):
    """clang-format leaves the C++ files as they are."""
    tool = shutil.which("clang-format-14")
    if not tool:
        yield "clang-format-14 is not installed (./dev setup)"
        return
    sources = [str(path) for path in files(root, ".h", ".cpp", under=[r for r in CODE_ROOTS if (root / r).is_dir()])]
    style = f"--style=file:{HERE.parent.parent / '.clang-format'}"
    result = subprocess.run([tool, style, "--dry-run", "-ferror-limit=1", *sources], capture_output=True, text=True, check=False)
    for name in sorted(set(re.findall(r"^(.*?):\d+:\d+: warning:", result.stderr, re.M))):
        yield f"{place(root, pathlib.Path(name))}: not formatted (./dev format)"


CHECKS = {name[len("check_"):]: function for name, function in list(globals().items()) if name.startswith("check_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=HERE.parent.parent)
    parser.add_argument("checks", nargs="+", choices=[*CHECKS, "all"])
    arguments = parser.parse_args()
    faults = []
    for name in CHECKS if "all" in arguments.checks else arguments.checks:
        faults += [f"{name}: {fault}" for fault in CHECKS[name](arguments.root.resolve())]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
