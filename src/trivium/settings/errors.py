"""What is told to people when their data, their settings or their machine is in the way."""

import re

DAMAGE = re.compile("file size is 0 bytes|magic bytes not found|Not an Arrow file|File is too small|deserialize thrift|"
                    "[Cc]orrupt|decompress|end of stream|while deserializing|length is greater than file size")


class UserError(Exception):
    """A mistake that the user can mend. The message is one paragraph: what is wrong, where, what to do.

    `trivium.stage` and the command line print it without a stack trace and exit with code 1.
    """


def of_gpu(error: Exception, knob: str) -> UserError | None:
    """What torch says of a GPU, for people; None where it is no such error. `knob`: the setting that takes memory."""
    if type(error).__name__ == "OutOfMemoryError":
        said = ". ".join(str(error).rstrip(".").split(". ")[:3])  # how much was asked for, and how much there is
        return UserError(f"The GPU has too little memory left for this ({said}). In params.yaml, lower `{knob}` or "
                         "`loop.workers`, or choose smaller encoders; or stop other programs that use the GPU "
                         "(`nvidia-smi` lists them).")
    if "no kernel image is available" in str(error):
        return UserError("This build of torch has no kernels for the GPU here, which is too old or too new for it. "
                         "Take another build (TORCH_INDEX_URL; docs/speed.md says how, under \"On a GPU\"), or set "
                         "`loop.device: cpu` in params.yaml.")
    operator, refused, _ = str(error).partition(" does not have a deterministic implementation")
    if refused:
        return UserError(f"torch has no kernel for `{operator.split()[-1]}` on a GPU that gives the same result every "
                         "time, and two runs must not differ. It is an operator of an encoder from the Hugging Face "
                         "hub (`encoder` in params.yaml): name another one, or set `loop.device: cpu`.")
    return None


def of_damage(error: Exception) -> UserError | None:
    """What pyarrow, NumPy or safetensors say of a file that is damaged, for people; None where it is no such error."""
    said = " ".join(str(error).split())
    if not DAMAGE.search(said) or getattr(error, "errno", None):
        return None
    return UserError(f"A file that is read here is damaged ({said[:200].rstrip('.')}). `trivium verify` finds which "
                     "one, and says what brings it back.")
