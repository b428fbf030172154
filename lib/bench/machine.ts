/** The machine and the build: what every figure must stand beside. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { native } from '../native.js';
import { packageRoot, packageVersion } from '../root.js';
import { clockGHz } from './limits.js';
import type { Machine } from './result.js';

const root = packageRoot();

/** Throws `ERR_BITPATH_ISA` where `BITPATH_ISA` asks for what is not there. */
export function describeMachine(): Omit<Machine, 'onnxruntime'> {
  return {
    cpu: cpuName(),
    cpus: native().availableThreads(),
    isa: native().selectIsa(process.env.BITPATH_ISA ?? null),
    clockGHz: clockGHz(),
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    bitpath: packageVersion(),
    commit: commit(),
    date: new Date().toISOString(),
  };
}

/**
 * The model as the operating system names it. Virtual machines often say no more than "AMD EPYC"; family and model tell
 * generations apart all the same.
 */
export function cpuName(): string {
  const name = os.cpus()[0]?.model.trim() || 'unknown CPU';
  if (!existsSync('/proc/cpuinfo')) return name;
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const field = (key: string) => new RegExp(`^${key}\\s*: (\\d+)$`, 'm').exec(text)?.[1];
  const [family, model] = [field('cpu family'), field('model')];
  return family === undefined || model === undefined ? name : `${name} (family ${family} model ${model})`;
}

/** Of a clone of the repository; an installed package has none, and must not tell that of the project it is installed in. */
function commit(): string {
  if (!existsSync(`${root}.git`)) return 'unknown';
  try {
    const args = ['describe', '--always', '--dirty', '--abbrev=10'];
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
