// What a built site must have: a page for each document and each symbol, links that lead somewhere, and nothing from elsewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { PAGES } from './pages.mjs';
import { pagesOf } from './relative.mjs';

/** Prints what was covered; throws what is missing. */
export function checkSite(root, site, api) {
  const problems = [...missingDocuments(root, site), ...missingSymbols(site, api)];
  const pages = pagesOf(site);
  const links = checkLinks(site, pages, problems);
  const symbols = api.reduce((sum, module) => sum + module.symbols.length, 0);
  console.log(`covered: ${links} links`);
  console.log(`covered: ${symbols} symbols of ${api.length} entry points`);
  console.log(`covered: ${pages.length} pages`);
  if (problems.length > 0) throw new Error(`the site is not whole:\n${problems.join('\n')}`);
}

function missingDocuments(root, site) {
  const documents = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return [
    ...documents.filter((name) => !PAGES.has(`docs/${name}`)).map((name) => `docs/${name} is not in site/pages.mjs`),
    ...[...PAGES.values()].filter((name) => !existsSync(join(site, `${name}.html`))).map((name) => `no page ${name}`),
  ];
}

function missingSymbols(site, api) {
  return api.flatMap(({ name, symbols }) => {
    const folder = join(site, 'api', name);
    const inner = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
    const pages = inner
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => readdirSync(join(folder, entry.name)).map((file) => basename(file, '.html')));
    return symbols.filter((symbol) => !pages.includes(symbol)).map((symbol) => `no page of ${symbol} of ${name}`);
  });
}

/** Number of links within the site. */
function checkLinks(site, pages, problems) {
  const html = new Map(pages.map((page) => [page, readFileSync(join(site, page), 'utf8')]));
  const anchors = new Map(
    [...html].map(([page, text]) => [page, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]),
  );
  let links = 0;
  for (const [page, text] of html) {
    for (const [, tag, url] of text.matchAll(/<(\w+)[^>]*\s(?:href|src)="([^"]*)"/g)) {
      if (/^(data|mailto):/.test(url)) continue;
      if (/^(\w+:|\/)/.test(url)) {
        if (tag !== 'a' || url.startsWith('/')) problems.push(`${page}: ${url} is loaded from elsewhere`);
        continue;
      }
      const [path, anchor = ''] = decodeURIComponent(url.replaceAll('&amp;', '&')).split('#');
      const to = path === '' ? page : posix.join(posix.dirname(page), path);
      if (!existsSync(join(site, to))) problems.push(`${page}: no ${url}`);
      else if (anchor !== '' && !anchors.get(to)?.has(anchor)) problems.push(`${page}: no anchor ${url}`);
      links++;
    }
  }
  return links;
}
