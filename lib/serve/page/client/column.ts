/** What one model says about one picture, or why it does not. */
import { type Classified, classify, Failure, type Prediction } from './api.js';
import { element } from './element.js';
import { milliseconds, percent } from './words.js';

/** How often a busy server is asked again before a person has to, and the longest wait in between, in seconds. */
const ATTEMPTS = 4;
const LONGEST_WAIT = 10;

let count = 0;

export class Column {
  readonly element: HTMLElement;
  readonly model: string;
  isWaiting = true;
  readonly #file: File;
  readonly #content = element('div');
  readonly #onRetry: () => void;

  /** `onRetry` is called once the column waits again, because somebody wishes so. */
  constructor(model: string, file: File, onRetry: () => void) {
    this.model = model;
    this.#file = file;
    this.#onRetry = onRetry;
    const id = `column-${count++}`;
    this.element = element(
      'div',
      { class: 'column', role: 'group', 'aria-labelledby': id },
      element('h4', { id, tabindex: '-1' }, model),
      this.#content,
    );
    this.#say('Waiting');
  }

  /** Asks the server and shows what it answers; resolves to that in words. */
  async ask(): Promise<string> {
    this.isWaiting = false;
    this.#say('Asking the network', true);
    try {
      const answer = await this.#classify();
      this.#show(answer);
      const [best] = answer.predictions;
      return best === undefined ? 'no class' : `${best.name}, ${percent(best.probability)}`;
    } catch (error) {
      const { message } = error as Error;
      this.#fail(message, !(error instanceof Failure) || error.mayPass);
      return message;
    }
  }

  async #classify(): Promise<Classified> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await classify(this.#file, this.model);
      } catch (error) {
        if (!(error instanceof Failure) || error.retryAfter === null || attempt === ATTEMPTS) throw error;
        this.#say(`${error.message.replace(/\.?$/, '.')} Trying again`, true);
        const seconds = Math.min(Math.max(error.retryAfter, 0.5), LONGEST_WAIT);
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      }
    }
  }

  #say(text: string, isBusy = false): void {
    this.element.setAttribute('aria-busy', String(isBusy));
    this.#content.replaceChildren(element('p', { class: isBusy ? 'state busy' : 'state' }, text));
  }

  #show({ predictions, compute, whole }: Classified): void {
    this.element.setAttribute('aria-busy', 'false');
    this.#content.replaceChildren(
      element(
        'p',
        { class: 'times' },
        'Network ',
        element('b', {}, milliseconds(compute)),
        ' · whole request ',
        element('b', {}, milliseconds(whole)),
      ),
      element('ol', { class: 'bars' }, ...predictions.map(bar)),
    );
  }

  #fail(message: string, mayPass: boolean): void {
    this.element.setAttribute('aria-busy', 'false');
    this.#content.replaceChildren(element('p', { class: 'problem' }, message));
    if (!mayPass) return;
    const again = element('button', { type: 'button' }, 'Try again');
    again.addEventListener('click', () => {
      this.element.querySelector('h4')?.focus(); // as the button goes away
      this.isWaiting = true;
      this.#say('Waiting');
      this.#onRetry();
    });
    this.#content.append(again);
  }
}

function bar({ name, probability }: Prediction): HTMLElement {
  const length = element('span');
  // A rule in an attribute would be against the page's policy; one set here is not.
  length.style.inlineSize = `${probability * 100}%`;
  return element(
    'li',
    {},
    element('span', { class: 'name' }, name),
    element('span', { class: 'value' }, percent(probability)),
    element('span', { class: 'bar', 'aria-hidden': 'true' }, length),
  );
}
