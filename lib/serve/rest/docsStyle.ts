/** The look of the page of routes; colours are those of the page for people. */
export const DOCS_STYLE = `
:root { color-scheme: light dark;
  --paper: #ffffff; --panel: #f4f5f8; --ink: #16181d; --muted: #565c68; --line: #d5d9e0; --accent: #0b5cad; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14161a; --panel: #1d2026; --ink: #eceef2; --muted: #a6adba; --line: #2e333c; --accent: #7db8f0; } }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 52rem; padding: 1.5rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.75rem 0 .25rem; }
p { margin: .4rem 0; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
nav ul { list-style: none; padding: 0; margin: .75rem 0 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
nav a { display: inline-block; padding: .25rem 0; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .875rem; }
pre { overflow-x: auto; padding: .75rem 1rem; margin: .6rem 0; background: var(--panel); border-radius: .5rem; }
.method { display: inline-block; min-width: 2.6rem; font-size: .8125rem; letter-spacing: .03em; color: var(--accent); }
dl { margin: .5rem 0 0; color: var(--muted); font-size: .875rem; }
dl div { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: 0 .75rem; }
dt code { color: var(--ink); } dd { margin: 0; }
`;
