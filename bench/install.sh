#!/usr/bin/env bash
# Makes .peers/bench: the environment of bench/peer_app.py. Torch and sentence-transformers are not installed again: a
# .pth file shows it those of .peers/sentence-transformers (tests/peers/install.sh), and pip adds what they lack.
# Safe to run again: it returns at once when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/peers/install.sh

peers=("chromadb>=1.5.9,<2" "fastapi>=0.165,<1" "uvicorn[standard]>=0.54" "openai>=2")
env=.peers/bench
stamp="$env/.installed"
wanted="${peers[*]}"

if [[ -f "$stamp" && "$(cat "$stamp")" == "$wanted" ]]; then
  echo "$env is up to date"
  exit 0
fi

.peers/sentence-transformers/bin/python -m venv "$env"
packages='import sysconfig; print(sysconfig.get_path("purelib"))'
.peers/sentence-transformers/bin/python -c "$packages" >"$("$env/bin/python" -c "$packages")/sentence-transformers.pth"
"$env/bin/pip" install --quiet "${peers[@]}"
"$env/bin/python" -c "import sentence_transformers, chromadb, fastapi, openai, uvloop"
printf '%s' "$wanted" >"$stamp"
echo "$env is ready"
