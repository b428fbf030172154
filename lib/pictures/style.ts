/**
 * Colours of the pictures, as classes: plain values, so that viewers without CSS variables draw them too; dark where the
 * reader's screen is. Nothing is told by colour alone: levels have dashes and numbers, kinds of boxes have shapes.
 */

/** Okabe and Ito's hues, dark enough for text on paper; the dashes of the lines. */
export const LEVELS = [
  { light: '#0072b2', dark: '#56b4e9', dash: '' },
  { light: '#c44f00', dark: '#f08c3a', dash: '9 5' },
  { light: '#00805c', dark: '#35c79a', dash: '0.1 6' },
  { light: '#a24c83', dark: '#dd93bf', dash: '14 4 2 4' },
  { light: '#6b5b00', dark: '#e0cc4a', dash: '4 4' },
] as const;

/** As many levels can be told apart. */
export const MOST_LEVELS = LEVELS.length;

const LIGHT = {
  paper: '#ffffff',
  panel: '#f3f4f7',
  ink: '#16181d',
  muted: '#565c68',
  edge: '#6b7280',
  grid: '#d5d9e0',
};
const DARK = { paper: '#14161a', panel: '#22262d', ink: '#eceef2', muted: '#a6adba', edge: '#9aa2b0', grid: '#3a404b' };

function colours(palette: typeof LIGHT, mode: 'light' | 'dark'): string {
  const { paper, panel, ink, muted, edge, grid } = palette;
  const levels = LEVELS.map((level, i) => {
    const colour = level[mode];
    return `.bp .l${i + 1}{stroke:${colour}}.bp .f${i + 1}{fill:${colour}}`;
  });
  return `.bp .paper{fill:${paper}}.bp .panel{fill:${panel}}.bp .ink,.bp text{fill:${ink}}.bp .muted{fill:${muted}}.bp .on{fill:${paper}}
.bp .casing{stroke:${paper}}.bp .border{stroke:${ink}}.bp .edge{stroke:${edge}}.bp .tip{fill:${edge}}.bp .grid{stroke:${grid}}.bp .bar{fill:${muted}}
${levels.join('')}`;
}

/** For a picture by itself, or for a page. */
export const PICTURE_STYLE = `.bp{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;font-size:12px}
.bp .title{font-size:15px;font-weight:600}.bp .name{font-weight:600;font-size:13px}.bp .small{font-size:11px}.bp .mark{font-size:11px;font-weight:700}
.bp .lane,.bp .casing,.bp .edge,.bp .hollow{fill:none}.bp .lane{stroke-width:3;stroke-linecap:butt}.bp .round{stroke-linecap:round;stroke-width:3.6}.bp .casing{stroke-width:6}.bp .edge{stroke-width:1.4}
.bp .border{stroke-width:1.4}.bp .thin{stroke-width:1}
${colours(LIGHT, 'light')}
@media screen and (prefers-color-scheme:dark){${colours(DARK, 'dark')}}
`;
