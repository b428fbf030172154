// Writes docs/architectures.md from what the architectures and units say of themselves.
//   node scripts/architectures-page.mjs           writes it (after `npm run build:ts`)
//   node scripts/architectures-page.mjs --check   fails if it is not current
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listArchitectures, listUnits } from '../dist/index.js';

const path = fileURLToPath(new URL('../docs/architectures.md', import.meta.url));

const INTRODUCTION = `# Networks by name

\`buildArchitecture(name, { classes, inputSize })\` builds them, \`createModel(name)\` gives them random weights, \`bitpath describe <name>\`
shows how they run. This page is written by \`scripts/architectures-page.mjs\` from the code, and a test holds it current.

**Status** says how sure the graph is. *fact*: the paper, or the papers and the code that it cites, say all of it. *reconstructed*: some
of it is inferred from what they say. *declared*: some of it is our own choice, because nothing that we could read says it; the
source says which.

All are compared with **Bi-Real ResNet18**: 7×7 conv → BatchNorm → max pool; 16 times BatchNorm(1-bit 3×3 conv(sign(x))) + x; where the
shape changes, 2×2 average pool → 1×1 conv → BatchNorm as shortcut; mean → classifier. A factor for each filter is the conv's \`scale\`.
BatchNorms have an eps of 1e-5 throughout; another goes into the variance when weights are converted.`;

const ROWS = `## Rows of Table 1

Errors are those of the paper's Table 1, in per cent on ImageNet; where a network has two rows, of the second, the authors' own
training. Storage and computation are in \`getArchitecture(name).reported\`; most rows repeat Bi-Real's 33.2 Mbit and 0.16 GFLOPs, which
is not what their graphs have: BNAS-E has 159 Mbit and 0.394 GFLOPs, Real-to-binary 42.6 Mbit, DGRL as built here 42.6 Mbit and 0.209
GFLOPs, BinaryDuo 31.5 Mbit. A method that only changes how a network is trained, or what its weights are, has nothing of its own at
inference, and is the graph of another.`;

const OTHERS = `## Networks without a row`;

const UNITS = `## Units

\`buildArchitecture('igp-resnet37-41', { unit: 'reactnet' })\` and the name \`igp-resnet37-41+reactnet\` are the same: one method's unit in
another's topology, stem, downsampling and end. It works for every architecture with the option \`unit\`, which those below marked with *
have; a row that is defined by its unit takes no other.

x is the unit's input, s its shortcut, ⊛ the 1-bit conv, W its bits with their scales (none in bnn, xnor-net-pp, ci and real-to-binary);
s(·) makes ±1, t(·) {−1, 0, +1}, h(·) {0, 1}. What stands outside of "+ s" comes after the shortcut's add: blocks put it on u(x) + s where a
shortcut goes round this one unit, and on u(x) where none does (the first unit of a plain residual block, dense blocks, the short
branch of a summed IGP join); joins and concatenations come later. The units of xnor-net-pp fix the size of the picture.`;

const cell = (text) => text.replaceAll('|', '\\|');
const row = (cells) => `| ${cells.map((text) => cell(String(text))).join(' | ')} |`;
const table = (titles, rows) => [row(titles), row(titles.map(() => '---')), ...rows.map(row)].join('\n');
const nameOf = ({ name, options }) => `\`${name}\`${options.includes('unit') ? ' *' : ''}`;
const graphOf = ({ beyond, sameGraphAs }) =>
  sameGraphAs === null ? beyond || '–' : `nothing at inference: the graph of \`${sameGraphAs}\``;
const error = (value) => value?.toFixed(2) ?? '–';

function page() {
  const all = listArchitectures();
  const rows = all
    .flatMap((architecture) => architecture.rows.slice(0, 1).map((first) => ({ ...architecture, first })))
    .sort((a, b) => a.first - b.first);
  const reported = rows.map((architecture) => [
    architecture.rows.join(', '),
    nameOf(architecture),
    architecture.title,
    `${error(architecture.reported?.top1Error)} / ${error(architecture.reported?.top5Error)}`,
    architecture.status,
    graphOf(architecture),
    architecture.source,
  ]);
  const others = all
    .filter((architecture) => architecture.rows.length === 0)
    .map((architecture) => [
      nameOf(architecture),
      architecture.title,
      architecture.status,
      graphOf(architecture),
      architecture.source,
    ]);
  const units = listUnits().map(({ name, title, formula }) => [`\`${name}\``, title, formula]);
  return `${[
    INTRODUCTION,
    ROWS,
    table(['row', 'name', 'in the paper', 'top-1 / top-5', 'status', 'beyond Bi-Real', 'source'], reported),
    OTHERS,
    table(['name', 'title', 'status', 'beyond Bi-Real', 'source'], others),
    UNITS,
    table(['unit', 'of', 'formula'], units),
  ].join('\n\n')}\n`;
}

const text = page();
if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) {
  console.error('docs/architectures.md is not what the code says: node scripts/architectures-page.mjs');
  process.exitCode = 1;
}
