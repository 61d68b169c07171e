"""Print the versions installed beside this interpreter as a constraints file; `make lock` calls it.

Left out: this package itself, pip, and the CUDA packages that a GPU build of torch brings (other machines have none).
A local build's mark ("2.13.0+cpu") goes too: it is the same version.
"""

import re
from importlib.metadata import distributions

NOT_LOCKED = re.compile(r"^(pip|hspace|nvidia-.*|cuda-.*|triton)$")


def locked(versions):
    """The lines of the constraints file.  versions: iterable of (name, version)."""
    pins = {re.sub(r"[-_.]+", "-", name).lower(): version.split("+")[0] for name, version in versions}
    return [f"{name}=={version}" for name, version in sorted(pins.items()) if not NOT_LOCKED.match(name)]


if __name__ == "__main__":
    print("# Every version, transitive ones too. Made by `make lock`; not edited by hand.")
    print("\n".join(locked((d.metadata["Name"], d.version) for d in distributions())))
