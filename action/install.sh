#!/usr/bin/env bash
# Puts osapi-ops on the PATH of the steps that follow, and a Node for it where the runner's is too old.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ "$INPUT_VERSION" = path ]; then
  osapi-ops --version
  exit
fi

node_dir=$(node "$root/action/node-dir.mjs")
if [ -z "$node_dir" ]; then
  npm ci --prefix "$root/tools/node" --no-audit --no-fund --loglevel=error
  node_dir=$(node "$root/action/node-dir.mjs")
fi
[ "$node_dir" = . ] || export PATH="$node_dir:$PATH"

version=${INPUT_VERSION:-$(node -p 'require(process.argv[1]).version' "$root/package.json")}
dir=$RUNNER_TEMP/osapi-ops
npm install --prefix "$dir" --no-save --no-audit --no-fund --loglevel=error "osapi-ops@$version"
export PATH="$dir/node_modules/.bin:$PATH"
osapi-ops --version
{
  [ "$node_dir" = . ] || echo "$node_dir"
  echo "$dir/node_modules/.bin"
} >> "$GITHUB_PATH"
