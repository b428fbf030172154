import { BitpathError } from '../errors.js';
import type { Shape, Value } from '../graph/types.js';
import { Constants } from './constants.js';
import {
  at,
  type FoldedGraph,
  type FusedGraph,
  type Home,
  type Instruction,
  type Maker,
  type SignRule,
  type Step,
} from './ir.js';
import { type Plan, pixelStride } from './plan.js';
import { ACTIVATIONS, MAGIC, OPCODES, type Program, STEPS, VERSION } from './program.js';

/** Writes the Program. The order of fields is that of native/program/layout.h. Throws `ERR_BITPATH_MEMORY` for too large an arena. */
export function encode(
  graph: FoldedGraph,
  fused: FusedGraph,
  homes: readonly Home[],
  plan: Plan,
  batch: number,
): Program {
  return new Encoder(graph, fused, homes, plan).run(batch);
}

class Encoder {
  readonly #graph: FoldedGraph;
  readonly #fused: FusedGraph;
  readonly #homes: readonly Home[];
  readonly #plan: Plan;
  readonly #constants = new Constants();

  constructor(graph: FoldedGraph, fused: FusedGraph, homes: readonly Home[], plan: Plan) {
    this.#graph = graph;
    this.#fused = fused;
    this.#homes = homes;
    this.#plan = plan;
  }

