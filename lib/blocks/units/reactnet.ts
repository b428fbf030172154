import { type AfterAdd, type Branch, binaryUnit } from '../unit.js';
import { conv3x3 } from './conv.js';

/**
 * Sign with a threshold for each channel, s(x + a) with `threshold` = −a, then conv and BatchNorm. With one number for all
 * channels it is the shifted sign of IA-BNN (unbalanced activations).
 */
export const shiftedSignUnit: Branch = (graph, x, options) =>
  graph.scope(options.name, () => {
    const bits = graph.sign(x, { name: 'sign', threshold: true });
    return graph.batchNorm(conv3x3(graph, bits, options, { scale: true }), { name: 'bn' });
  });

/** RPReLU: PReLU(y + b) + d, with b, d and the slope for each channel: `rprelu.0.bias`, `rprelu.1.weight`, `rprelu.2.bias`. */
export const rPRelu: AfterAdd = (graph, y, { name }) =>
  graph.scope(`${name}.rprelu`, () =>
    graph.bias(graph.prelu(graph.bias(y, { name: '0' }), { name: '1' }), { name: '2' }),
  );

/** ReActNet: y = RPReLU(BN(s(x + a) ⊛ W_b) + shortcut), the RPReLU after the add, the shortcut from before the shift. */
export const reactNetUnit = { branch: shiftedSignUnit, after: rPRelu };

/**
 * FTBNN, as we read its abstract ("proper non-linear modules"): y = PReLU(BN(s(x) ⊛ W_b)), a slope for each channel, beside the
 * shortcut.
 */
export const ftUnit: Branch = (graph, x, options) => {
  const y = binaryUnit(graph, x, options);
  return graph.prelu(y, { name: `${options.name}.prelu` });
};
