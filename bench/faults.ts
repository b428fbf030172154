/**
 * Faults, one after the other, each against a server or a job of its own on loopback; all of them where none is named.
 *
 *   npm run fault -- [malformed] [slow] [corrupt] [kill] [redis] [disk] [--requests 100000] [--seed 1] [--no-save]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { unknownName } from '#lib/check.js';
import { describeMachine } from '#lib/bench/machine.js';
import { reportError, writeLines } from '#lib/cli/output.js';
import { corrupt } from './faults/corrupt.js';
import type { Fault, FaultReport } from './faults/fault.js';
import { jobs } from './faults/jobs.js';
import { malformed } from './faults/malformed.js';
import { slow } from './faults/slow.js';
import { resultName, save, toJson } from './service/save.js';
import { sayer } from './service/say.js';

const FAULTS: Readonly<Record<string, Fault>> = {
  malformed,
  slow,
  corrupt,
  kill: jobs('kill'),
  redis: jobs('queue'),
  disk: jobs('full'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    'no-save': { type: 'boolean', default: false },
  },
});

const say = sayer();
const folder = await mkdtemp(join(tmpdir(), 'bitpath-faults-'));
try {
  const names = positionals.length > 0 ? positionals : Object.keys(FAULTS);
  const reports: FaultReport[] = [];
  for (const name of names) {
    const fault = FAULTS[name];
    if (fault === undefined) throw unknownName('fault', name, Object.keys(FAULTS));
    say(name);
    const began = performance.now();
    const report = await fault({ requests: Number(values.requests), seed: Number(values.seed), folder, say });
    reports.push({ fault: name, seconds: (performance.now() - began) / 1000, ...report });
  }
  for (const { fault, seconds, counts, held } of reports) {
    writeLines([
      `${fault}: ${seconds.toFixed(1)} s ${JSON.stringify(counts)}`,
      ...held.map((what) => `  held: ${what}`),
    ]);
  }
  if (!values['no-save']) {
    const machine = describeMachine();
    const what = positionals.length > 0 ? `faults-${names.join('-')}` : 'faults';
    const { requests, seed } = values;
    const options = { requests: Number(requests), seed: Number(seed) };
    const result = { format: 'bitpath.faults/1', machine, options, reports };
    writeLines(save(resultName(what, machine), { '.json': toJson(result) }));
  }
} catch (error) {
  reportError(error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
