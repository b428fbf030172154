/** The ways in which pictures come: chosen, photographed, dropped, pasted. */
import { byId } from './element.js';
import { megabytes } from './words.js';

/** Takes the pictures among what came, in its order, and why others were refused. */
export type Take = (pictures: readonly File[], refused: readonly string[]) => void;

export function setUpIntake(take: Take): void {
  const limit = Number(document.body.dataset['bodyBytes']);
  const sort = (files: readonly File[]) => {
    const reasons = files.map((file) => whyNot(file, limit));
    take(
      files.filter((_, i) => reasons[i] === ''),
      reasons.filter((reason) => reason !== ''),
    );
  };

  for (const id of ['choose', 'photograph']) {
    const input = byId(id, HTMLInputElement);
    input.addEventListener('change', () => {
      sort([...(input.files ?? [])]);
      input.value = ''; // the same file may be chosen again
    });
  }

  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) {
      event.preventDefault();
      sort(files);
    } else if (!(event.target instanceof HTMLInputElement)) take([], ['What was pasted holds no picture.']);
  });

  const { classList } = document.documentElement;
  const holdsFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files') ?? false;
  document.addEventListener('dragover', (event) => {
    event.preventDefault(); // or the browser would open what is dropped instead of this page
    if (!holdsFiles(event)) return;
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = 'copy';
    classList.add('dragging');
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) classList.remove('dragging');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    classList.remove('dragging');
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) sort(files);
    else take([], ['What was dropped is no picture file.']);
  });
}

/** Why `file` cannot be a picture for this server; empty where it may be one. The server looks closer. */
function whyNot({ name, type, size }: File, limit: number): string {
  if (type !== '' && !type.startsWith('image/')) return `${name} is not a picture (${type}).`;
  if (size === 0) return `${name} is empty.`;
  if (size > limit) return `${name} is too large: ${megabytes(size)}, and the server takes ${megabytes(limit)}.`;
  return '';
}
