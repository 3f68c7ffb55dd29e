# SPDX-License-Identifier: Apache-2.0
"""A tmpfs of a few bytes, which only root may mount."""
import contextlib
import subprocess

from segue_program import expect

ROOM_BYTES = 256 << 20


def mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], stderr=subprocess.PIPE, check=False).returncode == 0


@contextlib.contextmanager
def small_disk(directory, size):
    """Yields whether it was mounted."""
    directory.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory):
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=False)


def enlarge(directory):
    expect(mount("-o", f"remount,size={ROOM_BYTES}", directory), "cannot enlarge the tmpfs")
