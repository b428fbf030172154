/** Words and numbers of the pictures, and how much room they take. */
import { figure } from '../bench/reportFormat.js';
import type { AnyNode, OpName, Shape } from '../graph/types.js';

const OPS: Readonly<Partial<Record<OpName | (string & {}), string>>> = {
  sign: 'Sign',
  heaviside: 'Heaviside',
  ternary: 'Ternary',
  batchNorm: 'BatchNorm',
  relu: 'ReLU',
  prelu: 'PReLU',
  hardtanh: 'Hardtanh',
  sigmoid: 'Sigmoid',
  maxPool: 'max pool',
  avgPool: 'average pool',
  globalAvgPool: 'global pool',
  linear: 'linear',
  add: 'add',
  mul: 'multiply',
  concat: 'concat',
  channelMean: 'channel mean',
  padChannels: 'pad channels',
  rank1Scale: 'scale',
  channelInteraction: 'channel interaction',
};

/** An op in words; one that has none here is called as in the graph. */
export function opText(node: AnyNode): string {
  const kernel = 'kernel' in node.attrs ? ` ${node.attrs.kernel.join('×')}` : '';
  if (node.op === 'binaryConv') return `1-bit conv${kernel}`;
  if (node.op.endsWith('Conv') || node.op === 'conv')
    return `${node.op === 'conv' ? 'conv' : '1-bit-weight conv'}${kernel}`;
  if (node.op === 'scale') return `× ${figure(node.attrs.factor)}`;
  return `${OPS[node.op] ?? node.op}${kernel}`;
}

/** "41 × 56 × 56", or "1000" for a vector. */
export function shapeText({ channels, height, width }: Shape): string {
  return height === 1 && width === 1 ? String(channels) : `${channels} × ${height} × ${width}`;
}

/** Operations to four digits: 115.6 M. */
export function operations(value: number): string {
  for (const [prefix, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size) return `${Number((value / size).toPrecision(4))}\u00a0${prefix}`;
  }
  return String(Number(value.toPrecision(4)));
}

/** 1 → "1st". */
export function ordinal(rank: number): string {
  const tens = rank % 100;
  const suffix = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][rank % 10] ?? 'th');
  return `${rank}${suffix}`;
}

/** "1 path", "1 234 paths"; of astronomical numbers the magnitude. */
export function pathsText(count: bigint): string {
  return `${bigText(count)} ${count === 1n ? 'path' : 'paths'}`;
}

export function bigText(count: bigint): string {
  const digits = String(count);
  if (digits.length <= 9) return digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, '\u202f') : digits;
  return `${digits[0]}.${digits.slice(1, 3)} · 10${superscript(digits.length - 1)}`;
}

function superscript(value: number): string {
  return [...String(value)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
}

/**
 * Upper bound of the width of `text` in a sans-serif font of `size` pixels, in pixels. Drawn without a browser, so widths are
 * those of common fonts (Arial's, a tenth more for wider ones).
 */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const char of text) {
    if (/[ijl.,:;'|!·() \u00a0\u202f]/.test(char)) ems += 0.31;
    else if (/[frtI1-]/.test(char)) ems += 0.46;
    else if (/[mwMW→…]/.test(char)) ems += 0.93;
    else if (/[A-Z]/.test(char)) ems += 0.71;
    else ems += 0.57;
  }
  return ems * size * 1.08;
}

/** `text` or its beginning, at most `width` pixels wide. */
export function fitting(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  const chars = [...text];
  while (chars.length > 1 && textWidth(`${chars.join('')}…`, size) > width) chars.pop();
  return `${chars.join('').trimEnd()}…`;
}
