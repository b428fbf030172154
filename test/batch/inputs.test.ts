/** Which files a folder or a pattern means, and in which order. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { globFiles, patternRegExp } from '#lib/batch/glob.js';
import { listInputs } from '#lib/batch/inputs.js';
import { walk } from '#lib/batch/walk.js';
import { temporaryFolder } from '../cli/run.js';

const folder = temporaryFolder();
const FILES = [
  'B.jpg',
  'a-b/x.png',
  'a/x.jpg',
  'a/deep/er/y.jpg',
  'a.jpg',
  'a/.hidden.jpg',
  '.git/z.jpg',
  'note.txt',
  'ä.jpg',
];
for (const file of FILES) {
  mkdirSync(join(folder, dirname(file)), { recursive: true });
  writeFileSync(join(folder, file), '');
}
symlinkSync('..', join(folder, 'a/up'));
symlinkSync('a.jpg', join(folder, 'link.jpg'));
symlinkSync('nowhere.jpg', join(folder, 'dead.jpg'));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('walk', () => {
  it('goes by code units, through links and never round in circles', async () => {
    const expected = ['B.jpg', 'a/deep/er/y.jpg', 'a/x.jpg', 'a-b/x.png', 'a.jpg', 'link.jpg', 'note.txt', 'ä.jpg'];
    assert.deepEqual(await all(walk(folder)), expected);
  });
});

describe('patterns', () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ['*.jpg', ['a.jpg', 'ä.jpg', '*.jpg'], ['a/b.jpg', '.a.jpg', 'a.jpgx', 'ajpg']],
    ['?.jpg', ['a.jpg', '😀.jpg'], ['ab.jpg', '..jpg']],
    ['**/*.jpg', ['a.jpg', 'x/y/a.jpg'], ['.x/a.jpg', 'x/.a.jpg']],
    ['x/**', ['x/a', 'x/y/z'], ['y/a', 'x/.a', 'x/y/.a']],
    ['[a-c]x[!0-9]', ['axy', 'cx-'], ['dxy', 'ax1', 'ax/']],
    ['*.{jpg,p{ng,bm}}', ['a.jpg', 'a.png', 'a.pbm'], ['a.gif', 'a.{jpg']],
    ['.*', ['.a'], ['a']],
    ['a+b(c).$', ['a+b(c).$'], ['aab(c).$']],
    ['a,b}', ['a,b}'], ['a']],
  ];
  for (const [pattern, yes, no] of cases) {
    it(pattern, () => {
      const regExp = patternRegExp(pattern.split('/'), pattern);
      for (const text of yes) assert.match(text, regExp);
      for (const text of no) assert.doesNotMatch(text, regExp);
    });
  }

  it('find files as a walk meets them', async () => {
    const found = async (pattern: string) =>
      (await all(globFiles(`${folder}/${pattern}`))).map((path) => path.slice(folder.length + 1));
    assert.deepEqual(await found('*.jpg'), ['B.jpg', 'a.jpg', 'link.jpg', 'ä.jpg']);
    assert.deepEqual(await found('a*/x.*'), ['a/x.jpg', 'a-b/x.png']);
    assert.deepEqual(await found('**/.*.jpg'), ['a/.hidden.jpg']);
    assert.deepEqual(await found('a/**/*.jpg'), ['a/deep/er/y.jpg', 'a/x.jpg']);
  });
});

describe('listInputs', () => {
  it('takes pictures of a folder by their endings, and several sources in turn', async () => {
    const images = (await all(listInputs([join(folder, 'a'), join(folder, 'B.jpg')], join(folder, 'out.jsonl')))).map(
      ({ image }) => image,
    );
    assert.deepEqual(
      images,
      ['a/deep/er/y.jpg', 'a/x.jpg', 'B.jpg'].map((name) => `${folder}/${name}`),
    );
  });
});
