/** A long chain in columns, by ELK: a column is a graph of its own, laid out downward, in a graph that runs to the right. */
import {
  type Elk,
  type ElkNode,
  elkBox,
  elkPoints,
  type Layout,
  type LayoutOptions,
  type Point,
  type Size,
} from './layout.js';

/** `sizes` has a box for each place in `columns`; an edge leads from each box to the next one. */
export async function layOutColumns(
  elk: Elk,
  columns: readonly number[],
  sizes: readonly Size[],
  options: LayoutOptions,
): Promise<Layout> {
  const { gap, clearance } = options;
  let next = 0;
  const children = columns.map((length, i) => {
    const first = next;
    next += length;
    return column(`c${i}`, first, sizes.slice(first, next), next === sizes.length, options);
  });
  const placed = await elk.layout<ElkNode>({
    id: 'root',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.hierarchyHandling': 'SEPARATE_CHILDREN',
      'elk.padding': '[top=2,left=2,bottom=2,right=2]',
      // Keeps the rows that columns come with: all begin at the top.
      'elk.layered.nodePlacement.strategy': 'INTERACTIVE',
      'elk.layered.spacing.nodeNodeBetweenLayers': String(gap),
      'elk.layered.spacing.edgeNodeBetweenLayers': String(clearance),
    },
    children,
    edges: columns.slice(1).map((_, i) => ({ id: `x${i}`, sources: [`c${i}.out`], targets: [`c${i + 1}.in`] })),
  });

  const stages = placed.children ?? [];
  const boxes = stages.flatMap((stage) =>
    (stage.children ?? []).map((box) => ({ ...sizeOf(box), ...moved(stage, box) })),
  );
  const edges: (readonly Point[])[] = [];
  stages.forEach((stage, i) => {
    const inner = (stage.edges ?? []).map((edge) => elkPoints(edge).map((point) => moved(stage, point)));
    if (i > 0) {
      const between = elkPoints(placed.edges?.[i - 1] ?? { id: '', sources: [], targets: [] });
      edges.push([...(edges.pop() ?? []), ...between, ...(inner.shift() ?? [])]);
    }
    edges.push(...inner);
  });
  return { width: Math.ceil(placed.width ?? 0), height: Math.ceil(placed.height ?? 0), boxes, edges, junctions: [] };
}

/** Its edge to the next column leaves to the right, the one from the column before comes in from the left. */
function column(
  id: string,
  first: number,
  sizes: readonly Size[],
  isLast: boolean,
  { port, gap, clearance }: LayoutOptions,
): ElkNode {
  const box = (i: number) => `n${first + i}`;
  const chain = sizes.slice(1).map((_, i) => ({ source: `${box(i)}.out`, target: `${box(i + 1)}.in` }));
  const links = [
    ...(first > 0 ? [{ source: `${id}.in`, target: `${box(0)}.in` }] : []),
    ...chain,
    ...(isLast ? [] : [{ source: `${box(sizes.length - 1)}.out`, target: `${id}.out` }]),
  ];
  return {
    id,
    x: 0,
    y: 0,
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'DOWN',
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.portConstraints': 'FIXED_SIDE',
      'elk.padding': '[top=0,left=0,bottom=0,right=0]',
      'elk.layered.spacing.nodeNodeBetweenLayers': String(gap),
      'elk.layered.spacing.edgeNodeBetweenLayers': String(clearance),
    },
    ports: [
      { id: `${id}.in`, layoutOptions: { 'elk.port.side': 'WEST' } },
      { id: `${id}.out`, layoutOptions: { 'elk.port.side': 'EAST' } },
    ],
    children: sizes.map((size, i) => elkBox(box(i), size, port)),
    edges: links.map(({ source, target }, i) => ({ id: `${id}e${i}`, sources: [source], targets: [target] })),
  };
}

function moved({ x = 0, y = 0 }: ElkNode, point: { readonly x?: number; readonly y?: number }): Point {
  return { x: x + (point.x ?? 0), y: y + (point.y ?? 0) };
}

function sizeOf({ width = 0, height = 0 }: ElkNode): Size {
  return { width, height };
}
