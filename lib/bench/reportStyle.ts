/** Light and dark: the charts take their colours from these variables. */
export const PALETTE = `:root { color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f6f8; --ink: #16181d; --muted: #565c68; --grid: #e1e4ea; --link: #0b5cad;
  --series-1: #0072b2; --series-2: #c44f00; --series-3: #00805c; --series-4: #a24c83; --series-5: #6b5b00; --series-6: #2f6fa3; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14161a; --panel: #1d2026; --ink: #eceef2; --muted: #a6adba; --grid: #2e333c; --link: #7db8f0;
  --series-1: #56b4e9; --series-2: #f08c3a; --series-3: #35c79a; --series-4: #dd93bf; --series-5: #e0cc4a; --series-6: #9fc9ea; } }`;

/** The look of the report: light and dark, desktop and phone. */
export const STYLE = `
${PALETTE}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--grid); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .25rem; }
p { max-width: 76ch; margin: .5rem 0; }
a { color: var(--link); }
code { font: .92em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
nav ul, .legend { list-style: none; padding: 0; margin: .75rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; }
.legend { font-size: .85rem; color: var(--muted); margin: .25rem 0; }
.legend svg { vertical-align: -2px; }
.lead, figcaption span, .note { color: var(--muted); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: .6rem 1.5rem; margin: 1.25rem 0; padding: 1rem 1.1rem; background: var(--panel); border-radius: 8px; }
.facts dt { font-size: .8rem; color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: .8rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.tiles li { border: 1px solid var(--grid); border-radius: 8px; padding: .8rem 1rem; }
.tiles b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles .name { overflow-wrap: anywhere; font-weight: 600; }
.tiles small { display: block; font-size: .85rem; color: var(--muted); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 1.5rem 2rem; margin: 1rem 0; align-items: start; }
figure { margin: 0; max-width: 640px; }
figcaption { font-size: .9rem; margin-bottom: .35rem; }
figure svg { display: block; width: 100%; height: auto; }
.narrow { display: none; }
.scroll { overflow-x: auto; margin: .75rem 0; }
.scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; min-width: 100%; }
caption { text-align: left; color: var(--muted); padding: .25rem 0; }
th, td { text-align: left; padding: .3rem .55rem; border-bottom: 1px solid var(--grid); vertical-align: top; white-space: nowrap; }
thead th { border-bottom: 2px solid var(--muted); vertical-align: bottom; font-weight: 600; white-space: normal; }
tbody th { font-weight: 500; }
tfoot th, tfoot td { border-top: 2px solid var(--muted); border-bottom: 0; font-weight: 600; }
th:first-child, td:first-child { padding-left: 0; }
.number { text-align: right; }
.wrap { white-space: normal; min-width: 16ch; max-width: 44ch; overflow-wrap: anywhere; }
tbody small { display: block; color: var(--muted); font-size: .92em; font-weight: 400; }
details { margin: .75rem 0; }
summary { cursor: pointer; color: var(--link); }
.warning { border-left: 4px solid var(--series-2); padding-left: .7rem; font-weight: 600; }
.omitted li { margin: .3rem 0; max-width: 90ch; overflow-wrap: anywhere; }
@media (max-width: 620px) {
  main { padding: 16px 14px 48px; }
  h1 { font-size: 1.45rem; }
  .wide { display: none; } .narrow { display: block; }
  .facts { grid-template-columns: 1fr 1fr; gap: .5rem 1rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .6rem; } .tiles li { padding: .6rem .7rem; } .tiles b { font-size: 1.3rem; }
  th, td { padding: .32rem .5rem; }
}
@media print { .scroll { overflow: visible; } th, td { white-space: normal; } figure, .tiles li { break-inside: avoid; } }
`;
