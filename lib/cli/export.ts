/** `bitpath export`: a network as an ONNX model. */
import type { Command } from 'commander';
import { integerOption, jsonOption, newCommand } from './command.js';
import { findNetwork } from './find.js';
import { bytes } from './format.js';
import { writeJson, writeLines } from './output.js';

interface Options {
  readonly opset: number;
  readonly json?: true;
}

export function exportCommand(): Command {
  return newCommand('export')
    .summary('write a network as an ONNX model')
    .description('Writes a network as an ONNX model of standard ops, which other engines run.')
    .argument(
      '<model-or-architecture>',
      'a shipped model, a .safetensors file, or an architecture (gets random weights)',
    )
    .argument('<out.onnx>', 'the file to write')
    .addOption(integerOption('--opset <n>', 'version of ONNX’s operator set', 9, 28).default(17))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Weights of 1 bit take 32 there: standard ops work with float32.

Examples:
  $ bitpath export igp-resnet37-41-reactnet-tiny-imagenet out.onnx
  $ bitpath export binary-resnet18 out.onnx --opset 13`,
    )
    .action(exportNetwork);
}

async function exportNetwork(name: string, path: string, { opset, json }: Options): Promise<void> {
  const [{ model, isRandom }, { toOnnx }, { writeOnnxFile }] = await Promise.all([
    findNetwork(name),
    import('../onnx/export.js'),
    import('../onnx/proto/file.js'),
  ]);
  const onnx = toOnnx(model, { opset });
  await writeOnnxFile(path, onnx);
  const { nodes, outputs, values } = model.graph;
  const dims = (id: number) => {
    const { channels, height, width } = values[id]?.shape ?? { channels: 0, height: 0, width: 0 };
    return height * width === 1 && id !== input?.output ? ['N', channels] : ['N', channels, height, width];
  };
  const input = nodes.find(({ op }) => op === 'input');
  const inputs = [{ name: input?.name ?? '', dims: dims(input?.output ?? 0) }];
  const results = outputs.map((output) => ({ name: output.name, dims: dims(output.value) }));
  if (json) {
    writeJson('bitpath.export/1', {
      model: model.name,
      randomParameters: isRandom,
      file: path,
      bytes: onnx.length,
      opset,
      inputs,
      outputs: results,
    });
    return;
  }
  const list = (tensors: typeof inputs) =>
    tensors.map((tensor) => `${tensor.name} ${tensor.dims.join('×')}`).join(', ');
  writeLines([
    `${path}: ${bytes(onnx.length)}, opset ${opset}, ${list(inputs)} → ${list(results)}` +
      (isRandom ? '; weights are random' : ''),
  ]);
}
