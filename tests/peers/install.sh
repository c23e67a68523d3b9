#!/usr/bin/env bash
# Makes .peers/sentence-transformers: an environment of its own for the real sentence-transformers (with
# transformers' model server, and what bench/embedding.py compares with), so that torch never enters the default one.
# Safe to run again: it returns at once when nothing changed.
#
#   TORCH_INDEX=<URL of the CPU wheel index>   where pip finds a CPU build of torch; without it pip's own
#                                              configuration decides (on Linux that may be the large CUDA build)
#   PYTHON=python3.12                          another interpreter than python3
set -euo pipefail
cd "$(dirname "$0")/../.."

torch="torch==2.13.0"
peers=("sentence-transformers>=6.2,<7" "transformers[serving]" "fastembed>=0.9.1,<1" "onnx>=1.19")
env=.peers/sentence-transformers
stamp="$env/.installed"
wanted="$torch ${peers[*]}"

if [[ -f "$stamp" && "$(cat "$stamp")" == "$wanted" ]]; then
  echo "$env is up to date"
  exit 0
fi

"${PYTHON:-python3}" -m venv "$env"
"$env/bin/pip" install --quiet ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$torch"
"$env/bin/pip" install --quiet "${peers[@]}"
"$env/bin/python" -c "import sentence_transformers, transformers, fastembed"
printf '%s' "$wanted" >"$stamp"
echo "$env is ready"
