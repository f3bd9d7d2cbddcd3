#!/usr/bin/env bash
# The kernel's tests with the kernel compiled under the address and undefined-behaviour sanitizers: with vectors, for every
# instruction set of this processor, and as the plain C that compilers without vectors get.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v gcc >/dev/null; then
  echo "no gcc: the sanitizer run is left out"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r logit_stats tests pyproject.toml "$work/"
rm -f "$work"/logit_stats/likelihoods/_kernel*.so
cd "$work"
include=$(python -c "import sysconfig; print(sysconfig.get_paths()['include'])")
for variant in "" -DKERNEL_PLAIN_C; do
  gcc -shared -fPIC -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=undefined \
    -fno-omit-frame-pointer $variant -I"$include" \
    -o logit_stats/likelihoods/_kernel.abi3.so logit_stats/likelihoods/_kernel.c
  # Python itself is not instrumented: its own leaks are not ours to report. -s, or pytest would keep a report to itself.
  LD_PRELOAD="$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
    PYTHONPATH="$work" LOGIT_STATS_THREADS=2 python -m pytest -s -p no:cacheprovider tests/test_kernel.py
  echo "kernel${variant:+ (plain C)}: no sanitizer report"
done
