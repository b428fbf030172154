/** Pictures of a network: SVG, or a page with all of them. */
import type { Architecture } from '../architectures/index.js';
import { lanesOf } from './analysisText.js';
import { loadLayout } from './layout.js';
import type { NetworkAnalysis } from './networkAnalysis.js';
import { PLOTS, type Plot } from './scatterPlots.js';
import { shapeText } from './words.js';

/** What is drawn. */
export interface Subject {
  readonly analysis: NetworkAnalysis;
  /** Null where it is a model of somebody's own. */
  readonly architecture: Architecture | null;
  readonly title: string;
}

/** A file each: the gradient paths of a block, the whole network, error against three costs; the page has all. */
export const DRAWINGS = ['block', 'network', ...PLOTS, 'page'] as const;
export type Drawing = (typeof DRAWINGS)[number];

/**
 * The text of an SVG file, or of the page. The same subject gives the same text.
 *
 * @throws `ERR_BITPATH_MISSING_PACKAGE` without elkjs (block, network, page) or echarts (plots, page).
 */
export async function drawing(subject: Subject, which: Drawing): Promise<string> {
  switch (which) {
    case 'block':
      return blockFile(subject);
    case 'network':
      return networkFile(subject);
    case 'page':
      return page(subject);
    default:
      return plot(subject, which);
  }
}

async function blockFile({ analysis, title }: Subject): Promise<string> {
  const [layOut, { blockPicture }, { svgOf }] = await Promise.all([
    loadLayout(),
    import('./blockPicture.js'),
    import('./svg.js'),
  ]);
  const { block } = analysis;
  const picture = await blockPicture(block.diagram, lanesOf(block), layOut, {
    id: 'block',
    title: `${title}: gradient paths of ${block.name}`,
    withKey: true,
  });
  return svgOf(picture, 'block', false).text;
}

async function networkFile({ analysis, title }: Subject): Promise<string> {
  const [layOut, { networkPicture }, { networkRows }, { svgOf }] = await Promise.all([
    loadLayout(),
    import('./networkPicture.js'),
    import('./networkRows.js'),
    import('./svg.js'),
  ]);
  const { graph, parts } = analysis;
  const shape = (id: number | undefined) => shapeText((graph.values[id ?? 0] as (typeof graph.values)[number]).shape);
  const picture = await networkPicture(networkRows(graph, parts), layOut, {
    id: 'network',
    title,
    input: shape(graph.nodes[0]?.output),
    output: shape(graph.outputs[0]?.value),
    withTitle: true,
  });
  return svgOf(picture, 'network', false).text;
}

async function plot({ architecture }: Subject, which: Plot): Promise<string> {
  const { loadCharts } = await import('../bench/charts.js');
  const charts = await loadCharts();
  const [{ tablePoints }, { plotFile }] = await Promise.all([import('./points.js'), import('./scatterPlots.js')]);
  return plotFile(charts, which, tablePoints(), architecture?.name ?? null);
}

async function page(subject: Subject): Promise<string> {
  const { loadCharts } = await import('../bench/charts.js');
  const [layOut, charts] = await Promise.all([loadLayout(), loadCharts()]);
  const [{ tablePoints }, { analysisPage }] = await Promise.all([import('./points.js'), import('./page.js')]);
  return analysisPage({ ...subject, layOut, charts, points: tablePoints() });
}
