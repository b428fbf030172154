/** Types of `bitpath`: compiled, never run. A line below `@ts-expect-error` must not compile. */
import {
  type AnyNode,
  BitpathError,
  binaryUnit,
  biReal,
  buildArchitecture,
  type CompileOptions,
  compile,
  type createModel,
  type Dataset,
  type ErrorCode,
  type Executor,
  type ExecutorDescription,
  GraphBuilder,
  type Graph,
  type GraphJson,
  getUnit,
  graphFromJson,
  graphParams,
  graphToJson,
  type ImageClassificationOutput,
  type ImageClassificationPipeline,
  type Isa,
  igpResNet,
  type Label,
  listModels,
  loadModel,
  Model,
  type ModelInfo,
  modelFromBytes,
  type Outputs,
  openDataset,
  type Params,
  type PictureInput,
  pipeline,
  type RunInput,
  type Sample,
  type Shape,
  Tensor,
  type Unit,
  type UnitName,
  type Value,
} from 'bitpath';
import { expectTypeOf } from 'expect-type';

export function builder(graph: GraphBuilder, x: Value, y: Value): void {
  expectTypeOf(new GraphBuilder('g')).toEqualTypeOf<GraphBuilder>();
  expectTypeOf(graph.input({ channels: 3, height: 8, width: 8 })).toEqualTypeOf<Value>();
  expectTypeOf(graph.conv).parameter(1).toHaveProperty('outChannels').toEqualTypeOf<number>();
  expectTypeOf(
    graph.conv(x, { outChannels: 8, kernel: [3, 1], padding: [1, 0, 1, 0], bias: false }),
  ).toEqualTypeOf<Value>();
  expectTypeOf(graph.concat([x, y])).toEqualTypeOf<Value>();
  expectTypeOf(graph.scope('a', () => 7)).toEqualTypeOf<number>();
  expectTypeOf(graph.output('y', x)).toEqualTypeOf<void>();
  expectTypeOf(graph.build()).toEqualTypeOf<Graph>();
  expectTypeOf(biReal(graph, x, { name: 'b', unit: 'reactnet', stride: 2 })).toEqualTypeOf<Value>();
  expectTypeOf(igpResNet(graph, x, { name: 'b', convs: 7, join: 'sum', unit: binaryUnit })).toEqualTypeOf<Value>();
  expectTypeOf(getUnit('xnor').unit).toEqualTypeOf<Unit>();
  expectTypeOf<'reactnet'>().toExtend<UnitName>();
  // @ts-expect-error: a convolution has a kernel
  graph.conv(x, { outChannels: 8 });
  // @ts-expect-error: a misspelt option
  graph.conv(x, { outChannels: 8, kernel: 3, strides: 2 });
  // @ts-expect-error: padding by −1, 0 or 1
  graph.binaryConv(x, { outChannels: 8, kernel: 3, padValue: 2 });
  // @ts-expect-error: nodes, not names, are joined
  graph.add(x, 'y');
  // @ts-expect-error: a unit that is not there
  biReal(graph, x, { name: 'b', unit: 'reacnet' });
  // @ts-expect-error: values are frozen
  x.id = 3;
}

export function graphs(graph: Graph, node: AnyNode): void {
  expectTypeOf(buildArchitecture('bireal-resnet18-64', { inputSize: [64, 32] })).toEqualTypeOf<Graph>();
  expectTypeOf(graphToJson(graph)).toEqualTypeOf<GraphJson>();
  expectTypeOf(graphFromJson).parameter(0).toBeUnknown();
  expectTypeOf(graphParams(graph)).items.toHaveProperty('type').toEqualTypeOf<'float32' | 'bits' | 'int32'>();
  expectTypeOf<ReturnType<typeof createModel>>().toEqualTypeOf<Model>();
  if (node.op === 'binaryConv') expectTypeOf(node.attrs.padValue).toEqualTypeOf<0 | 1 | -1>();
  // @ts-expect-error: attributes of another op
  if (node.op === 'relu') node.attrs.padValue.toFixed();
  // @ts-expect-error: three sides
  buildArchitecture('bireal-resnet18-64', { inputSize: [64, 32, 3] });
  // @ts-expect-error: a graph is frozen
  graph.nodes.push(node);
}

export async function models(graph: Graph, params: Params, model: Model): Promise<void> {
  expectTypeOf(loadModel).parameter(0).toEqualTypeOf<string | URL | Uint8Array | undefined>();
  expectTypeOf(await loadModel()).toEqualTypeOf<Model>();
  expectTypeOf(modelFromBytes(new Uint8Array(8))).toEqualTypeOf<Model>();
  expectTypeOf(await listModels()).toEqualTypeOf<ModelInfo[]>();
  expectTypeOf(new Model({ graph, params, labels: [{ id: 'a', name: 'b' }] })).toEqualTypeOf<Model>();
  expectTypeOf(model.labels).toEqualTypeOf<readonly Label[] | null>();
  expectTypeOf(model.toBytes()).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  expectTypeOf(model.save).parameter(0).toEqualTypeOf<string | URL>();
  // @ts-expect-error: pictures' normalization is the model's to say
  model.compile({ normalization: { mean: [0], std: [1] } });
  // @ts-expect-error: parameters are a Map
  new Model({ graph, params: {} });
  // @ts-expect-error: a model is frozen
  model.name = 'other';
}

