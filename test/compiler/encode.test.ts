import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { GraphBuilder, randomParams } from 'bitpath';
import { Constants } from '#lib/compiler/constants.js';
import { compileProgram } from '#lib/compiler/index.js';
import { MAGIC, OPCODES, STEPS, VERSION } from '#lib/compiler/program.js';

function program(normalization: { mean: number[]; std: number[] } | null) {
  const b = new GraphBuilder('encode');
  const x = b.conv(b.input({ channels: 3, height: 6, width: 7 }), {
    outChannels: 5,
    kernel: 3,
    padding: [1, 2, 0, 1],
    bias: false,
    name: 'stem',
  });
  const y = b.binaryConv(b.sign(x), {
    outChannels: 4,
    kernel: [1, 2],
    stride: [2, 1],
    padding: 1,
    padValue: 1,
    name: 'conv',
  });
  b.output('y', b.scale(y, { factor: -1.5 }));
  b.output('x', x);
  const graph = b.build();
  return compileProgram(graph, randomParams(graph, 0), { batch: 2, normalization });
}

/** The instructions' words, by the word count that each gives. */
function split(code: Int32Array, outputCount: number): number[][] {
  const instructions: number[][] = [];
  for (let at = 9 + 6 * outputCount; at < code.length; at += code[at + 1] as number) {
    instructions.push([...code.subarray(at, at + (code[at + 1] as number))]);
  }
  return instructions;
}

test('header, outputs and instructions are laid out as native/program/layout.h says', () => {
  const { code, outputs, instructions, inputShape, acceptsUint8, batch } = program(null);
  assert.deepEqual([...code.subarray(0, 3)], [MAGIC, VERSION, 2]);
  assert.deepEqual([...code.subarray(4, 9)], [3, 6, 7, 2, 3]);
  assert.deepEqual([inputShape, batch, acceptsUint8], [{ channels: 3, height: 6, width: 7 }, 2, false]);
  assert.deepEqual(outputs, [
    { name: 'y', shape: { channels: 4, height: 4, width: 9 } },
    { name: 'x', shape: { channels: 5, height: 5, width: 8 } },
  ]);
  assert.deepEqual([...code.subarray(10, 15)], [4, 9, 4, 4, 0], 'the first output, after its line');

  const [input, conv, binary] = split(code, 2) as [number[], number[], number[]];
  assert.deepEqual(input.slice(0, 5), [OPCODES.input, 11, 0, 1, STEPS.store]);
  assert.deepEqual(conv.slice(0, 3), [OPCODES.conv, conv.length, 0]);
  assert.deepEqual(conv.slice(4, 9), [6, 7, 3, 3, 0]);
  assert.deepEqual(conv.slice(9, 21), [5, 8, 5, 3, 3, 1, 1, 1, 2, 1, 1, 1]);
  assert.deepEqual(binary.slice(0, 3), [OPCODES.binaryConv, binary.length, 0]);
  assert.deepEqual(binary.slice(4, 12), [5, 8, 5, 1, 1, 1, 1, 1]);
  assert.deepEqual(binary.slice(12, 23), [4, 9, 4, 1, 2, 2, 1, 1, 1, 1, 0]);
  assert.equal(binary[23], 0, 'bits are ±1');
  const factor = new Int32Array(Float32Array.of(-1.5).buffer)[0];
  assert.deepEqual(binary.slice(25, 29), [2, STEPS.scale, factor, STEPS.store]);
  assert.deepEqual(
    instructions.map(({ nodes }) => nodes),
    [['input'], ['stem', 'sign'], ['conv', 'scale']],
  );
});

test('with a normalization there are two ways in', () => {
  const { code, instructions, acceptsUint8 } = program({ mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.4] });
  assert.equal(acceptsUint8, true);
  assert.deepEqual(
    instructions.map(({ when }) => when),
    [1, 1, 2, 0],
  );
  assert.deepEqual(
    split(code, 2).map(([opcode]) => opcode),
    [OPCODES.input, OPCODES.conv, OPCODES.pixelConv, OPCODES.binaryConv],
  );
});

test('constants start a line of 64 bytes, and equal ones are stored once', () => {
  const constants = new Constants();
  const first = constants.add(Float32Array.of(1, 2, 3));
  assert.equal(first, 0);
  assert.equal(constants.add(Uint8Array.of(7)), 64);
  assert.equal(constants.add(Float32Array.of(1, 2, 3)), first);
  assert.equal(constants.add(new Float32Array(17)), 128);
  const bytes = constants.build();
  assert.equal(bytes.length, 256);
  assert.deepEqual(new Float32Array(bytes.buffer, 0, 3), Float32Array.of(1, 2, 3));
  assert.equal(bytes[64], 7);
});

test('opcodes and steps are those of native/program/layout.h', () => {
  const text = readFileSync(new URL('../../../native/program/layout.h', import.meta.url), 'utf8');
  const listed = [...text.matchAll(/^\/\/ {2,3}(\d+) ([A-Z_]+) /gm)].map(([, number, name]) => [name, Number(number)]);
  const upper = (table: object) =>
    Object.entries(table).map(([name, n]) => [name.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase(), n]);
  assert.deepEqual(listed, [...upper(OPCODES), ...upper(STEPS)]);
  assert.equal(listed.length, 23);
  assert.match(text, new RegExp(`0x${MAGIC.toString(16)}`));
});

test('compiling the same graph twice gives the same Program', () => {
  assert.deepEqual(program(null), program(null));
});

test('of a bit map only those planes are cleared that are not stored in whole runs of 16 channels', () => {
  const clearedFrom = (channels: number, groups = 1) => {
    const b = new GraphBuilder('cleared');
    const x = b.conv(b.input({ channels: 4, height: 3, width: 3 }), { outChannels: channels, kernel: 1, groups });
    b.output('y', b.binaryConv(b.sign(x), { outChannels: 4, kernel: 1 }));
    const graph = b.build();
    const { code } = compileProgram(graph, randomParams(graph, 1), { batch: 1, normalization: null });
    const conv = split(code, 1)[1] ?? [];
    const sign = conv.lastIndexOf(STEPS.sign);
    return conv[sign + 12];
  };
  assert.deepEqual(
    [32, 64, 96].map((channels) => clearedFrom(channels)),
    [1, 2, 3],
    'none',
  );
  assert.deepEqual(
    [16, 48, 80].map((channels) => clearedFrom(channels)),
    [0, 1, 2],
    'half a word is not written',
  );
  assert.deepEqual(
    [53, 41, 100].map((channels) => clearedFrom(channels)),
    [1, 1, 3],
    'what is left over is or-ed in',
  );
  assert.equal(clearedFrom(64, 4), 0, 'groups may begin within a run');
});
