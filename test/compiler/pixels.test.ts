import assert from 'node:assert/strict';
import test from 'node:test';
import { type BitpathError, compile, GraphBuilder, randomParams } from 'bitpath';
import fc from 'fast-check';
import type { PixelConvWork } from '#lib/compiler/ir.js';
import { borderClasses, pixelConv } from '#lib/compiler/pixels.js';
import type { ConvAttrs } from '#lib/graph/types.js';
import { native } from '#lib/native.js';
import { fmaf } from '../reference/fma.js';

const NORMALIZATION = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

function attrs(outChannels: number, kernel: number, padding: number): ConvAttrs {
  return {
    outChannels,
    kernel: [kernel, kernel],
    stride: [1, 1],
    padding: [padding, padding, padding, padding],
    dilation: [1, 1],
    groups: 1,
  };
}

test('output positions are grouped by the taps that lie inside the image', () => {
  const { classes, ranges } = borderClasses(4, 7, 7, 2, 3, 1); // 7 wide, stride 2, padding 3
  assert.deepEqual([...classes], [0, 1, 2, 3]);
  assert.deepEqual(ranges, [
    [3, 6],
    [1, 6],
    [0, 5],
    [0, 3],
  ]);
  const wide = borderClasses(112, 224, 7, 2, 3, 1);
  assert.equal(wide.ranges.length, 4);
  assert.deepEqual(
    borderClasses(3, 2, 2, 1, 2, 3).ranges,
    [
      [1, 1],
      [0, -1],
      [0, 0],
    ],
    'a window may lie outside',
  );
});

test('border classes are those of counting taps one by one', () => {
  const small = fc.integer({ min: 1, max: 7 });
  fc.assert(
    fc.property(small, small, small, small, fc.nat(8), small, (outSize, inSize, kernel, stride, pad, dilation) => {
      const { classes, ranges } = borderClasses(outSize, inSize, kernel, stride, pad, dilation);
      for (let out = 0; out < outSize; out++) {
        const inside = Array.from({ length: kernel }, (_, k) => k).filter((k) => {
          const at = out * stride - pad + k * dilation;
          return at >= 0 && at < inSize;
        });
        const [first = 0, last = -1] = ranges[classes[out] as number] ?? [];
        assert.deepEqual([first, last], inside.length > 0 ? [inside[0], inside.at(-1)] : [0, -1]);
      }
      assert.equal(new Set(ranges.map(String)).size, ranges.length);
    }),
    { numRuns: 2000, seed: 4 },
  );
});

test('integer weights are within half a step, the step is that of the largest weight, and no sum overflows', () => {
  const shape = { channels: 3, height: 9, width: 9 };
  const weight = Float32Array.from(
    { length: 4 * 49 * 3 },
    (_, i) => Math.sin(i * i) * (i < 147 ? 1 : i < 294 ? 1e-3 : 40),
  );
  weight.fill(0, 441);
  for (const [stem, largest] of [
    ['int16', 32767],
    ['int8', 127],
  ] as const) {
    const made = pixelConv(attrs(4, 7, 3), weight, shape, shape, NORMALIZATION, stem);
    assert.ok(made);
    for (let o = 0; o < 4; o++) checkChannel(made, o, largest);
  }
  assert.ok(
    pixelConv(attrs(4, 7, 3), weight, shape, shape, NORMALIZATION)?.weight instanceof Int16Array,
    'the default',
  );

  function checkChannel(made: PixelConvWork, o: number, largest: number) {
    const row = [...made.weight.subarray(o * 147, (o + 1) * 147)];
    const folded = [...weight.subarray(o * 147, (o + 1) * 147)].map(
      (w, k) => w / (255 * (NORMALIZATION.std[k % 3] as number)),
    );
    const q = made.scale[o] as number;
    const magnitudes = row.reduce((sum, w) => sum + Math.abs(w), 0);
    assert.ok(255 * magnitudes < 2 ** 31);
    if (o === 3) assert.deepEqual([q, magnitudes], [0, 0]);
    else assert.equal(Math.max(...row.map(Math.abs)), largest);
    for (const [k, w] of folded.entries()) assert.ok(Math.abs(w - q * (row[k] as number)) <= q * 0.5000001);
  }
});

