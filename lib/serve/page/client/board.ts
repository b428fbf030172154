/** The pictures so far, the newest first, and the questions about them, one after another. */
import { Card } from './card.js';
import { byId } from './element.js';

/** Pictures are large; the oldest go. */
const MOST_CARDS = 20;

export interface BoardOptions {
  readonly models: () => readonly string[];
  /** Tells those who listen instead of looking. */
  readonly speak: (text: string) => void;
}

export class Board {
  readonly #options: BoardOptions;
  readonly #list = byId('cards', HTMLOListElement);
  readonly #section = byId('results', HTMLElement);
  #cards: Card[] = [];
  #isWorking = false;

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  add(files: readonly File[]): void {
    const cards = files.slice(0, MOST_CARDS).map((file) => new Card(file, () => this.#work()));
    this.#list.prepend(...cards.map(({ element }) => element));
    const all = [...cards, ...this.#cards];
    for (const card of all.splice(MOST_CARDS)) card.remove();
    this.#cards = all;
    this.#section.hidden = false;
    this.show();
  }

  /** Shows the models that are chosen now, and asks those that were not asked yet. */
  show(): void {
    const models = this.#options.models();
    for (const card of this.#cards) card.show(models);
    void this.#work();
  }

  clear(): void {
    for (const card of this.#cards) card.remove();
    this.#cards = [];
    this.#section.hidden = true;
  }

  /** One question at a time: those asked together would wait for each other, and their times would say nothing. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (;;) {
      const card = this.#cards.find(({ waiting }) => waiting !== undefined);
      const column = card?.waiting;
      if (card === undefined || column === undefined) break;
      const said = await column.ask();
      this.#options.speak(`${card.file.name}, ${column.model}: ${said}`);
    }
    this.#isWorking = false;
  }
}
