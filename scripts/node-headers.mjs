// Where the headers of the running Node lie.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The prefix of the running Node if the headers of this very version lie there: node-gyp, given it as `--nodedir`, then downloads
 * nothing.
 * @returns {string | undefined}
 */
export function headersPrefix() {
  // <prefix>/bin/node, or <prefix>\node.exe.
  const folder = dirname(realpathSync(process.execPath));
  for (const prefix of [dirname(folder), folder]) {
    const include = join(prefix, 'include', 'node');
    if (!existsSync(join(include, 'node_api.h')) || !existsSync(join(include, 'common.gypi'))) continue;
    const version = readFileSync(join(include, 'node_version.h'), 'utf8');
    const [major, minor, patch] = ['MAJOR', 'MINOR', 'PATCH'].map(
      (part) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(version)?.[1],
    );
    if (`${major}.${minor}.${patch}` === process.versions.node) return prefix;
  }
  return undefined;
}
