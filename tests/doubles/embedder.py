"""Embedders for the memory worker that need no torch: words hashed into 64 numbers, and ones that misbehave.

`load` is the good one: the same words give the same vector, more shared words a higher cosine.
"""

import hashlib
import math
import os
import re
import sys
import threading
from collections.abc import Sequence

SIZE = 64


class WordEmbedder:
    """A bag of words: every word adds one to the place that its hash names."""

    def __init__(self, digest: str = "a" * 64, size: int = SIZE) -> None:
        self.digest = digest
        self.size = size

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 per text."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> list[float]:
        vector = [0.0] * self.size
        for word in re.findall(r"\S+", text.lower()) or ["nothing"]:
            vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % self.size] += 1.0
        length = math.sqrt(sum(value * value for value in vector))
        return [value / length for value in vector]


class Misbehaving(WordEmbedder):
    """Does what the text tells it to: `stall` for ever, `die`, give `nan`, `shout` on standard output, `fail`."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """As the words say."""
        words = " ".join(texts)
        if "stall" in words:
            threading.Event().wait()
        if "die" in words:
            os._exit(7)
        if "nan" in words:
            return [[math.nan] * self.size for _ in texts]
        if "shout" in words:
            os.write(1, b"Loading weights: 100%\n")
            sys.stdout.write("print\n")
            sys.stdout.flush()
        if "fail" in words:
            raise RuntimeError("the model has a bad day")
        return super().embed(texts)


def load(path: str) -> WordEmbedder:
    """The good one."""
    return WordEmbedder()


def other(path: str) -> WordEmbedder:
    """Another model: another digest, longer vectors."""
    return WordEmbedder("b" * 64, SIZE * 2)


def misbehaving(path: str) -> WordEmbedder:
    """The one that does what the text says."""
    return Misbehaving()


def endless(path: str) -> WordEmbedder:
    """A model that never finishes loading."""
    threading.Event().wait()
    raise AssertionError("unreachable")


def broken(path: str) -> WordEmbedder:
    """A model that cannot be loaded."""
    raise OSError("the weights are on a disk that is gone")
