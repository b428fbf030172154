/** HTML in which nothing that comes from a file can become markup: the tag `html` escapes every value that is not Markup itself. */

export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Insert = string | number | Markup | null | undefined | false | readonly Insert[];

export function html(parts: TemplateStringsArray, ...values: readonly Insert[]): Markup {
  return new Markup(parts.reduce((text, part, i) => text + insert(values[i - 1]) + part));
}

function insert(value: Insert): string {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(insert).join('');
  if (value === null || value === undefined || value === false) return '';
  return escapeHtml(String(value));
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (char) => ENTITIES[char] as string);
}

/** `text` in one line, with characters that would steer a terminal or turn the writing direction made visible. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** `text` in at most `length` characters. */
export function shortened(text: string, length: number): string {
  const chars = [...text];
  return chars.length <= length ? text : `${chars.slice(0, length - 1).join('')}…`;
}

export interface Column {
  readonly title: string;
  /** Numbers stand right; the first column of a row is its name. */
  readonly align?: 'left' | 'right';
}

/** A table in a box that scrolls sideways where the page is narrower. The first column is each row's header. */
export function tableOf(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Insert[])[],
  foot?: readonly Insert[],
): Markup {
  const cells = (row: readonly Insert[]) =>
    columns.map(({ align }, i) => {
      const attributes = new Markup(align === 'right' ? ' class="number"' : '');
      return i === 0 ? html`<th scope="row"${attributes}>${row[i]}</th>` : html`<td${attributes}>${row[i]}</td>`;
    });
  const titles = columns.map(
    ({ title, align }) => html`<th scope="col"${new Markup(align === 'right' ? ' class="number"' : '')}>${title}</th>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${titles}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody>
${foot === undefined ? '' : html`<tfoot><tr>${cells(foot)}</tr></tfoot>\n`}</table></div>
`;
}

/** A part of the page that is folded until somebody wants it. */
export function folded(title: string, content: Insert): Markup {
  return html`<details><summary>${title}</summary>\n${content}</details>\n`;
}
