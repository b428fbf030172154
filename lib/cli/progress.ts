/** A progress bar on stderr, where that is a terminal; elsewhere nothing. */
import { beforeInterrupt } from './output.js';

export interface Progress {
  /** `note` stands behind the bar. */
  update(done: number, note?: string): void;
  /** Runs `write`, which writes lines to stdout or stderr, with the bar out of the way. */
  around(write: () => void): void;
  /** Takes the bar off the screen. Calling it twice is harmless. */
  stop(): void;
}

const NONE: Progress = { update() {}, around: (write) => write(), stop() {} };

/** Shows a bar for `total` steps, unless one glance would be too short to see it. */
export async function startProgress(total: number): Promise<Progress> {
  if (!process.stderr.isTTY || total < 2) return NONE;
  const { SingleBar } = (await import('cli-progress')).default;
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {value}/{total}{note}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    linewrap: true, // false would turn wrapping off in the terminal itself, and leave it off after a crash
  });
  let done = 0;
  let note = '';
  let shown = false;
  const show = () => {
    bar.start(total, done, { note });
    shown = true;
  };
  const hide = () => {
    if (shown) bar.stop();
    shown = false;
  };
  const forget = beforeInterrupt(hide);
  show();
  return {
    update(steps, text = '') {
      done = steps;
      note = text === '' ? '' : `  ${text}`;
      if (shown) bar.update(done, { note });
    },
    around(write) {
      // The bar restores the cursor to where it began, so nothing else may be written while it stands.
      const wasShown = shown;
      hide();
      write();
      if (wasShown) show();
    },
    stop() {
      hide();
      forget();
    },
  };
}
