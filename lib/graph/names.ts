/** Names of nodes, outputs and graphs. They become tensor names in model files and keys in reports. */
import { argumentError } from '../check.js';

const LONGEST_NAME = 255;
/** Dotted, as PyTorch's modules: `body.0.u.conv`. Slashes and colons are what ONNX exporters write. */
const NODE_NAME = /^[\w/:-]+(\.[\w/:-]+)*$/;
/** Control characters, and halves of characters, which no file can hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u;

/** `value` if it is a dotted name of letters, digits and `_ - / :`, at most 255 characters. */
export function checkName(argument: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > LONGEST_NAME || !NODE_NAME.test(value)) {
    throw argumentError(
      argument,
      `a dotted name of letters, digits and _ - / : (at most ${LONGEST_NAME} characters)`,
      value,
    );
  }
  return value;
}

/** `value` if it is a line of 1 to 255 printable characters. */
export function checkTitle(argument: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_NAME || UNPRINTABLE.test(value)) {
    throw argumentError(argument, `a line of 1 to ${LONGEST_NAME} characters`, value);
  }
  return value;
}
