#!/bin/sh
# Rebuilds typescript.js from the version pinned in package-lock.json (needs node and npm), then prints its checksum;
# write it into README.md.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp package.json package-lock.json "$work"
(cd "$work" && npm ci --silent --no-audit --no-fund)
"$work/node_modules/.bin/esbuild" "$work/node_modules/typescript/lib/typescript.js" --minify --format=cjs --target=node20 \
  --legal-comments=none --outfile="$PWD/typescript.js" --log-level=warning
cat "$work/node_modules/typescript/LICENSE.txt" "$work/node_modules/typescript/ThirdPartyNoticeText.txt" >LICENSE
sha256sum typescript.js