  run(batch: number): Program {
    const { instructions } = this.#fused;
    const inputShape = at(
      instructions,
      instructions.findIndex(({ make }) => make.op === 'input'),
    ).shape;
    const outputs = this.#graph.outputs.map(({ name, value }) => ({ name, shape: this.#value(value).shape }));
    const { arenaLines } = this.#plan;
    if (arenaLines > 0x7fffffff) {
      throw new BitpathError('ERR_BITPATH_MEMORY', {
        reason: `the maps of ${batch} images take ${arenaLines * 64} bytes`,
      });
    }
    const code = [
      [MAGIC, VERSION, batch, arenaLines, inputShape.channels, inputShape.height, inputShape.width],
      [outputs.length, instructions.length],
      ...this.#graph.outputs.map(({ value }) => this.#floatMap(value)),
      ...instructions.map((instruction) => this.#instruction(instruction)),
    ].flat();
    return Object.freeze({
      code: Int32Array.from(code),
      constants: this.#constants.build(),
      instructions: instructions.map(({ names, when }) => ({ nodes: names, when })),
      inputShape,
      outputs,
      batch,
      acceptsUint8: instructions.some(({ when }) => when === 2),
    });
  }

  #instruction({ when, make, shape, steps }: Instruction): number[] {
    const body = [...this.#make(make, shape), steps.length, ...steps.flatMap((step) => this.#step(step))];
    return [OPCODES[make.op], body.length + 3, when, ...body];
  }

  #make(make: Maker, { height, width, channels }: Shape): number[] {
    switch (make.op) {
      case 'input':
        return [];
      case 'map':
      case 'channelMean':
        return this.#floatMap(make.source);
      case 'fill':
        return [height, width, channels, floatBits(make.value)];
      case 'channelInteraction': {
        const { source, pairs, threshold, step } = make;
        const fields = [pairs.length / 3, floatBits(threshold), floatBits(step), this.#constants.add(pairs)];
        return [...this.#floatMap(source), ...fields];
      }
      case 'binaryConv': {
        const { kernel, stride, dilation, groups } = make.attrs;
        return [
          ...this.#bitMap(make.bitMap),
          height,
          width,
          channels,
          ...kernel,
          ...stride,
          ...dilation,
          groups,
          Number(make.zeroPad),
          ACTIVATIONS[make.activations],
          this.#constants.add(make.bits),
        ];
      }
      case 'conv': {
        const { kernel, stride, padding, dilation, groups } = make.attrs;
        return [
          ...this.#floatMap(make.source),
          height,
          width,
          channels,
          ...kernel,
          ...stride,
          padding[0],
          padding[1],
          ...dilation,
          groups,
          this.#constants.add(make.weight),
        ];
      }
      case 'pixelConv': {
        const { kernel, stride, padding, dilation } = make.attrs;
        const classCount = (classes: Int32Array) => Math.max(...classes) + 1;
        return [
          make.weight.BYTES_PER_ELEMENT,
          height,
          width,
          channels,
          ...kernel,
          ...stride,
          padding[0],
          padding[1],
          ...dilation,
          this.#constants.add(make.weight),
          this.#constants.add(make.scale),
          classCount(make.yClass),
          classCount(make.xClass),
          this.#constants.add(make.yClass),
          this.#constants.add(make.xClass),
          this.#constants.add(make.bias),
        ];
      }
      case 'maxPool':
      case 'avgPool': {
        const { kernel, stride, padding } = make.attrs;
        const fields = [...this.#floatMap(make.source), height, width, ...kernel, ...stride, padding[0], padding[1]];
        return make.op === 'maxPool' ? fields : [...fields, Number(make.attrs.countIncludePad)];
      }
      case 'maxPooled': {
        const { inner, innerShape, innerSteps, attrs } = make;
        return [
          OPCODES[inner.op],
          ...this.#make(inner, innerShape),
          innerSteps.length,
          ...innerSteps.flatMap((step) => this.#step(step)),
          height,
          width,
          ...attrs.kernel,
          ...attrs.stride,
          attrs.padding[0],
          attrs.padding[1],
        ];
      }
    }
  }

  #step(step: Step): number[] {
    const opcode = STEPS[step.op];
    switch (step.op) {
      case 'affine':
        return [opcode, this.#constants.add(step.mul), this.#constants.add(step.add)];
      case 'add':
      case 'mul':
      case 'store':
      case 'storeMaxPooled':
        return [opcode, ...this.#floatMap(step.value)];
      case 'scale':
        return [opcode, floatBits(step.factor)];
      case 'mulPixels':
        return [opcode, this.#constants.add(step.factors)];
      case 'relu':
      case 'sigmoid':
        return [opcode];
      case 'hardtanh':
        return [opcode, floatBits(step.min), floatBits(step.max)];
      case 'prelu':
        return [opcode, this.#constants.add(step.slope)];
      case 'sign':
        return [
          opcode,
          ...this.#bitMap(step.bitMap),
          step.place.first,
          step.place.tail,
          step.clears ? this.#clearedFrom(step.bitMap) : -1,
          ...this.#rule(step.rule),
        ];
    }
  }

  /** The first plane of a bit map with bits that are or-ed in, or not written: see native/program/layout.h. */
  #clearedFrom(bitMap: number): number {
    let plane = Math.floor(at(this.#fused.bitMaps, bitMap).shape.channels / 32);
    for (const { make, shape, steps } of this.#fused.instructions) {
      const groups = 'attrs' in make && 'groups' in make.attrs ? make.attrs.groups : 1;
      for (const step of steps) {
        if (step.op !== 'sign' || step.bitMap !== bitMap) continue;
        if (groups > 1) plane = 0;
        else if (shape.channels % 16 !== 0) plane = Math.min(plane, Math.floor(step.place.tail / 32));
      }
    }
    return plane;
  }

  #rule({ threshold, flip }: SignRule): number[] {
    return [threshold, flip].map((constant) => (constant === null ? -1 : this.#constants.add(constant)));
  }

  #floatMap(value: number): number[] {
    const { base, offset } = at(this.#homes, value);
    const { height, width, channels } = this.#value(value).shape;
    return [this.#plan.valueLine(base), height, width, channels, pixelStride(this.#value(base).shape.channels), offset];
  }

  #bitMap(id: number): number[] {
    const { shape, padding, padBit } = at(this.#fused.bitMaps, id);
    return [this.#plan.bitMapLine(id), shape.height, shape.width, shape.channels, ...padding, padBit];
  }

  #value(id: number): Value {
    return at(this.#graph.values, id);
  }
}

function floatBits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
}
