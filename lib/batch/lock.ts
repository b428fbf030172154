/**
 * One writer for a job: a file that names its holder. Node has no lock that the system takes back when a process dies, so a
 * holder that is dead by the evidence is put aside.
 */
import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { BitpathError, isNodeError } from '../errors.js';
import { writing } from './disk.js';

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process began, as the system counts: a number that is given to another process later does not match. */
  readonly started: string;
  /** Another one each time. */
  readonly token: string;
}

/** The holder says so often that it lives, for those on other machines. */
const BEAT_MS = 5_000;
/** Silence after which a holder on another machine counts as dead. */
const SILENT_MS = 60_000;

/** Of this process, which its own pid cannot tell apart. */
const held = new Set<string>();

export interface Lock {
  release(): Promise<void>;
  /** For the way out, where nothing can be awaited any more. */
  releaseSync(): void;
}

/** Takes the lock at `path`, or throws `ERR_BITPATH_BATCH_LOCKED` naming its holder. */
export async function takeLock(path: string, out: string): Promise<Lock> {
  const holder: Holder = {
    host: hostname(),
    pid: process.pid,
    started: (await startOf(process.pid)) ?? '',
    token: randomBytes(8).toString('hex'),
  };
  const own = `${path}.${holder.token}`;
  await writing(path, () => writeFile(own, JSON.stringify(holder)));
  try {
    while (!(await linked(own, path))) {
      const other = await readHolder(path);
      if (other !== null && !(await isDead(other, path, own))) {
        throw new BitpathError('ERR_BITPATH_BATCH_LOCKED', { out, holder: `process ${other.pid} on ${other.host}` });
      }
      if (other !== null) await putAside(path, other, `${own}.old`);
    }
  } finally {
    await rm(own, { force: true });
  }
  held.add(holder.token);
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, BEAT_MS);
  beat.unref();
  const releaseSync = () => {
    clearInterval(beat);
    if (!held.delete(holder.token)) return;
    try {
      unlinkSync(path);
    } catch {
      // Gone with its folder, and so is what it locked.
    }
  };
  return { releaseSync, release: async () => releaseSync() };
}

/** A link is made or is not, also where two try at once. */
async function linked(own: string, path: string): Promise<boolean> {
  try {
    await writing(path, () => link(own, path));
    return true;
  } catch (error) {
    const cause = (error as BitpathError).cause;
    if (isNodeError(cause) && cause.code === 'EEXIST') return false;
    throw error;
  }
}

/** Null where it has just been released. */
async function readHolder(path: string): Promise<Holder | null> {
  // Not written by us, or not wholly: nobody holds it.
  const nobody: Holder = { host: hostname(), pid: 0, started: '', token: '' };
  try {
    const holder = JSON.parse(await readFile(path, 'utf8')) as Holder;
    return typeof holder?.host === 'string' && Number.isInteger(holder.pid) ? holder : nobody;
  } catch (cause) {
    return isNodeError(cause) && cause.code === 'ENOENT' ? null : nobody;
  }
}

async function isDead({ host, pid, started, token }: Holder, path: string, own: string): Promise<boolean> {
  if (host === hostname()) {
    if (pid === process.pid) return !held.has(token);
    const now = await startOf(pid);
    return now === null || (started !== '' && now !== started);
  }
  // Both times are the file system's, whose clock is one.
  const [lock, mine] = await Promise.all([stat(path).catch(() => null), stat(own)]);
  return lock === null || mine.mtimeMs - lock.mtimeMs > SILENT_MS;
}

/** Takes a dead holder's file away; one that has come in its place meanwhile is put back. */
async function putAside(path: string, dead: Holder, aside: string): Promise<void> {
  await rename(path, aside).catch(() => {});
  const taken = await readHolder(aside);
  if (taken !== null && taken.token !== dead.token) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

/** When process `pid` began, '' where the system does not say, null where there is none. */
async function startOf(pid: number): Promise<string | null> {
  if (pid <= 0) return null;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (isNodeError(error) && error.code === 'ESRCH') return null;
  }
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Field 22; the second one is a name in brackets that may hold anything.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