test('many equal taps get a larger step, no larger than they need', () => {
  const kernel = 13; // 507 taps of ±32767 would sum to 4.2e9
  const shape = { channels: 3, height: 13, width: 13 };
  const weight = Float32Array.from({ length: kernel * kernel * 3 }, (_, i) => (i % 2 === 0 ? 1 : -1));
  const made = pixelConv(
    attrs(1, kernel, 0),
    weight,
    shape,
    { channels: 1, height: 1, width: 1 },
    { mean: [0, 0, 0], std: [1, 1, 1] },
  );
  const sum = 255 * [...(made?.weight ?? [])].reduce((total, w) => total + Math.abs(w), 0);
  assert.ok(sum < 2 ** 31 && sum > 2 ** 31 * 0.999, `${sum}`);
});

test('what integers cannot hold is refused', () => {
  const shape = { channels: 3, height: 1, width: 1 };
  const refused = (weight: number, mean = 0.5) =>
    pixelConv(attrs(1, 1, 0), new Float32Array(3).fill(weight), shape, shape, {
      mean: [mean, mean, mean],
      std: [1, 1, 1],
    }) === null;
  assert.equal(refused(1), false);
  assert.equal(refused(1e-36), true, 'the step is not a normal float');
  assert.equal(refused(3e38, 1e10), true, 'the bias overflows');
});

test('the bias is that of the taps inside the image', () => {
  const weight = Float32Array.of(1, 2, 4, 8); // 2×2, one channel
  const input = { channels: 1, height: 1, width: 1 };
  const one: ConvAttrs = { ...attrs(1, 2, 1), kernel: [2, 2] };
  const made = pixelConv(one, weight, input, { channels: 1, height: 2, width: 2 }, { mean: [0.5], std: [0.25] });
  assert.deepEqual([...(made?.bias ?? [])], [-16, -8, -4, -2]);
});

const small = fc.integer({ min: 1, max: 5 });
const stem = fc.record({
  height: fc.integer({ min: 1, max: 20 }),
  width: fc.integer({ min: 1, max: 20 }),
  channels: fc.constantFrom(1, 2, 3, 4, 5),
  outChannels: fc.integer({ min: 1, max: 40 }),
  kernel: fc.tuple(small, small),
  stride: fc.tuple(small, small),
  dilation: fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 3)),
  padding: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)),
  bias: fc.boolean(),
  pixelStem: fc.constantFrom('int16', 'int8'),
  seed: fc.nat(10_000),
});

