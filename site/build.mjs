// Builds the documentation site into out/site/.
//   node site/build.mjs         for a server, or to be opened from disk: out/site/index.html
//   node site/build.mjs --dev   serves it, and again whenever a page changes
import { mkdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, createServer } from 'vitepress';
import { checkSite } from './check.mjs';
import { makeRelative } from './relative.mjs';
import { stage, stagePages } from './stage.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const staged = join(root, 'out/site-pages');

mkdirSync(join(root, 'out'), { recursive: true });
const api = await stage(root, staged);
writeFileSync(join(root, 'out/site-api.json'), JSON.stringify(api));

if (process.argv.includes('--dev')) {
  const server = await createServer(join(root, 'site'));
  await server.listen();
  server.printUrls();
  watch(join(root, 'docs'), { recursive: true }, () => stagePages(root, staged));
} else {
  await build(join(root, 'site'));
  makeRelative(join(root, 'out/site'));
  checkSite(root, join(root, 'out/site'), api);
}
