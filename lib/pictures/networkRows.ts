/** The parts of a network in words and shares. */
import type { Graph, Value } from '../graph/types.js';
import type { NetworkRow } from './networkPicture.js';
import type { Part } from './series.js';
import { opText, operations, shapeText } from './words.js';

/** The paper's weight of a 1-bit multiply-accumulate beside a real one. */
const BITS_A_WORD = 64;

export function networkRows(graph: Graph, parts: readonly Part[]): readonly NetworkRow[] {
  const computation = (part: Part) => part.binaryMacs / BITS_A_WORD + part.realMacs;
  const total = parts.reduce((sum, part) => sum + computation(part), 0);
  const isBlock = (part: Part) => part.branches || part.convs > 0;
  const first = parts.findIndex(isBlock);
  const last = parts.findLastIndex(isBlock);
  return parts.map((part, i) => {
    const { shape } = graph.values[part.output] as Value;
    return {
      name: part.name,
      role: i < first ? 'stem' : i > last ? 'classifier' : isBlock(part) ? 'block' : 'transition',
      kind: part.convs > 0 ? 'binary' : 'real',
      convs: part.convs,
      shape: shapeText(shape),
      mapSize: `${shape.height} × ${shape.width}`,
      ops: [...new Set(part.nodes.map(opText))].join(', '),
      cost: costText(part),
      share: total > 0 ? computation(part) / total : 0,
    };
  });
}

function costText({ binaryMacs, realMacs }: Part): string {
  const parts = [
    ...(binaryMacs > 0 ? [`${operations(binaryMacs)} 1-bit`] : []),
    ...(realMacs > 0 ? [`${operations(realMacs)} real`] : []),
  ];
  return parts.join(' + ') || 'no MACs';
}
