/** A picture as SVG text: by itself in a file, or in a page that has the style. */
import { html, Markup } from '../bench/reportMarkup.js';
import type { Size } from './layout.js';
import { PICTURE_STYLE } from './style.js';

export interface Picture extends Size {
  readonly title: string;
  /** What a reader who cannot see it should know. */
  readonly description: string;
  readonly content: Markup;
}

/** `id` is unique in its page and begins the ids inside: title, description, pattern of hatches. */
export function svgOf({ width, height, title, description, content }: Picture, id: string, inPage: boolean): Markup {
  const style = inPage
    ? ''
    : html`<style>${new Markup(PICTURE_STYLE)}</style>\n<rect class="paper" width="${width}" height="${height}"/>\n`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" class="bp" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${description}</desc>
<defs><pattern id="${id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="edge" d="M0 0V6"/></pattern></defs>
${style}${content}</svg>
`;
}

/** The hatches of binary boxes, of the picture called `id`. */
export function hatch(id: string): string {
  return `url(#${id}-hatch)`;
}
