/**
 * A result as a page that needs nothing else: no script, no request, light and dark, desktop and phone.
 *
 * The command line calls `await reportHtml(result)` and writes the text to the file of `--html`. It loads echarts, a development
 * dependency, first, and throws `ERR_BITPATH_MISSING_PACKAGE` without it: `await checkReport()` throws the same before anything
 * has been measured. Results that come from a file go through `parseResult(json, name)` of parseResult.ts.
 */
import { type Charts, loadCharts } from './charts.js';
import { kernels } from './reportKernels.js';
import { layers } from './reportLayers.js';
import { html, Markup } from './reportMarkup.js';
import { latencies, speedups } from './reportNetworks.js';
import { checks, header, headline, memory, omitted, startup } from './reportRest.js';
import { scaling } from './reportScaling.js';
import { STYLE } from './reportStyle.js';
import type { BenchResult } from './result.js';

const SECTIONS: readonly (readonly [
  id: string,
  title: string,
  body: (result: BenchResult, charts: Charts) => Markup,
])[] = [
  ['speed-up', 'Against onnxruntime', speedups],
  ['latency', 'Latency and throughput', latencies],
  ['kernels', 'Kernels', kernels],
  ['layers', 'Layers', layers],
  ['scaling', 'Scaling', scaling],
  ['memory', 'Memory', memory],
  ['startup', 'Start-up', startup],
  ['omitted', 'What was left out', omitted],
  ['checks', 'How answers were checked', checks],
];

/** Throws `ERR_BITPATH_MISSING_PACKAGE` where {@link reportHtml} would. */
export async function checkReport(): Promise<void> {
  await loadCharts();
}

/** @throws `ERR_BITPATH_MISSING_PACKAGE` without echarts. */
export async function reportHtml(result: BenchResult): Promise<string> {
  const charts = await loadCharts();
  const links = SECTIONS.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`);
  const sections = SECTIONS.map(
    ([id, title, body]) => html`<section id="${id}"><h2>${title}</h2>\n${body(result, charts)}\n</section>\n`,
  );
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>bitpath on ${result.machine.cpu}, ${result.machine.date}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
<h1>bitpath on ${result.machine.cpu}</h1>
${headline(result)}
${header(result)}
<nav aria-label="Sections"><ul>${links}</ul></nav>
${sections}</main>
</body>
</html>
`.text;
}
