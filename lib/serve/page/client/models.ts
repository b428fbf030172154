/** Which models are asked: one, or two side by side. */
import { byId, element } from './element.js';

const first = byId('model', HTMLSelectElement);
const second = byId('second-model', HTMLSelectElement);

/** Fills the lists; what was chosen stays chosen where it still exists. Two models are shown side by side from the start. */
export function showModels(names: readonly string[]): void {
  const isStart = second.options.length === 0;
  fill(first, names, first.value);
  fill(second, ['', ...names], isStart ? (names.find((name) => name !== first.value) ?? '') : second.value);
  byId('models', HTMLFieldSetElement).disabled = names.length === 0;
  byId('second-field', HTMLDivElement).hidden = names.length < 2;
}

/** One name or two different ones. */
export function chosenModels(): string[] {
  return [...new Set([first.value, second.value])].filter((name) => name !== '');
}

export function onModelsChanged(call: () => void): void {
  first.addEventListener('change', call);
  second.addEventListener('change', call);
}

function fill(select: HTMLSelectElement, names: readonly string[], chosen: string): void {
  select.replaceChildren(...names.map((name) => element('option', { value: name }, name === '' ? 'none' : name)));
  select.value = names.includes(chosen) ? chosen : (names[0] ?? '');
}
