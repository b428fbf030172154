/** The README's picture of the speed-up: one photograph on one thread, from a committed result. */
import { bars } from './chartsBars.js';
import type { Charts } from './charts.js';
import { speedupRow } from './reportNetworks.js';
import { bySetting, isOwn, PEERS } from './reportRivals.js';
import { PALETTE } from './reportStyle.js';
import type { BenchResult, NetworkCase } from './result.js';

/** Where it lies, from the README. */
export const PICTURE = 'docs/images/speedup.svg';

const WIDTH = 760;
/** A picture that is not part of a page brings its own paper: where it is shown may be light or dark. */
const STYLE = `<style>${PALETTE.replaceAll(':root', 'svg')} svg{background:var(--paper)}</style>`;

/** The cases that it shows: none where no peer was measured. */
export function pictured({ networks }: BenchResult): readonly NetworkCase[] {
  const [items = []] = bySetting(networks.filter(({ threads, batch }) => threads === 1 && batch === 1));
  return items.filter((item) => isOwn(item) && PEERS.some((peer) => item.speedup[peer] !== null));
}

/** An SVG of its own. */
export function readmePicture(result: BenchResult, charts: Charts): string {
  const rows = pictured(result).map((item) => speedupRow(result, item));
  const draw = bars({
    rows,
    longest: Math.max(...rows.flatMap((row) => row.bars.map(({ value, band }) => Math.max(value, band?.high ?? 0)))),
    textLength: 13,
    axis: 'times as fast as onnxruntime running ResNet18, one picture of 224×224, one thread',
    format: (value) => `${value}×`,
    reference: { value: 1, text: '1×: as fast' },
  });
  return `${charts.svg(draw, WIDTH, 'Speed-up over onnxruntime').replace('>', `>${STYLE}`)}\n`;
}
