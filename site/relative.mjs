// Makes the links of built pages relative, so that they lead somewhere without a server too.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** All pages of a built site, relative to its folder. */
export function pagesOf(site) {
  return readdirSync(site, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.html'))
    .sort();
}

/** The pages' own program takes over a page by its address, which from disk it does not know: most browsers do not load it there, none shall. */
const APP = /<script type="module" src="([^"]*)"><\/script>/g;
const LATER = `<script>location.protocol === 'file:' || import('./$1')</script>`;

export function makeRelative(site, base = process.env.BITPATH_SITE_BASE ?? '/') {
  for (const page of pagesOf(site)) {
    const path = join(site, page);
    const html = readFileSync(path, 'utf8').replace(/(<[^>]*\s)(href|src)="(\/[^"]*)"/g, (_, before, name, url) => {
      const [, to, hash] = /^([^#]*)(.*)$/.exec(url.slice(base.length));
      const file = to === '' || to.endsWith('/') ? `${to}index.html` : to;
      return `${before}${name}="${posix.relative(posix.dirname(page), file) || posix.basename(file)}${hash}"`;
    });
    writeFileSync(path, html.replace(APP, LATER));
  }
}
