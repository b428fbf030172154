/** The page's look: light and dark, from a phone's width up. All sizes follow the reader's text size. */
export const PAGE_STYLE = `:root { color-scheme: light dark;
  --paper: #ffffff; --panel: #f4f5f8; --ink: #16181d; --muted: #565c68; --line: #d5d9e0; --edge: #767d8a;
  --accent: #0b5cad; --on-accent: #ffffff; --first: #0072b2; --second: #c44f00; --track: #e6e9ef; --problem: #a8231c; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14161a; --panel: #1d2026; --ink: #eceef2; --muted: #a6adba; --line: #2e333c; --edge: #7d8594;
  --accent: #7db8f0; --on-accent: #10141a; --first: #56b4e9; --second: #f08c3a; --track: #2b3039; --problem: #ff9d94; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1.25rem 2rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, h4, p, ol { margin: 0; padding: 0; }
a { color: var(--accent); }
button, select, input, .button { font: inherit; color: inherit; min-height: 2.75rem; border: 1px solid var(--edge); border-radius: .5rem;
  background: var(--paper); padding: .5rem 1rem; }
button, .button, select { cursor: pointer; }
button:hover, .button:hover, select:hover { border-color: var(--accent); }
:focus-visible, .button:focus-within { outline: 3px solid var(--accent); outline-offset: 2px; }
h4:focus { outline: none; }
.hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.note, .size, .state, .times { color: var(--muted); font-size: .875rem; }
.problem { color: var(--problem); }
.problem::first-letter { text-transform: uppercase; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.spread { justify-content: space-between; }

header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; margin-bottom: 1.25rem; }
header h1 { font-size: 1.5rem; line-height: 1.3; letter-spacing: -.01em; }
header p { color: var(--muted); flex: 1 1 12rem; }
header a { display: inline-block; padding: .5rem 0; }
footer { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; margin-top: 2.5rem;
  padding-top: 1rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .875rem; }

#key, #trouble { padding: 1rem 1.25rem; margin-bottom: 1.25rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--panel); }
#key label { display: block; font-weight: 600; margin-bottom: .5rem; }
#key input { flex: 1 1 14rem; min-width: 0; }
#key p { margin-top: .5rem; }
#trouble { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; }

fieldset { border: 0; margin: 0 0 1rem; padding: 0; min-width: 0; display: grid; gap: .75rem 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); }
.field { min-width: 0; }
.field label { display: block; font-size: .875rem; color: var(--muted); margin-bottom: .25rem; }
select { width: 100%; min-width: 0; text-overflow: ellipsis; appearance: none; padding-right: 2.25rem;
  background-image: linear-gradient(45deg, transparent 50%, var(--muted) 50%), linear-gradient(135deg, var(--muted) 50%, transparent 50%);
  background-position: right 1.25rem top 55%, right .85rem top 55%; background-size: .4rem .4rem; background-repeat: no-repeat; }
fieldset:disabled select { cursor: default; color: var(--muted); }

#intake { border: 2px dashed var(--edge); border-radius: .75rem; background: var(--panel); padding: 1.5rem 1rem; text-align: center; }
.dragging #intake { border-color: var(--accent); border-style: solid; background: color-mix(in srgb, var(--accent) 14%, var(--paper)); }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; justify-content: center; }
.button { position: relative; display: inline-flex; align-items: center; justify-content: center; background: var(--accent); color: var(--on-accent);
  border-color: var(--accent); font-weight: 600; }
.button:hover { background: color-mix(in srgb, var(--accent) 88%, var(--ink)); }
.button.touch { background: var(--paper); color: var(--ink); border-color: var(--edge); }
.button input { position: absolute; inset: 0; width: 100%; height: 100%; min-height: 0; opacity: 0; cursor: inherit; font-size: 0; }
#intake .note { margin-top: .75rem; }
#notices p { color: var(--problem); margin-top: .75rem; }
.touch { display: none !important; }
@media (any-pointer: coarse) { .touch { display: inline-flex !important; } }
@media not all and (any-pointer: fine) { .pointer { display: none; } }

#results { margin-top: 1.75rem; }
#results-title { font-size: 1.125rem; }
#cards { list-style: none; }
.card { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: 1rem 1.5rem; padding: 1.25rem 0; border-bottom: 1px solid var(--line); }
.card:last-child { border-bottom: 0; }
.picture img { display: block; width: 100%; max-height: 14rem; object-fit: contain; object-position: left top; border-radius: .5rem; }
.picture h3 { font-size: .9375rem; line-height: 1.35; margin-top: .5rem; }
.columns { display: grid; gap: 1.25rem 2rem; align-content: start; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
.column { --bar: var(--first); min-width: 0; }
.column:nth-child(2) { --bar: var(--second); }
.column h4 { font-size: .9375rem; line-height: 1.35; padding-left: 1.1rem; position: relative; }
.column h4::before { content: ""; position: absolute; left: 0; top: .3rem; width: .7rem; height: .7rem; border-radius: .2rem; background: var(--bar); }
.column .problem, .column .state, .times { margin: .25rem 0 .5rem; }
.times b { white-space: nowrap; font-weight: 600; color: var(--ink); font-variant-numeric: tabular-nums; }
.bars { list-style: none; }
.bars li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .15rem .75rem; margin-top: .6rem; line-height: 1.35; }
.bars li:first-child { font-weight: 600; }
.value { font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { grid-column: 1 / -1; height: .5rem; border-radius: .25rem; background: var(--track); overflow: hidden; }
.bar span { display: block; height: 100%; min-width: 2px; background: var(--bar); border-radius: inherit; animation: grow .35s ease-out; transform-origin: left; }
.busy::after { content: ""; display: inline-block; width: .75em; height: .75em; margin-left: .5em; border: 2px solid var(--edge); border-top-color: transparent;
  border-radius: 50%; animation: turn .9s linear infinite; vertical-align: -.05em; }
@keyframes grow { from { transform: scaleX(0); } }
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .bar span { animation: none; } .busy::after { content: "…"; border: 0; animation: none; margin: 0; } }
@media (forced-colors: active) { .bar { border: 1px solid CanvasText; } .bar span { background: CanvasText; forced-color-adjust: none; } }
@media (max-width: 40rem) {
  body { padding: 1rem 1rem 1.5rem; }
  .card { grid-template-columns: minmax(0, 1fr); }
  .picture { display: grid; grid-template-columns: 7rem minmax(0, 1fr); column-gap: 1rem; align-content: start; }
  .picture > :first-child { grid-row: 1 / span 3; }
  .picture img { max-height: 10rem; }
  .picture h3 { margin-top: 0; }
}
`;

/** Five bars that shrink, as the results do. */
export const PAGE_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b5cad"/><path d="M3 4h10v2H3zm0 3h7v2H3zm0 3h4v2H3z" fill="#fff"/></svg>
`;
