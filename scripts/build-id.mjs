// The build id: a hash of the native sources, compiled into the addon, so that a stale binary is seen.
//   node scripts/build-id.mjs             prints it
//   node scripts/build-id.mjs <file.cpp>  writes the source file that defines bitpath::build_id()
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildInputs } from './native-sources.mjs';

const root = new URL('../', import.meta.url);

/**
 * SHA-256 over the path and the text of each input; line ends are normalised, so that a checkout with CRLF agrees.
 * @returns {string} 64 hexadecimal digits
 */
export function buildId() {
  const hash = createHash('sha256');
  for (const path of buildInputs()) {
    const text = readFileSync(new URL(path, root), 'utf8').replaceAll('\r\n', '\n');
    hash.update(`${path}\n${Buffer.byteLength(text)}\n${text}`);
  }
  return hash.digest('hex');
}

/** @param {string} id */
const definition = (id) => `// Written by scripts/build-id.mjs.
#include "base/build_id.h"

namespace bitpath {
const char* build_id() { return "${id}"; }
}  // namespace bitpath
`;

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === undefined) console.log(buildId());
  else writeFileSync(process.argv[2], definition(buildId()));
}
