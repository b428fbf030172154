/** One picture with the columns of the models that are asked about it. */
import { Column } from './column.js';
import { element } from './element.js';
import { megabytes } from './words.js';

export class Card {
  readonly element: HTMLElement;
  readonly file: File;
  readonly #columns = new Map<string, Column>();
  #shown: readonly Column[] = [];
  readonly #place = element('div', { class: 'columns' });
  readonly #address: string;
  readonly #onRetry: () => void;

  constructor(file: File, onRetry: () => void) {
    this.file = file;
    this.#onRetry = onRetry;
    this.#address = URL.createObjectURL(file);
    const image = element('img', { src: this.#address, alt: '', decoding: 'async' });
    image.addEventListener('error', () => image.replaceWith(element('p', { class: 'state' }, 'No preview')));
    this.element = element(
      'li',
      { class: 'card' },
      element(
        'div',
        { class: 'picture' },
        image,
        element('h3', {}, file.name),
        element('p', { class: 'size' }, megabytes(file.size)),
      ),
      this.#place,
    );
  }

  /** Shows these models side by side. What one of them has said is kept. */
  show(models: readonly string[]): void {
    this.#shown = models.map((model) => {
      const column = this.#columns.get(model) ?? new Column(model, this.file, this.#onRetry);
      this.#columns.set(model, column);
      return column;
    });
    this.#place.replaceChildren(...this.#shown.map((column) => column.element));
  }

  /** The first of its columns that nobody has asked for yet. */
  get waiting(): Column | undefined {
    return this.#shown.find((column) => column.isWaiting);
  }

  /** Frees the picture. */
  remove(): void {
    this.element.remove();
    URL.revokeObjectURL(this.#address);
  }
}
