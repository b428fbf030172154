import type { GraphOutput, Value } from '../graph/types.js';
import {
  at,
  type BitMap,
  type FusedGraph,
  type Home,
  type Instruction,
  operandOf,
  type Step,
  sourceOf,
  storedBy,
} from './ir.js';

export const LINE_BYTES = 64;

/** A block of the arena: a float map (and all slices of it) or a bit map. */
export interface Buffer {
  readonly kind: 'value' | 'bitMap';
  /** Value id of the base, or index of the bit map. */
  readonly id: number;
  readonly lines: number;
  /** Index of the first instruction that writes it. */
  first: number;
  /** Index of the last instruction that touches it; the number of instructions for outputs. */
  last: number;
  /** First line in the arena. */
  line: number;
}

export interface Plan {
  readonly arenaLines: number;
  readonly buffers: readonly Buffer[];
  /** First line of the map of base value `id`. */
  valueLine(id: number): number;
  bitMapLine(id: number): number;
}

/**
 * Floats from a pixel of a map to the next. Where channels fill a vector or more, pixels begin at cache lines: a 64-byte vector
 * that lies across two lines is read and written at half the speed or less.
 */
export function pixelStride(channels: number): number {
  return channels < 16 ? channels : Math.ceil(channels / 16) * 16;
}

/** uint32 words of one row of a bit map: a plane for each 32 channels, the row filled up to a cache line. */
export function rowWords({ shape, padding }: BitMap): number {
  const words = (padding[1] + shape.width + padding[3]) * Math.ceil(shape.channels / 32);
  return Math.ceil(words / 16) * 16;
}

/**
 * Gives every map its lines in one arena of `batch` images. Two maps share lines only if no instruction between the first
 * write and the last read of one touches the other, or where an ADD's operand becomes the sum in place.
 */
export function planMemory(
  { instructions, bitMaps }: FusedGraph,
  values: readonly Value[],
  homes: readonly Home[],
  outputs: readonly GraphOutput[],
  batch: number,
): Plan {
  const floatBuffers = new Map<number, Buffer>();
  const bitBuffers = new Map<number, Buffer>();

  const touchValue = (value: number, index: number) => {
    const { base } = at(homes, value);
    const { channels, height, width } = at(values, base).shape;
    touch(floatBuffers, 'value', base, index, batch * height * width * pixelStride(channels) * 4);
  };
  const touchBitMap = (id: number, index: number) => {
    const map = at(bitMaps, id);
    const rows = map.padding[0] + map.shape.height + map.padding[2];
    touch(bitBuffers, 'bitMap', id, index, batch * rows * rowWords(map) * 4);
  };
  instructions.forEach(({ make, steps }, index) => {
    const source = sourceOf(make);
    if (source !== undefined) touchValue(source, index);
    if ('bitMap' in make) touchBitMap(make.bitMap, index);
    for (const step of steps) {
      const operand = storedBy(step) ?? operandOf(step);
      if (operand !== undefined) touchValue(operand, index);
      if (step.op === 'sign') touchBitMap(step.bitMap, index);
    }
  });
  for (const { value } of outputs) touchValue(value, instructions.length);

  const buffers = [...floatBuffers.values(), ...bitBuffers.values()];
  const groups = groupInPlace(buffers, instructions, {
    bufferOf: (value) => floatBuffers.get(at(homes, value).base),
    wholeShape(value) {
      const { base } = at(homes, value);
      const { channels, height, width } = at(values, value).shape;
      return at(values, base).shape.channels === channels ? `${channels} ${height} ${width}` : undefined;
    },
  });
  const arenaLines = place(groups);
  return {
    arenaLines,
    buffers,
    valueLine: (id) => lineOf(floatBuffers, id),
    bitMapLine: (id) => lineOf(bitBuffers, id),
  };
}

function touch(buffers: Map<number, Buffer>, kind: Buffer['kind'], id: number, index: number, bytes: number): void {
  const known = buffers.get(id);
  if (known) known.last = index;
  else buffers.set(id, { kind, id, lines: Math.ceil(bytes / LINE_BYTES), first: index, last: index, line: 0 });
}

function lineOf(buffers: ReadonlyMap<number, Buffer>, id: number): number {
  const buffer = buffers.get(id);
  if (buffer === undefined) throw new RangeError(`map ${id} has no place in the arena`);
  return buffer.line;
}

interface Maps {
  /** The buffer that a value lies in. */
  bufferOf(value: number): Buffer | undefined;
  /** The shape of a value that fills its buffer; undefined for one that is a part of it. */
  wholeShape(value: number): string | undefined;
}

/**
 * Groups of buffers that take the same lines. An ADD or MUL may read what a later STORE of its instruction overwrites, so a map of
 * the same shape that is read last by that step (and by nothing else there) goes on as the map first written by that STORE.
 */
function groupInPlace(
  buffers: readonly Buffer[],
  instructions: readonly Instruction[],
  { bufferOf, wholeShape }: Maps,
): readonly (readonly Buffer[])[] {
  const groupOf = new Map<Buffer, Buffer[]>(buffers.map((buffer) => [buffer, [buffer]]));
  instructions.forEach(({ make, steps }, index) => {
    const read = sourceOf(make);
    const source = read === undefined ? undefined : bufferOf(read);
    steps.forEach((step, position) => {
      if (step.op !== 'store') return;
      const target = bufferOf(step.value);
      const shape = wholeShape(step.value);
      if (target === undefined || shape === undefined || target.first !== index) return;
      const operands = (some: readonly Step[]) => some.flatMap((other) => operandOf(other) ?? []);
      const operand = operands(steps.slice(0, position))
        .filter((value) => wholeShape(value) === shape)
        .map(bufferOf)
        .find((buffer) => buffer?.last === index && buffer.lines === target.lines && buffer !== source);
      if (operand === undefined || groupOf.get(operand)?.at(-1) !== operand) return;
      // A part of it, or its broadcast, is read pixel by pixel too, but not the pixels that are being written.
      const others = operands(steps).filter((value) => wholeShape(value) !== shape);
      const readLater = operands(steps.slice(position))
        .concat(others)
        .some((value) => bufferOf(value) === operand);
      if (readLater) return;
      const group = [...(groupOf.get(operand) ?? []), ...(groupOf.get(target) ?? [])];
      for (const member of group) groupOf.set(member, group);
    });
  });
  return [...new Set(groupOf.values())];
}

/** Best fit, largest first: each group goes into the smallest gap between the groups placed before that live with it. */
function place(groups: readonly (readonly Buffer[])[]): number {
  const blocks = groups.map((members) => ({
    members,
    line: 0,
    lines: Math.max(...members.map(({ lines }) => lines)),
    first: Math.min(...members.map(({ first }) => first)),
    last: Math.max(...members.map(({ last }) => last)),
  }));
  blocks.sort((a, b) => b.lines - a.lines || a.first - b.first);
  const placed: typeof blocks = [];
  let arenaLines = 0;
  for (const block of blocks) {
    let end = 0;
    let best = Number.POSITIVE_INFINITY;
    let line = -1;
    for (const other of placed) {
      if (other.first > block.last || other.last < block.first) continue;
      const gap = other.line - end;
      if (gap >= block.lines && gap < best) {
        best = gap;
        line = end;
      }
      end = Math.max(end, other.line + other.lines);
    }
    block.line = line >= 0 ? line : end;
    for (const member of block.members) member.line = block.line;
    arenaLines = Math.max(arenaLines, block.line + block.lines);
    placed.push(block);
    placed.sort((a, b) => a.line - b.line);
  }
  return arenaLines;
}
