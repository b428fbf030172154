/** An OpenAPI document as a page of plain HTML: no script, nothing from elsewhere. */
import type { OpenApi, Operation } from './openApi.js';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem; }
.method { font-weight: 700; } p { margin: .25rem 0; }`;

export function docsPage(document: OpenApi): string {
  const tags = [
    ...new Set(Object.values(document.paths).flatMap((path) => Object.values(path).flatMap(({ tags }) => tags))),
  ];
  const sections = tags.map((tag) => `<section><h2>${escaped(tag)}</h2>${operations(document, tag)}</section>`);
  const { title, version, description } = document.info;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1><p>${escaped(description)} Version ${escaped(version)}; the same as
<a href="docs/openapi.json">OpenAPI</a>.</p>${sections.join('')}</main></body></html>`;
}

function operations(document: OpenApi, tag: string): string {
  return Object.entries(document.paths)
    .flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, operation })))
    .filter(({ operation }) => operation.tags.includes(tag))
    .map(({ path, method, operation }) => operationHtml(path, method, operation))
    .join('');
}

function operationHtml(path: string, method: string, { summary, description, example, responses }: Operation): string {
  const answers = Object.entries(responses).map(([status, { description }]) => `${status} ${description}`);
  return `<h3><span class="method">${method.toUpperCase()}</span> <code>${escaped(path)}</code></h3>
<p>${escaped(summary)}.${description === undefined ? '' : ` ${escaped(description)}`}</p>
${example === undefined ? '' : `<pre>${escaped(example)}</pre>`}<p>${escaped(answers.join(' · '))}</p>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