test('the stem from pixels is the integer sum, and near the stem from floats, on every ISA', async (t) => {
  const isas = native()
    .isas.filter(({ supported }) => supported)
    .map(({ name }) => name);
  let cases = 0;
  const property = fc.asyncProperty(stem, async ({ height, width, channels, seed, pixelStem, ...options }) => {
    const b = new GraphBuilder('stem');
    const x = b.input({ channels, height, width });
    let y: ReturnType<typeof b.conv>;
    try {
      y = b.conv(x, { ...options, name: 'stem' });
    } catch (error) {
      if ((error as BitpathError).code === 'ERR_BITPATH_SHAPE') return; // the window does not fit
      throw error;
    }
    b.output('stem', y);
    b.output('after', b.binaryConv(b.sign(y), { outChannels: 3, kernel: 1 }));
    const graph = b.build();
    const params = randomParams(graph, seed);
    const normalization = {
      mean: Array.from({ length: channels }, (_, c) => 0.4 + c / 20),
      std: Array.from({ length: channels }, (_, c) => 0.2 + c / 30),
    };
    const pixels = Uint8Array.from(
      { length: 2 * height * width * channels },
      (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255,
    );
    const floats = normalized(pixels, 2, channels, normalization);
    let first: Float32Array | undefined;
    for (const isa of isas) {
      using executor = await compile(graph, params, { isa, threads: 1, batch: 2, normalization, pixelStem });
      const kernel = executor.describe().instructions.find(({ op }) => op === 'pixelConv')?.kernel ?? '';
      assert.match(kernel, pixelStem === 'int8' && (isa === 'avx512' || isa === 'scalar') ? /_int8$/ : /_int16$/);
      const ops = executor.describe().instructions.map(({ op, input }) => `${op} ${input}`);
      assert.ok(ops.includes('pixelConv uint8') && ops.includes('conv float32'), ops.join());
      const actual = executor.runSync(pixels)['stem']?.data as Float32Array;
      const near = executor.runSync(floats)['stem']?.data as Float32Array;
      first ??= expected();
      assert.deepEqual(actual, first, isa);
      const largest = near.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
      for (const [i, v] of actual.entries()) {
        assert.ok(
          Math.abs(v - (near[i] as number)) <= (pixelStem === 'int8' ? 0.1 : 2e-3) * (1 + largest),
          `${v} ${near[i]}`,
        );
      }
      cases++;
    }

    function expected(): Float32Array {
      const weights = params.get('stem.weight')?.data as Float32Array;
      const bias = params.get('stem.bias')?.data as Float32Array | undefined;
      const [kh, kw] = options.kernel;
      const ordered = new Float32Array(weights.length);
      for (let o = 0; o < options.outChannels; o++)
        for (let c = 0; c < channels; c++)
          for (let k = 0; k < kh * kw; k++)
            ordered[(o * kh * kw + k) * channels + c] = weights[(o * channels + c) * kh * kw + k] as number;
      const made = pixelConv({ ...options, groups: 1 }, ordered, x.shape, y.shape, normalization, pixelStem);
      assert.ok(made);
      const out = new Float32Array(2 * options.outChannels * y.shape.height * y.shape.width);
      const xClasses = Math.max(...made.xClass) + 1;
      let at = 0;
      for (let n = 0; n < 2; n++)
        for (let o = 0; o < options.outChannels; o++)
          for (let oy = 0; oy < y.shape.height; oy++)
            for (let ox = 0; ox < y.shape.width; ox++) {
              let sum = 0;
              for (let i = 0; i < kh; i++)
                for (let j = 0; j < kw; j++)
                  for (let c = 0; c < channels; c++) {
                    const py = oy * options.stride[0] - options.padding[0] + i * options.dilation[0];
                    const px = ox * options.stride[1] - options.padding[1] + j * options.dilation[1];
                    if (py < 0 || py >= height || px < 0 || px >= width) continue;
                    const pixel = pixels[((n * height + py) * width + px) * channels + c] as number;
                    sum += pixel * (made.weight[((o * kh + i) * kw + j) * channels + c] as number);
                  }
              const index =
                ((made.yClass[oy] as number) * xClasses + (made.xClass[ox] as number)) * options.outChannels + o;
              const v = fmaf(Math.fround(sum), made.scale[o] as number, made.bias[index] as number);
              out[at++] = bias === undefined ? v : fmaf(v, 1, bias[o] as number);
            }
      return out;
    }
  });
  await fc.assert(property, { numRuns: 150, seed: 5 });
  t.diagnostic(`${cases} cases on ${isas.join(', ')}`);
  assert.ok(cases > 100 * isas.length);
});

/** NHWC pixels as normalised NCHW floats. */
function normalized(
  pixels: Uint8Array,
  images: number,
  channels: number,
  { mean, std }: typeof NORMALIZATION,
): Float32Array {
  const area = pixels.length / images / channels;
  return Float32Array.from({ length: pixels.length }, (_, i) => {
    const c = Math.floor(i / area) % channels;
    const n = Math.floor(i / (area * channels));
    return (
      ((pixels[(n * area + (i % area)) * channels + c] as number) / 255 - (mean[c] as number)) / (std[c] as number)
    );
  });
}

test('where anything but a plain conv reads the input, pixels become a normalised float map', async () => {
  const b = new GraphBuilder('other');
  const x = b.input({ channels: 3, height: 5, width: 4 });
  b.output('pooled', b.maxPool(x, { kernel: 2, stride: 1 }));
  b.output('conv', b.conv(x, { outChannels: 6, kernel: 3, groups: 3 }));
  const graph = b.build();
  const params = randomParams(graph, 0);
  const pixels = Uint8Array.from({ length: 60 }, (_, i) => (i * 37) & 255);
  using executor = await compile(graph, params, { normalization: NORMALIZATION });
  assert.deepEqual(
    executor.describe().instructions.map(({ op, input }) => `${op} ${input}`),
    ['input float32', 'input uint8', 'maxPool any', 'conv any'],
  );
  const floats = Float32Array.from({ length: 60 }, (_, i) => {
    const c = Math.floor(i / 20);
    const [mean, std] = [NORMALIZATION.mean[c] as number, NORMALIZATION.std[c] as number];
    return fmaf(pixels[(i % 20) * 3 + c] as number, Math.fround(1 / (255 * std)), Math.fround(-mean / std));
  });
  assert.deepEqual(executor.runSync(pixels), executor.runSync(floats));
});
