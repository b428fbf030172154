/** Triton's model configuration of a served model, in its JSON form. */
import type { ModelMetadata, TensorMetadata } from '../../protocol/index.js';
import type { ServedModelOptions } from './servedModel.js';

export function modelConfig(options: ServedModelOptions, { inputs, outputs, properties = {} }: ModelMetadata): object {
  const { name, batching, instances } = options;
  const { max_batch_size, ...dynamic_batching } = batching;
  return {
    name,
    platform: 'bitpath',
    backend: 'bitpath',
    version_policy: { all: {} },
    max_batch_size,
    input: inputs.map((input) => ({ ...tensor(input), format: 'FORMAT_NCHW' })),
    output: outputs.map(tensor),
    instance_group: [{ name: `${name}_0`, kind: 'KIND_CPU', count: instances }],
    dynamic_batching,
    parameters: Object.fromEntries(Object.entries(properties).map(([key, string_value]) => [key, { string_value }])),
  };
}

/** Dimensions go without the batch. */
function tensor({ name, datatype, shape }: TensorMetadata) {
  return { name, data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`, dims: shape.slice(1) };
}
