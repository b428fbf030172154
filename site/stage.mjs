// Copies what the site shows into one folder of Markdown: the pages under their names, the files that they link to, and the API
// reference. Links between files of the repository become links between pages.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { writeApi } from './api.mjs';
import { PAGES } from './pages.mjs';

/** Of code, by the ends of names. */
const LANGUAGES = [
  [/\.[cm]?ts$/, 'ts'],
  [/\.[cm]?js$/, 'js'],
  [/\.(cpp|h|inl|def)$/, 'cpp'],
  [/\.py$/, 'python'],
  [/\.(yaml|cff)$/, 'yaml'],
  [/Dockerfile$/, 'dockerfile'],
  [/\.(txt|toml)$/, 'txt'],
  [/\.ci\/run$/, 'sh'],
];

/** Writes everything into `staged`; returns the symbols of the API by subpath. */
export async function stage(root, staged) {
  rmSync(staged, { recursive: true, force: true });
  const api = await writeApi(root, join(staged, 'api'));
  stagePages(root, staged);
  return api;
}

/** Pages, and what they link to, and what that links to. */
export function stagePages(root, staged) {
  const files = new Set(PAGES.keys());
  for (const file of files) {
    if (file.endsWith('.md')) {
      // A number and its error stay on one line, also in a narrow column.
      const text = readFileSync(join(root, file), 'utf8').replaceAll(' ± ', '\u00a0±\u00a0');
      write(join(staged, `${pageOf(file)}.md`), withSiteLinks(root, file, text, files));
    } else stageSource(root, staged, file);
  }
}

/** The name of a document's page, also of one that others link to though it is not among the contents. */
function pageOf(file) {
  return PAGES.get(file) ?? `source/${file.replace(/\.md$/, '')}`;
}

/** The Markdown of `file` with links to pages. What it links to is added to `files`. */
function withSiteLinks(root, file, text, files) {
  return text.replace(/\]\(([^)\s]+)\)/g, (link, target) => {
    if (/^(https?:|#)/.test(target)) return link;
    const [path, anchor] = target.split('#');
    const to = posix.join(posix.dirname(file), path).replace(/\/$/, '');
    if (statSync(join(root, to), { throwIfNoEntry: false }) === undefined) throw new Error(`${file}: no ${target}`);
    files.add(to);
    const hash = anchor === undefined ? '' : `#${anchor}`;
    return `](/${to.endsWith('.md') ? `${pageOf(to)}.md` : sourceLink(root, to)}${hash})`;
  });
}

/** Where a file that is no page of its own is shown: code and folders on a page, others as they are. */
function sourceLink(root, path) {
  return `source/${path}${isShown(root, path) ? '.md' : ''}`;
}

function isShown(root, path) {
  return languageOf(path) !== undefined || statSync(join(root, path)).isDirectory();
}

function languageOf(path) {
  return LANGUAGES.find(([pattern]) => pattern.test(path))?.[1];
}

function stageSource(root, staged, path) {
  const from = join(root, path);
  if (!isShown(root, path)) return copy(from, join(staged, 'public/source', path));
  const text = statSync(from).isDirectory()
    ? readdirSync(from, { recursive: true, encoding: 'utf8' })
        .sort()
        .map((name) => `- \`${name}\`\n`)
        .join('')
    : `\`\`\`\`${languageOf(path)}\n${readFileSync(from, 'utf8').trimEnd()}\n\`\`\`\`\n`;
  const title = path.replaceAll('_', '\\_');
  write(join(staged, 'source', `${path}.md`), `---\nsearch: false\noutline: false\n---\n\n# ${title}\n\n${text}`);
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
