/** Results as rows of a table. */
import type { Input } from '../inputs.js';
import type { Result } from '../result.js';
import type { Columns } from './index.js';

export type Cell = string | number | null;

export interface TableColumn {
  readonly name: string;
  readonly type: 'STRING' | 'INT32' | 'FLOAT' | 'DOUBLE';
}

/** The columns, in order: the picture, its error, its predictions from the best on, its logits. */
export function tableColumns({ top, logits }: Columns): TableColumn[] {
  const text = (name: string): TableColumn => ({ name, type: 'STRING' });
  const predictions = Array.from({ length: top }, (_, i): TableColumn[] => [
    { name: `index_${i + 1}`, type: 'INT32' },
    text(`class_${i + 1}`),
    text(`name_${i + 1}`),
    { name: `probability_${i + 1}`, type: 'DOUBLE' },
  ]);
  return [
    ...[text('image'), text('id'), text('error'), text('message')],
    ...predictions.flat(),
    ...Array.from({ length: logits }, (_, i): TableColumn => ({ name: `logit_${i}`, type: 'FLOAT' })),
  ];
}

/** The cells of {@link tableColumns}. */
export function tableRow({ image, id }: Input, result: Result, { top, logits }: Columns): Cell[] {
  if ('error' in result) {
    const { code, message } = result.error;
    return [image, id, code, message, ...new Array<null>(4 * top + logits).fill(null)];
  }
  const predictions = result.predictions.flatMap(({ index, id, name, probability }) => [index, id, name, probability]);
  return [image, id, null, null, ...predictions, ...(result.logits ?? [])];
}
