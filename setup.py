"""The compiled kernel: optional, so that the package installs where there is no C compiler.

Everything else about the package is in pyproject.toml.
"""

import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Python without a GIL has no stable ABI yet.
STABLE_ABI = not sysconfig.get_config_var("Py_GIL_DISABLED")
# Contraction to fused multiply-add is wanted. Nothing here may imply -ffast-math: linking with it would switch
# denormal numbers off in the whole process.
GNU_FLAGS = ["-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"]


class BuildKernel(build_ext):
    """Compiler flags by the kind of compiler, which is known only here."""

    def build_extensions(self) -> None:
        """Set the flags, then compile."""
        msvc = self.compiler.compiler_type == "msvc"
        for extension in self.extensions:
            extension.extra_compile_args = ["/O2", "/std:c11", "/fp:precise"] if msvc else GNU_FLAGS
        super().build_extensions()


setup(
    ext_modules=[
        Extension(
            "logit_stats.likelihoods._kernel",
            sources=["logit_stats/likelihoods/_kernel.c"],
            depends=["logit_stats/likelihoods/_kernel_walk.h", "logit_stats/likelihoods/_kernel_tile.h"],
            py_limited_api=STABLE_ABI,
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildKernel},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE_ABI else {},
)
