/** The Dockerfile, by a linter and by what it promises. Nothing is built here: deploy/README.md says what was. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import dockerfileUtils from 'dockerfile-utils';
import { root } from '../build/root.js';

const text = readFileSync(`${root}deploy/Dockerfile`, 'utf8');
const [build = '', final = ''] = text.split(/^(?=FROM )/m).slice(1);

describe('Dockerfile', () => {
  it('has nothing that the linter knows better', () => {
    const problems = dockerfileUtils.validate(text).map(({ message, range }) => `${range.start.line + 1}: ${message}`);
    assert.deepEqual(problems, []);
    assert.notDeepEqual(dockerfileUtils.validate('FROM a\nCMDD x\n'), []);
  });

  it('has two stages of the same Debian, and only what was built in the second', () => {
    assert.match(build, /^FROM node:22-bookworm AS build$/m);
    assert.match(final, /^FROM node:22-bookworm-slim$/m);
    assert.doesNotMatch(final, /^(RUN|ADD)/m);
    assert.match(final, /^COPY --from=build \/app \/app$/m);
  });

  it('runs as a numbered user, has a health check, and no shell around the command', () => {
    assert.match(final, /^USER [1-9]\d*:[1-9]\d*$/m);
    const [, test = ''] = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(final) ?? [];
    assert.equal(JSON.parse(test)[0], 'node');
    const [, entry = ''] = /^ENTRYPOINT (\[.*\])$/m.exec(final) ?? [];
    const [node, main] = JSON.parse(entry) as string[];
    assert.equal(node, 'node');
    assert.ok(existsSync(root + main?.replace('node_modules/bitpath/', '')));
  });

  it('installs every optional peer at the range that package.json asks for', () => {
    const printed = execFileSync(process.execPath, ['deploy/peers.mjs', 'package.json'], {
      cwd: root,
      encoding: 'utf8',
    });
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
    assert.deepEqual(
      printed.trim().split(' ').sort(),
      Object.entries(peerDependencies)
        .map(([name, range]) => `${name}@${range}`)
        .sort(),
    );
    assert.deepEqual(Object.keys(peerDependenciesMeta).sort(), Object.keys(peerDependencies).sort());
  });
});
