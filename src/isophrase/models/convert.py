"""A GGUF file becomes a folder of safetensors that loads in seconds.

Knows transformers' GGUF reader and what it leaves to be mended before saving. Does not know where the file is from.
"""

from __future__ import annotations

from pathlib import Path

from isophrase.errors import ModelError
from isophrase.models.extras import first_line, local_library
from isophrase.models.gguf import mend_pre_tokenizer, read_once
from isophrase.models.packages import sha256_of
from isophrase.models.quiet import quiet


def convert_gguf(gguf: Path, folder: Path, *, sha256: str, context_length: int) -> None:
    """Read the file and write model, tokenizer, chat template and generation settings to a folder.

    Weights are saved in float32: the file's 4-bit values times their scales are exact in it and in nothing smaller.

    Args:
        gguf: The file; its folder must be writable.
        folder: An existing folder.
        sha256: The file's expected checksum.
        context_length: Tokens that the model takes, for the tokenizer (a GGUF tokenizer has no limit of its own).

    Raises:
        ModelError: Another checksum, or a file that the library can't read.
    """
    found = sha256_of(gguf)
    if found != sha256:
        raise ModelError(f"weights with sha256 {sha256[:12]}…", got=f"{found[:12]}…", remedy="download them again")
    torch = local_library("torch")
    transformers = local_library("transformers")
    arguments = {"gguf_file": gguf.name, "trust_remote_code": False, "local_files_only": True}
    with quiet(), read_once():
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, **arguments)
            read = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **arguments)
        except Exception as error:  # the reader raises whatever its parsers do
            raise ModelError(
                f"a GGUF file that transformers {transformers.__version__} can read", got=first_line(error),
                remedy="install the versions in constraints.txt",
            ) from error  # fmt: skip
        config = read.config
        if hasattr(config, "quantization_config"):
            del config.quantization_config  # the weights are no longer quantised, and saving refuses them with it
        model = type(read)(config)
        model.load_state_dict(read.state_dict(), strict=True)
        model.generation_config = read.generation_config
        mend_pre_tokenizer(tokenizer, gguf)
        tokenizer.model_max_length = context_length
        for name in ("local_files_only", "is_local"):  # how it was read, not what it is
            tokenizer.init_kwargs.pop(name, None)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes for the owner alone, and a cache may be shared
