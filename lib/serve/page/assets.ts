/** The files of the page, in memory, each with what tells one version of it from another. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { pageDocument } from './document.js';
import { PAGE_ICON, PAGE_STYLE } from './style.js';

export interface Asset {
  /** Below the page's own address; empty for the page. */
  readonly path: string;
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Compiled for browsers, by a project of its own. */
const CLIENT = new URL('client/', import.meta.url);

export async function pageAssets(options: { readonly bodyBytes: number }): Promise<Asset[]> {
  const scripts = (await readdir(CLIENT)).filter((name) => name.endsWith('.js')).sort();
  return Promise.all([
    asset('', 'text/html; charset=utf-8', pageDocument(options)),
    asset('page/style.css', 'text/css; charset=utf-8', PAGE_STYLE),
    asset('page/icon.svg', 'image/svg+xml', PAGE_ICON),
    ...scripts.map(async (name) =>
      asset(`page/${name}`, 'text/javascript; charset=utf-8', await readFile(new URL(name, CLIENT))),
    ),
  ]);
}

function asset(path: string, type: string, content: string | Buffer): Asset {
  const bytes = Buffer.from(content);
  // Weak, as the same file goes out both compressed and not.
  const etag = `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { path, type, bytes, etag };
}
