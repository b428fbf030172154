/** The page: what is where, and who tells whom. */
import { readyModels } from './api.js';
import { setUpKeys } from './apiKey.js';
import { Board } from './board.js';
import { byId, element } from './element.js';
import { setUpIntake } from './intake.js';
import { chosenModels, onModelsChanged, showModels } from './models.js';

const choose = byId('choose', HTMLInputElement);
const trouble = byId('trouble', HTMLDivElement);
const notices = byId('notices', HTMLDivElement);
const spoken = byId('spoken', HTMLParagraphElement);

const board = new Board({
  models: chosenModels,
  speak: (text) => {
    spoken.textContent = text;
  },
});

async function loadModels(): Promise<void> {
  trouble.hidden = true;
  try {
    const names = await readyModels();
    showModels(names);
    if (names.length === 0) fail('No model is ready yet.');
    else board.show();
  } catch (error) {
    fail((error as Error).message);
  }
}

function fail(reason: string): void {
  byId('trouble-text', HTMLParagraphElement).textContent = reason;
  trouble.hidden = false;
}

setUpKeys(() => choose.focus(), loadModels);
setUpIntake((pictures, refused) => {
  notices.replaceChildren(...refused.map((reason) => element('p', {}, reason)));
  if (pictures.length > 0) board.add(pictures);
});
onModelsChanged(() => board.show());
byId('clear', HTMLButtonElement).addEventListener('click', () => {
  board.clear();
  choose.focus();
});
byId('try-again', HTMLButtonElement).addEventListener('click', () => {
  choose.focus(); // as the button goes away
  void loadModels();
});
void loadModels();
