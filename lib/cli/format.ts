/** Plain text for people: aligned columns, bars, numbers with units. */

/** Columns of the terminal behind stdout; no limit for files and pipes. */
export function terminalWidth(): number {
  return process.stdout.isTTY ? (process.stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
}

/** Scripts whose characters take two columns, and emoji. */
const WIDE =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\uff01-\uff60\u3000-\u303e]/u;
const segmenter = new Intl.Segmenter();

/** Columns that `text` takes on a terminal. */
export function textWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the quick way
  if (/^[\u0000-\u007f]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** `text`, or as much of it as fits into `width` columns with "…" after it. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of segmenter.segment(text)) {
    used += textWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`;
}

/** A bar of `width` columns for `fraction` in 0 … 1, in steps of half a column. */
export function bar(fraction: number, width: number): string {
  const halves = Math.round(fraction * width * 2);
  return `${'█'.repeat(halves >> 1)}${halves % 2 === 1 ? '▌' : ''}`.padEnd(width);
}

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Lines of an aligned table, titles first. The last column is cut where a line would be longer than `width`. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, c) => Math.max(...all.map((row) => textWidth(row[c] ?? ''))));
  return all.map((row) => {
    const cells = columns.map(({ align }, c) => {
      const text = row[c] ?? '';
      const fill = ' '.repeat((widths[c] ?? 0) - textWidth(text));
      return align === 'right' ? fill + text : text + fill;
    });
    return cut(cells.join('  ').trimEnd(), width);
  });
}

/** `name` and text in two columns; long texts go on below, under their own column. */
export function facts(pairs: readonly (readonly [name: string, text: string])[], width: number): string[] {
  const indent = Math.max(...pairs.map(([name]) => name.length)) + 2;
  return pairs.flatMap(([name, text]) => {
    return wrap(text, width - indent).map((line, i) => `${(i === 0 ? name : '').padEnd(indent)}${line}`);
  });
}

/** Breaks `text` at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** 1234567 → "1.23 M". */
export function short(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size) return `${threeDigits(value / size)} ${unit}`;
  }
  return String(value);
}

/** In the units of decimal file sizes. */
export function bytes(value: number): string {
  return value < 1000 ? `${value} B` : `${short(value)}B`;
}

/** 0.1234 → "12.3 %". */
export function percent(fraction: number, digits = 1): string {
  return `${(fraction * 100).toFixed(digits)} %`;
}

export function milliseconds(value: number): string {
  return value < 1000 ? `${threeDigits(value)} ms` : `${threeDigits(value / 1000)} s`;
}

function threeDigits(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

/** "1 picture", "2 pictures". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
