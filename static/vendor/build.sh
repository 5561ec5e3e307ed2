#!/bin/sh
# Rebuilds the vendored bundles from the versions pinned in codemirror/package-lock.json (needs node and npm),
# then prints their checksums; write them into README.md.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp codemirror/package.json codemirror/package-lock.json codemirror/entry.js "$work"
(cd "$work" && npm ci --silent --no-audit --no-fund)
"$work/node_modules/.bin/esbuild" "$work/entry.js" --bundle --minify --format=esm --target=es2022 \
  --legal-comments=none --outfile="$PWD/codemirror/codemirror.js" --log-level=warning
# Every bundled package's licence once; most are the same text.
find "$work/node_modules" -name LICENSE ! -path '*esbuild*' ! -path '*idiomorph*' -exec sha256sum {} + | LC_ALL=C sort -u -k1,1 |
  while read -r _ licence; do cat "$licence"; echo; done >codemirror/LICENSE
cp "$work/node_modules/idiomorph/dist/idiomorph-ext.min.js" idiomorph/idiomorph-ext.min.js
cp "$work/node_modules/idiomorph/LICENSE" idiomorph/LICENSE
sha256sum codemirror/codemirror.js idiomorph/idiomorph-ext.min.js
