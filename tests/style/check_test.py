#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that each check of check.py passes a good tree and fails on a bad one: trees of a few small files in a temporary folder."""
import pathlib
import tempfile
import unittest

import check

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = SPDX + "#pragma once\n"

# A small tree that follows every rule.
GOOD = {
    "lib/README.md": "| `base` | words |\n| `shard` | the state machine |\n",
    "lib/base/README.md": "`lib/base/time.h` has the clock's type.\n",
    "lib/base/CMakeLists.txt": "segue_library(base)\n",
    "lib/base/time.h": HEADER + "struct Time {};\n",
    "lib/base/time.cpp": SPDX + '#include "lib/base/time.h"\n',
    "lib/shard/README.md": "The state machine.\n",
    "lib/shard/CMakeLists.txt": "segue_library(shard)\n",
    "lib/shard/shard.h": HEADER + '#include "lib/base/time.h"\nclass Shard {};\n',
    "services/engine/engine.h": HEADER + '#include "lib/shard/shard.h"\n',
    "tests/unit/base/time.cpp": SPDX + '#include "lib/base/time.h"\n',
}


def long_function(lines):
    return SPDX + "int Walk::run(int x) const {\n" + "  ++x;\n" * (lines - 2) + "}\n"


# check -> trees, each of which must bring at least one fault; the value is merged into GOOD.
BAD = {
    "layers": [
        {"lib/base/time.h": HEADER + '#include "lib/shard/shard.h"\n'},
        {"lib/base/time.h": HEADER + '#include "services/engine/engine.h"\n'},
        {"lib/base/time.h": HEADER + '#include "../shard/shard.h"\n'},
        {"lib/unheard/of.h": HEADER + '#include "lib/base/time.h"\n'},
        {"services/api/api.h": HEADER + '#include "services/engine/engine.h"\n'},
    ],
    "libraries": [
        {"lib/shard/shard.h": HEADER + "#include <rocksdb/db.h>\n"},
        {"services/engine/engine.h": HEADER + "#include <simdjson.h>\n"},
        {"lib/shard/shard.h": HEADER + "#include <xxhash.h>\n"},
    ],
    "pure": [
        {"lib/shard/shard.h": HEADER + "#include <thread>\n"},
        {"lib/shard/shard.h": HEADER + "#include <random>\n"},
        {"lib/shard/shard.cpp": SPDX + "auto now = std::chrono::system_clock::now();\n"},
        {"lib/shard/shard.cpp": SPDX + "auto now = std::chrono::steady_clock::now();\n"},
    ],
    "sources": [
        {"lib/base/time.h": SPDX + "struct Time {};\n"},
        {"lib/base/time.h": "#pragma once\n"},
        {"lib/base/time.cpp": SPDX + "\n" * 500},
        {"lib/base/time.cpp": SPDX + "// " + "x" * 150 + "\n"},
        {"lib/base/time.cpp": SPDX + "// TO" + "DO: later\n"},
    ],
    "functions": [
        {"lib/base/time.cpp": long_function(71)},
        {"lib/base/time.cpp": SPDX + "namespace a {\nclass B {\n" + long_function(71) + "};\n}\n"},
        {"lib/base/time.cpp": SPDX + "B::B(int x) : x_{x}, y_(2) {\n" + "  ++x_;\n" * 70 + "}\n"},
        {"tests/run.py": "def run():\n" + "    pass\n" * 70},
    ],
    "names": [
        {"lib/base/time_utils.h": HEADER},
        {"lib/base/helpers.h": HEADER},
        {"lib/base/decoder2.h": HEADER},
        {"lib/base/TimeZone.h": HEADER},
        {"lib/base/time.h": HEADER + "class TimeManager {};\n"},
        {"lib/base/time.h": HEADER + "struct Time2 {};\n"},
        {"lib/base/time.h": HEADER + "struct time_point {};\n"},
    ],
    "registered": [
        {"tests/unit/unheard/of.cpp": SPDX},
        {"tests/unit/base/deeper/time.cpp": SPDX},
        {"tests/behaviour/lapse.cpp": SPDX},
        {"tests/fuzz/page.cpp": SPDX, "tests/fuzz/CMakeLists.txt": "file(GLOB s *_fuzz.cpp)\n"},
        {"tests/behaviour/lapse.cpp": SPDX, "tests/behaviour/CMakeLists.txt": "segue_test(behaviour SOURCES other.cpp)\n"},
    ],
    "tested": [{"lib/shard/shard.cpp": SPDX}],
    "readmes": [
        {"lib/profile/profile.h": HEADER},
        {"lib/README.md": "| `base` | words |\n"},
    ],
    "paths": [
        {"lib/base/README.md": "`lib/base/clock.h`\n"},
        {"lib/base/README.md": "`clock.h`\n"},
        {"README.md": "`services/api/api.h`\n"},
    ],
    "words": [
        {"README.md": "see /wo" + "rk/main\n"},
        {"README.md": "see ../sha" + "red/design\n"},
        {"README.md": "from https://py" + "pi.org/project/x\n"},
        {"lib/base/time.h": HEADER + "// /ho" + "me/me/x\n"},
    ],
    "format": [{"lib/base/time.h": HEADER + "struct   Time{};\n"}],
}

