/** What the commands are made of, without a child process. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { bar, bytes, cut, facts, milliseconds, percent, short, table, textWidth, wrap } from '#lib/cli/format.js';
import { codeAndMessage, printable, toJson, warnIfScalar } from '#lib/cli/output.js';
import { ahead } from '#lib/predict.js';
import { BitpathError } from 'bitpath';

describe('text', () => {
  it('is measured in columns', () => {
    assert.equal(textWidth('abc'), 3);
    assert.equal(textWidth('cafe\u0301'), 4); // a combining accent
    assert.equal(textWidth('猫と犬'), 6);
    assert.equal(textWidth('🐟'), 2);
  });

  it('is cut with an ellipsis, within its columns', () => {
    assert.equal(cut('goldfish', 8), 'goldfish');
    assert.equal(cut('goldfish', 7), 'goldfi…');
    assert.equal(cut('gold fish', 6), 'gold…');
    assert.equal(cut('猫と犬', 4), '猫…');
    assert.equal(cut('abc', 1), '…');
    assert.equal(cut('abc', 0), '');
    for (let width = 0; width < 12; width++) assert.ok(textWidth(cut('a猫b🐟cafe\u0301s', width)) <= width);
  });

  it('bars have steps of half a column', () => {
    assert.equal(bar(0, 4), '    ');
    assert.equal(bar(0.12, 4), '▌   ');
    assert.equal(bar(0.5, 4), '██  ');
    assert.equal(bar(1, 4), '████');
  });

  it('tables are aligned, and cut on the right', () => {
    const columns = [{ title: 'name' }, { title: 'n', align: 'right' }, { title: 'text' }] as const;
    const rows = [
      ['猫', '1', 'short'],
      ['goldfish', '12', 'a longer text'],
    ];
    assert.deepEqual(table(columns, rows, 40), [
      'name       n  text',
      '猫         1  short',
      'goldfish  12  a longer text',
    ]);
    assert.equal(table(columns, rows, 20)[2], 'goldfish  12  a lon…');
  });

  it('facts wrap under their own column', () => {
    assert.deepEqual(
      facts(
        [
          ['a', 'one two three'],
          ['name', 'x'],
        ],
        14,
      ),
      ['a     one two', '      three', 'name  x'],
    );
    assert.deepEqual(wrap('a verylongword b', 5), ['a', 'verylongword', 'b']);
  });

  it('numbers have three digits and a unit', () => {
    assert.deepEqual([0, 999, 1000, 25887744, 999_999, 1.8e9].map(short), [
      '0',
      '999',
      '1.00 k',
      '25.9 M',
      '1000 k',
      '1.80 G',
    ]);
    assert.deepEqual([488, 6824, 2792196].map(bytes), ['488 B', '6.82 kB', '2.79 MB']);
    assert.deepEqual([0.5, 9.97, 123.4, 999.9, 61300].map(milliseconds), [
      '0.50 ms',
      '9.97 ms',
      '123 ms',
      '1000 ms',
      '61.3 s',
    ]);
    assert.equal(percent(0.8114), '81.1 %');
    assert.equal(percent(0.8114, 2), '81.14 %');
  });

  it('control characters are shown, not sent', () => {
    assert.equal(printable('a\x1b[2J\nb\u202ec ü'), 'a\\u001b[2J\\u000ab\\u202ec ü');
  });
});

describe('JSON', () => {
  it('is indented, with arrays of plain values on one line', () => {
    const value = { a: [1, 2.5, -0.1], b: [{ c: null }, { d: [] }], e: {}, f: undefined, g: 'x\n"' };
    const text = toJson(value);
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    assert.equal(
      text,
      `{
  "a": [1, 2.5, -0.1],
  "b": [
    {
      "c": null
    },
    {
      "d": []
    }
  ],
  "e": {},
  "g": "x\\n\\""
}`,
    );
  });
});

describe('errors', () => {
  it('have the code of their kind', () => {
    const ours = new BitpathError('ERR_BITPATH_IMAGE', { image: 'a.jpg', reason: 'broken' });
    assert.deepEqual(codeAndMessage(ours), { code: 'ERR_BITPATH_IMAGE', message: 'a.jpg: broken' });
    const system = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    assert.deepEqual(codeAndMessage(system), { code: 'ENOSPC', message: 'no space left' });
    const bug = codeAndMessage(new TypeError('x is not a function'));
    assert.equal(bug.code, 'ERR_BITPATH_INTERNAL');
    assert.match(bug.message, /please report it: TypeError: x is not a function\n {4}at /);
    assert.equal(codeAndMessage('text').code, 'ERR_BITPATH_INTERNAL');
  });
});

describe('a run on scalar kernels', () => {
  const warnings = (t: { mock: import('node:test').MockTracker }, isa: string, environment: NodeJS.ProcessEnv) => {
    const write = t.mock.method(process.stderr, 'write', () => true);
    warnIfScalar({ isa }, environment);
    const texts = write.mock.calls.map(({ arguments: [text] }) => String(text));
    write.mock.restore();
    return texts;
  };

  it('is reported', (t) => {
    const texts = warnings(t, 'scalar', {});
    assert.equal(texts.length, 1);
    assert.match(texts[0]!, /^bitpath: warning: .*slower\n$/);
  });
  it('is not where it was asked for, and nor is another ISA', (t) => {
    assert.deepEqual(warnings(t, 'scalar', { BITPATH_ISA: 'scalar' }), []);
    assert.deepEqual(warnings(t, 'avx2', {}), []);
    assert.deepEqual(warnings(t, 'neon', {}), []);
  });
});

describe('work ahead', () => {
  it('keeps the order and never exceeds its limit', async () => {
    for (const limit of [1, 2, 5, 50]) {
      let active = 0;
      let most = 0;
      const results: number[] = [];
      const items = Array.from({ length: 20 }, (_, i) => i);
      const work = async (item: number) => {
        most = Math.max(most, ++active);
        await setTimeout((item * 7) % 5);
        active--;
        return item * 10;
      };
      for await (const result of ahead(items, limit, work)) results.push(result);
      assert.deepEqual(
        results,
        items.map((item) => item * 10),
      );
      assert.equal(most, Math.min(limit, 20));
    }
  });

  it('hands on the first error in order, and leaves no rejection unhandled', async () => {
    const work = async (item: number) => {
      if (item === 3) throw new Error('three'); // earlier in time than two
      if (item === 2) {
        await setTimeout(5);
        throw new Error('two');
      }
      return item;
    };
    const results: number[] = [];
    await assert.rejects(async () => {
      for await (const result of ahead([0, 1, 2, 3, 4], 4, work)) results.push(result);
    }, /two/);
    assert.deepEqual(results, [0, 1]);
    await setTimeout(10);
  });

  it('closes its source where the reader stops', async () => {
    let closed = false;
    async function* source() {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed = true;
      }
    }
    for await (const result of ahead(source(), 3, async (item) => item)) if (result === 5) break;
    assert.ok(closed);
  });
});
