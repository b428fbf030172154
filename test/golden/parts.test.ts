/**
 * Every part of the trained networks against PyTorch's tensors, which `python -m bitpath_training golden` made and
 * which lie here. Parts: the stem, 1-bit units, what follows their add, shortcuts, transitions, and all after the last block.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loadModel, type Model, openDataset } from 'bitpath';
import { decodeImage, preprocess } from 'bitpath/images';
import { Npz } from './npz.js';
import { agrees, type Change, compare, type Difference, minusOnes, part, run, scoped, TIGHT } from './part.js';
import { PARTS, shared } from './shared.js';

const folder = join(import.meta.dirname, '../../../test/golden');
const pack = join(shared, 'data/tiny-imagenet-200/val.bin');

for (const name of PARTS) {
  describe(`${name} equals PyTorch`, () => {
    let model: Model;
    let golden: Npz;
    let parts: string[];
    /** Those with a 1-bit conv, [name, nodes]. */
    let units: Map<string, Set<string>>;
    before(async () => {
      model = await loadModel(name);
      golden = new Npz(join(folder, `${name}.npz`));
      parts = golden.names.filter((array) => array.endsWith('.in')).map((array) => array.slice(0, -'.in'.length));
      const convs = new Set(model.graph.nodes.filter(({ op }) => op === 'binaryConv').map((node) => node.name));
      units = new Map(
        parts
          .filter((scope) => convs.has(`${scope}.conv`))
          .map((scope) => [scope, new Set([`${scope}.sign`, `${scope}.conv`, `${scope}.bn`])]),
      );
    });

    function nodesOf(scope: string): (node: string) => boolean {
      const unit = units.get(scope);
      if (unit !== undefined) return (node) => unit.has(node);
      return scope === 'end' ? (node) => !/^(input$|stem\.|body\.)/.test(node) : scoped(scope);
    }

    async function difference(scope: string, change?: Change): Promise<Difference> {
      const { data, shape } = golden.get(`${scope}.in`);
      const graph = part(model.graph, nodesOf(scope), shape, change);
      return compare(await run(model, graph, data as Float32Array), golden.floats(`${scope}.out`));
    }

    it('every part', async (t) => {
      let values = 0;
      let worst = 0;
      for (const scope of parts) {
        const found = await difference(scope);
        assert.ok(agrees(found, TIGHT), `${scope}: ${JSON.stringify(found)}`);
        values += golden.floats(`${scope}.out`).length;
        worst = Math.max(worst, found.relative);
      }
      const convs = model.graph.nodes.filter(({ op }) => op === 'binaryConv');
      assert.equal(units.size, convs.length);
      // Each node is in a part, but for those that join branches.
      const selects = parts.map(nodesOf);
      const left = model.graph.nodes.filter((node) => !selects.some((select) => select(node.name)));
      assert.deepEqual(
        [...new Set(left.map(({ op }) => op))].sort(),
        JOINS.filter((op) => left.some((n) => n.op === op)),
      );
      t.diagnostic(
        `${parts.length} parts, ${values} values, largest difference ${worst.toExponential(1)} of the largest`,
      );
    });

    it('every unit can fail: borders of −1', async () => {
      for (const scope of units.keys()) assert.ok(!agrees(await difference(scope, minusOnes), TIGHT), scope);
    });

    it('answers of the first 64 pictures', { skip: !existsSync(pack) && `${pack} is not there` }, async (t) => {
      const answers = golden.get('answers').data;
      const dataset = await openDataset(pack, { classes: 200, labels: null });
      const images = [];
      for await (const { bytes } of dataset.samples()) {
        images.push(await decodeImage(bytes));
        if (images.length === answers.length) break;
      }
      assert.ok(model.preprocessing);
      using executor = await model.compile({ threads: 2 });
      const { logits } = await executor.run(await preprocess(images, model.preprocessing, { dtype: 'float32' }));
      const data = logits?.data ?? new Float32Array(0);
      const classes = data.length / answers.length;
      const same = answers.filter((answer, n) => {
        const row = data.subarray(n * classes, (n + 1) * classes);
        return row.indexOf(Math.max(...row)) === answer;
      }).length;
      // A number to look at: one flipped sign may change an answer.
      t.diagnostic(`${same} of ${answers.length} are PyTorch's`);
    });
  });
}

const JOINS = ['add', 'concat', 'input', 'scale'];
