/** The protocol's response → what a caller reads. */
import { argumentError, unknownName } from '../check.js';
import {
  type Classification,
  type Datatype,
  type DatatypeArrays,
  decodeClassification,
  type InferResponse,
} from '../protocol/index.js';
import type { InferResult, OutputTensor } from './types.js';

const decoder = new TextDecoder();

export function makeResult(response: InferResponse): InferResult {
  const outputs = response.outputs as readonly OutputTensor[];
  function output<D extends Datatype = Datatype>(name: string, datatype?: D): OutputTensor<D> {
    const found = outputs.find((one) => one.name === name);
    if (found === undefined) {
      throw unknownName(
        'output',
        name,
        outputs.map((one) => one.name),
      );
    }
    if (datatype === undefined || found.datatype === datatype) return found as OutputTensor<D>;
    throw argumentError(`output ${JSON.stringify(name)}`, `datatype ${datatype}`, found.datatype);
  }
  const elements = (name: string) => output(name, 'BYTES').data as DatatypeArrays['BYTES'];
  return {
    modelName: response.model_name,
    modelVersion: response.model_version,
    id: response.id,
    parameters: response.parameters,
    outputs,
    output,
    strings: (name) => elements(name).map((bytes) => decoder.decode(bytes)),
    classes(name) {
      const all = elements(name).map(decodeClassification);
      const { shape } = output(name);
      const k = Math.max(1, shape.at(-1) ?? 1);
      const rows: Classification[][] = [];
      for (let at = 0; at < all.length; at += k) rows.push(all.slice(at, at + k));
      return rows;
    },
  };
}