export async function executors(executor: Executor, graph: Graph, params: Params): Promise<void> {
  expectTypeOf(
    await compile(graph, params, { threads: 2, batch: 8, isa: 'avx512', pixelStem: 'int8' }),
  ).toEqualTypeOf<Executor>();
  expectTypeOf<CompileOptions['isa']>().toEqualTypeOf<Isa | undefined>();
  expectTypeOf<Isa>().toEqualTypeOf<'scalar' | 'avx2' | 'avx512' | 'neon'>();
  expectTypeOf<RunInput>().toEqualTypeOf<Tensor | Float32Array | Uint8Array | Uint8ClampedArray>();
  expectTypeOf<Buffer>().toExtend<RunInput>();
  expectTypeOf<Float64Array>().not.toExtend<RunInput>();
  expectTypeOf(executor.run).toBeCallableWith(new Float32Array(3), { signal: AbortSignal.timeout(1) });
  expectTypeOf(await executor.run(new Float32Array(3))).toEqualTypeOf<Outputs>();
  expectTypeOf(executor.runSync(new Uint8Array(3))).toEqualTypeOf<Outputs>();
  expectTypeOf((await executor.run(new Float32Array(3)))['logits']).toEqualTypeOf<Tensor<'float32'> | undefined>();
  expectTypeOf(executor.describe({ profile: { runs: 3 } })).toEqualTypeOf<ExecutorDescription>();
  expectTypeOf(executor.clone()).toEqualTypeOf<Executor>();
  expectTypeOf(executor.inputShape).toEqualTypeOf<Shape>();
  expectTypeOf<Executor>().toExtend<Disposable>();
  // @ts-expect-error: no such instruction set
  await compile(graph, params, { isa: 'sse2' });
  // @ts-expect-error: elements of another type
  await executor.run(new Float64Array(3));
  // @ts-expect-error: runSync has no signal
  executor.runSync(new Float32Array(3), { signal: AbortSignal.timeout(1) });
  // @ts-expect-error: an output may not be there
  (await executor.run(new Float32Array(3)))['logits'].data;
}

export function tensors(): void {
  expectTypeOf(new Tensor('float32', [1], new Float32Array(1))).toEqualTypeOf<Tensor<'float32'>>();
  expectTypeOf(new Tensor('uint8', [1], new Uint8Array(1)).data).toEqualTypeOf<Uint8Array>();
  // @ts-expect-error: dtype and array differ
  new Tensor('float32', [1], new Uint8Array(1));
  // @ts-expect-error: no such dtype
  new Tensor('float64', [1], new Float64Array(1));
}

export function errors(error: BitpathError): void {
  expectTypeOf(error.code).toEqualTypeOf<ErrorCode>();
  expectTypeOf<'ERR_BITPATH_ARGUMENT' | 'ERR_BITPATH_ISA' | 'ERR_BITPATH_MISSING_PACKAGE'>().toExtend<ErrorCode>();
  expectTypeOf<ErrorCode>().toExtend<`ERR_BITPATH_${string}`>();
  expectTypeOf<string>().not.toExtend<ErrorCode>();
  expectTypeOf(error.details['index']).toBeUnknown();
  expectTypeOf(new BitpathError('ERR_BITPATH_GRAPH', { reason: 'r' }, { cause: error })).toExtend<Error>();
  // @ts-expect-error: no such code
  new BitpathError('ERR_BITPATH_OTHER');
  // @ts-expect-error: a comparison that is never true
  error.code === 'ERR_BITPATH_ARGUMNET';
}

export async function pipelines(
  classify: ImageClassificationPipeline,
  picture: PictureInput,
  model: Model,
): Promise<void> {
  expectTypeOf(await pipeline('image-classification')).toEqualTypeOf<ImageClassificationPipeline>();
  expectTypeOf(
    await pipeline('image-classification', model, { threads: 1 }),
  ).toEqualTypeOf<ImageClassificationPipeline>();
  expectTypeOf(await pipeline('image-classification', null, { batch: 8 })).toEqualTypeOf<ImageClassificationPipeline>();
  expectTypeOf(await classify('a.jpg', { top_k: 3 })).toEqualTypeOf<ImageClassificationOutput>();
  expectTypeOf(await classify(picture)).toEqualTypeOf<ImageClassificationOutput>();
  expectTypeOf(await classify(['a.jpg', new Blob([])])).toEqualTypeOf<ImageClassificationOutput[]>();
  expectTypeOf(await classify([picture] as const)).toEqualTypeOf<ImageClassificationOutput[]>();
  expectTypeOf(await classify(picture as PictureInput | PictureInput[])).toEqualTypeOf<
    ImageClassificationOutput | ImageClassificationOutput[]
  >();
  expectTypeOf<ImageClassificationOutput[number]>().toEqualTypeOf<{ readonly label: string; readonly score: number }>();
  expectTypeOf<string | URL | Buffer | ArrayBuffer | Blob | File>().toExtend<PictureInput>();
  expectTypeOf<ImageClassificationPipeline>().toExtend<AsyncDisposable>();
  // @ts-expect-error: another task
  await pipeline('object-detection');
  // @ts-expect-error: its name in older versions of transformers.js
  await classify(picture, { topk: 3 });
  // @ts-expect-error: a picture is not a number
  await classify([3]);
  // @ts-expect-error: one picture gives a flat array
  (await classify(picture))[0]?.[0];
  // @ts-expect-error: not an option of a pipeline
  await pipeline('image-classification', model, { dtype: 'q4' });
}

export async function datasets(dataset: Dataset): Promise<void> {
  expectTypeOf(await openDataset('val.bin', { classes: 200, labels: null })).toEqualTypeOf<Dataset>();
  for await (const sample of dataset.samples(10)) expectTypeOf(sample).toEqualTypeOf<Sample>();
  // @ts-expect-error: labels are asked for
  await openDataset('val.bin', { classes: 200 });
}
