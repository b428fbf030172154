import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { PAGES, SECTIONS } from '../pages.mjs';

const out = fileURLToPath(new URL('../../out/', import.meta.url));
const modules = JSON.parse(readFileSync(`${out}site-api.json`, 'utf8'));

const sidebar = SECTIONS.map(({ title, pages }) => ({
  text: title,
  items: [
    ...pages.map(([text, file]) => ({ text, link: `/${PAGES.get(file)}` })),
    ...(title === 'Reference' ? modules.map(({ name }) => ({ text: name, link: `/api/${name}/index` })) : []),
  ],
}));

export default defineConfig({
  title: 'bitpath',
  description: 'Binary convolutional networks on server CPUs',
  srcDir: `${out}site-pages`,
  outDir: `${out}site`,
  cacheDir: `${out}site-cache`,
  base: process.env.BITPATH_SITE_BASE ?? '/',
  // Pages name each other by files, so that they can be opened without a server.
  cleanUrls: false,
  markdown: { anchor: { slugify: githubSlug } },
  transformPageData: withoutNeighbours,
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  head: [
    ['script', {}, readFileSync(new URL('./offline.js', import.meta.url), 'utf8')],
    // None; without this, browsers ask the server for one.
    ['link', { rel: 'icon', href: 'data:,' }],
  ],
  themeConfig: {
    outline: [2, 3],
    sidebar,
    search: { provider: 'local', options: { _render: render } },
    nav: SECTIONS.map(({ title, pages }) => ({
      text: title,
      link: `/${PAGES.get(pages[0][1])}`,
      activeMatch: `^/(${pages.map(([, file]) => PAGES.get(file)).join('|')}${title === 'Reference' ? '|api/.*' : ''})$`,
    })),
    docFooter: { prev: 'Before', next: 'Next' },
  },
});

/** As the places where people read Markdown make anchors of titles. */
function githubSlug(title) {
  return title
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** The pages of the API and of source files are not read one after another. */
function withoutNeighbours({ relativePath, frontmatter }) {
  if (/^(api|source)\//.test(relativePath)) Object.assign(frontmatter, { prev: false, next: false });
}

function render(text, env, markdown) {
  const html = markdown.render(text, env);
  return env.frontmatter?.search === false ? '' : html;
}