# Trees that look like faults and are none.
FINE = {
    "layers": [{"services/segue/main.cpp": SPDX + '#include "services/engine/engine.h"\n'}],
    "pure": [{"lib/shard/shard.h": HEADER + "// never steady_clock::now()\nusing Time = std::chrono::sys_time<int>;\n"}],
    "sources": [{"lib/base/time.cpp": SPDX + "// TO" + "DO(#12): later\n"}],
    "functions": [
        {"lib/base/time.cpp": long_function(70)},
        {"lib/base/time.cpp": SPDX + "namespace a {\nclass B {\n" + "  int f() { return 1; }\n" * 100 + "};\n}\n"},
        {"lib/base/time.cpp": SPDX + "int table[] = {\n" + "  1,\n" * 100 + "};\nint f() { return 1; }\n"},
        {"lib/base/time.cpp": SPDX + "B::B(int x) : x_{x} {\n}\nint f() {\n}\n" * 40},
        {"lib/base/time.cpp": SPDX + "auto text = R\"({{{)\";\nchar open = '{';\n" + "int f() {\n}\n" * 40},
    ],
    "names": [{"lib/base/utf8.h": HEADER + "struct Utf8 {};\nclass Xxh64;\n"}],
    "registered": [{"tests/behaviour/lapse.cpp": SPDX, "tests/behaviour/CMakeLists.txt": "file(GLOB s *.cpp)\n"},
                   {"tests/fuzz/page_fuzz.cpp": SPDX, "tests/fuzz/CMakeLists.txt": "file(GLOB s *_fuzz.cpp)\n"}],
    "paths": [{"README.md": "`build/release/segue`, `lib/base/`, `u-1/2`, `time.h` of `lib/base`\n", "time.h": HEADER}],
}


class EveryCheck(unittest.TestCase):
    def faults(self, name, *changes):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for tree in (GOOD, *changes):
                for path, text in tree.items():
                    (root / path).parent.mkdir(parents=True, exist_ok=True)
                    (root / path).write_text(text, encoding="utf-8")
            return list(check.CHECKS[name](root))

    def test_passes_a_good_tree(self):
        for name in check.CHECKS:
            with self.subTest(name):
                self.assertEqual(self.faults(name), [])

    def test_fails_on_a_bad_tree(self):
        self.assertEqual(set(BAD), set(check.CHECKS), "every check has a tree on which it must fail")
        for name, trees in BAD.items():
            for tree in trees:
                with self.subTest(name, tree=tree):
                    self.assertNotEqual(self.faults(name, tree), [])

    def test_lets_pass_what_only_looks_bad(self):
        for name, trees in FINE.items():
            for tree in trees:
                with self.subTest(name, tree=tree):
                    self.assertEqual(self.faults(name, tree), [])


if __name__ == "__main__":
    unittest.main()
