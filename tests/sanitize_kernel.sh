#!/usr/bin/env bash
# The kernel's tests with the kernel compiled under the address and undefined-behaviour sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v gcc >/dev/null; then
  echo "no gcc: the sanitizer run is left out"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r logit_stats tests pyproject.toml "$work/"
rm -f "$work"/logit_stats/estimation/_kernel*.so
gcc -shared -fPIC -std=gnu11 -O1 -g -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover=undefined \
  -fno-omit-frame-pointer $(python3-config --includes 2>/dev/null || python -c "import sysconfig; print('-I' + sysconfig.get_paths()['include'])") \
  -o "$work/logit_stats/estimation/_kernel.abi3.so" logit_stats/estimation/_kernel.c
cd "$work"
# Python itself is not instrumented: its own leaks are not ours to report
LD_PRELOAD="$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
  PYTHONPATH="$work" LOGIT_STATS_THREADS=2 python -m pytest -p no:cacheprovider tests/test_kernel.py
echo "kernel: no sanitizer report"
