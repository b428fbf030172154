/** Where the boxes of a diagram lie, by ELK's layered algorithm: data flows downward, edges run at right angles. */
import { BitpathError } from '../errors.js';
import { layOutColumns } from './columns.js';
import type { Diagram } from './diagram.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}
export interface Layout extends Size {
  /** Upper left corner and size of each box. */
  readonly boxes: readonly (Point & Size)[];
  /** Corners of each edge, from box to box; segments are horizontal or vertical. */
  readonly edges: readonly (readonly Point[])[];
  /** Where an edge parts from another one. */
  readonly junctions: readonly Point[];
}

export interface LayoutOptions {
  /** Distance of the port, through which all edges of a box come and go, from its left side. */
  readonly port: number;
  /** Room between an edge and the next thing. */
  readonly gap: number;
  /** Room below the horizontal part of an edge. */
  readonly clearance: number;
}

/** Lays out; from {@link loadLayout}. */
export interface LayOut {
  /** A diagram as layers, from its first box down. */
  diagram(diagram: Diagram, sizes: readonly Size[], options: LayoutOptions): Promise<Layout>;
  /** A chain of boxes in columns, each from top to bottom: how many boxes stand in each. */
  columns(columns: readonly number[], sizes: readonly Size[], options: LayoutOptions): Promise<Layout>;
}

/**
 * Only pictures load ELK.
 *
 * @throws `ERR_BITPATH_MISSING_PACKAGE` without it.
 */
export async function loadLayout(): Promise<LayOut> {
  try {
    // A CommonJS module whose types say that it has a default export.
    const { default: module } = await import('elkjs');
    const elk = new module.default();
    return {
      diagram: (diagram, sizes, options) => layOut(elk, diagram, sizes, options),
      columns: (columns, sizes, options) => layOutColumns(elk, columns, sizes, options),
    };
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
    throw new BitpathError(
      'ERR_BITPATH_MISSING_PACKAGE',
      { feature: 'Laying out a picture', package: 'elkjs', reason },
      { cause },
    );
  }
}

export type Elk = import('elkjs').ELK;
export type ElkNode = import('elkjs').ElkNode;

async function layOut(
  elk: Elk,
  { boxes, edges }: Diagram,
  sizes: readonly Size[],
  { port, gap, clearance }: LayoutOptions,
): Promise<Layout> {
  const root: ElkNode = {
    id: 'root',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'DOWN',
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.randomSeed': '1',
      'elk.padding': '[top=2,left=2,bottom=2,right=2]',
      'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
      'elk.layered.nodePlacement.bk.fixedAlignment': 'RIGHTDOWN',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
      'elk.spacing.nodeNode': String(gap),
      'elk.spacing.edgeNode': String(gap),
      'elk.spacing.edgeEdge': String(gap),
      'elk.layered.spacing.nodeNodeBetweenLayers': String(gap),
      'elk.layered.spacing.edgeNodeBetweenLayers': String(clearance),
      'elk.layered.spacing.edgeEdgeBetweenLayers': String(clearance),
    },
    children: boxes.map(({ id }, i) => elkBox(id, sizes[i] as Size, port)),
    edges: edges.map(({ from, to }, i) => ({
      id: `e${i}`,
      sources: [`${boxes[from]?.id}.out`],
      targets: [`${boxes[to]?.id}.in`],
      // What computes stands in line with what it leads to; shortcuts go round.
      layoutOptions: { 'elk.layered.priority.straightness': computes(boxes[from]) || computes(boxes[to]) ? '10' : '1' },
    })),
  };
  const placed: ElkNode = await elk.layout(root);
  const routed = placed.edges ?? [];
  return {
    width: Math.ceil(placed.width ?? 0),
    height: Math.ceil(placed.height ?? 0),
    boxes: (placed.children ?? []).map(({ x = 0, y = 0, width = 0, height = 0 }) => ({ x, y, width, height })),
    edges: routed.map(elkPoints),
    junctions: routed.flatMap(({ junctionPoints = [] }) => junctionPoints),
  };
}

/** A box whose edges come in above and leave below, `port` from its left side. */
export function elkBox(id: string, { width, height }: Size, port: number): ElkNode {
  const ports = [
    { id: `${id}.in`, x: port, y: 0, width: 0, height: 0, layoutOptions: { 'elk.port.side': 'NORTH' } },
    { id: `${id}.out`, x: port, y: height, width: 0, height: 0, layoutOptions: { 'elk.port.side': 'SOUTH' } },
  ];
  return { id, width, height, ports, layoutOptions: { 'elk.portConstraints': 'FIXED_POS' } };
}

/** Corners of an edge, in the coordinates of what holds it. */
export function elkPoints({ sections = [] }: import('elkjs').ElkExtendedEdge): readonly Point[] {
  return sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
}

function computes(box: Diagram['boxes'][number] | undefined): boolean {
  return box?.kind === 'binary' || box?.kind === 'real';
}
