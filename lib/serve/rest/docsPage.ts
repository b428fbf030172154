/** An OpenAPI document as a page of plain HTML: no script, nothing from elsewhere. */
import { DOCS_STYLE } from './docsStyle.js';
import type { OpenApi, Operation } from './openApi.js';

interface Route {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description: string;
}

export function docsPage(document: OpenApi): string {
  const routes = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(routes.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map((tag) => {
    const own = routes.filter(({ operation }) => operation.tags.includes(tag));
    return `<section id="${escaped(tag)}"><h2>${escaped(tag)}</h2>${own.map(routeHtml).join('')}</section>`;
  });
  const { title, version, description } = document.info;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}: routes</title><style>${DOCS_STYLE}</style></head>
<body><header><p><a href="./">${escaped(title)}</a></p><h1>Routes</h1>
<p>${escaped(description)} Version ${escaped(version)}. For tools: <a href="docs/openapi.json">OpenAPI</a>.</p>
<p>Where a server has API keys, send one as <code>X-API-Key</code> or <code>Authorization: Bearer …</code>.
Every error is <code>{ "error": "message", "code": "ERR_BITPATH_…" }</code>.</p>
<nav aria-label="Sections"><ul>${tags.map((tag) => `<li><a href="#${escaped(tag)}">${escaped(tag)}</a></li>`).join('')}</ul></nav></header>
<main>${sections.join('')}</main></body></html>`;
}

function routeHtml({ path, method, operation }: Route): string {
  const { operationId, summary, description, 'x-example': example, parameters = [], responses } = operation;
  const pairs = [
    ...(parameters as readonly Parameter[]).map(parameterHtml),
    ...Object.entries(responses)
      .filter(([status]) => status !== '200')
      .map(([status, { description }]) => pair(status, description)),
  ];
  return `<article id="${escaped(operationId)}"><h3><span class="method">${method.toUpperCase()}</span> <code>${escaped(path)}</code></h3>
<p>${escaped(summary)}.${description === undefined ? '' : ` ${escaped(description)}`}</p>
${example === undefined ? '' : `<pre tabindex="0" role="region" aria-label="Example of ${escaped(operationId)}">${escaped(example)}</pre>`}
${pairs.length === 0 ? '' : `<dl>${pairs.join('')}</dl>`}</article>`;
}

function parameterHtml({ name, in: place, description }: Parameter): string {
  return pair(place === 'query' ? `?${name}=` : `{${name}}`, description);
}

function pair(term: string, text: string): string {
  return `<div><dt><code>${escaped(term)}</code></dt><dd>${escaped(text)}</dd></div>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
