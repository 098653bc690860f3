"""Write the output of `cdk diff`, read from stdin, as the comment of a pull request: `make diff-comment`."""

from __future__ import annotations

import re
import sys

LONGEST = 60_000  # characters; GitHub rejects a comment above 65,536
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ACCOUNT = re.compile(r"(?<![0-9a-zA-Z])\d{12}(?![0-9a-zA-Z])")
_FENCE = re.compile(r"`{3,}")


def comment(difference: str) -> str:
    """Return the difference as Markdown, without colours and account ids, cut where it is too long."""
    text = _ACCOUNT.sub("<account>", _COLOURS.sub("", difference)).strip()
    note = ""
    if len(text) > LONGEST:
        text = text[:LONGEST]
        note = "\nThe rest is too long for a comment. Run `npx cdk diff` to see it.\n"
    # a fence in the text would end the block
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCE.findall(text))])
    return f"### What a deploy of this pull request would change\n\n{fence}\n{text}\n{fence}\n{note}"


if __name__ == "__main__":
    sys.stdout.write(comment(sys.stdin.read()))
