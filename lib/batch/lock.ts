/**
 * One writer for a job: a file that names its holder. Node has no lock that the system takes back when a process dies, so a
 * holder that is dead by the evidence is put aside.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, unlinkSync } from 'node:fs';
import { link, readdir, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { BitpathError, isNodeError } from '../errors.js';
import { writing } from './disk.js';

interface Holder {
  readonly host: string;
  /** What `pid` is a number in, where the system says: containers count their processes each for itself. */
  readonly namespace: string;
  readonly pid: number;
  /** When the process began, as the system counts: a number that is given to another process later does not match. */
  readonly started: string;
  /** Another one each time. */
  readonly token: string;
}

/** The holder says so often that it lives, for those that cannot see its process. */
const BEAT_MS = 5_000;
/** Silence after which such a holder counts as dead. */
const SILENT_MS = 60_000;

/** Of a file that was not written by us, or not wholly. */
const NOBODY: Holder = { host: '', namespace: '', pid: 0, started: '', token: '' };

/** Of this process, which its own pid cannot tell apart. */
const held = new Set<string>();

export interface Lock {
  /** Throws `ERR_BITPATH_BATCH_LOCKED` where another one has taken this for dead, as after a long sleep, and the lock over. */
  check(): Promise<void>;
  release(): Promise<void>;
  /** For the way out, where nothing can be awaited any more. */
  releaseSync(): void;
}

/** Takes the lock at `path`, or throws `ERR_BITPATH_BATCH_LOCKED` naming its holder. */
export async function takeLock(path: string, out: string): Promise<Lock> {
  const holder: Holder = {
    host: hostname(),
    namespace: await readlink('/proc/self/ns/pid').catch(() => ''),
    pid: process.pid,
    started: (await startOf(process.pid)) ?? '',
    token: randomBytes(8).toString('hex'),
  };
  const own = `${path}.${holder.token}`;
  await writing(path, () => writeFile(own, JSON.stringify(holder)));
  try {
    while (!(await linked(own, path))) {
      const other = await readHolder(path);
      if (other !== null && !(await isDead(other, path, holder, own))) throw lockedBy(out, other);
      if (other !== null) await putAside(path, other, `${own}.old`, out);
    }
    held.add(holder.token);
    await removeLeftovers(path, holder, own).catch(() => {}); // they harm nobody
  } finally {
    await rm(own, { force: true });
  }
  const check = async () => {
    const now = await readHolder(path);
    if (now?.token === holder.token) return;
    clearInterval(beat);
    held.delete(holder.token);
    throw now === null
      ? new BitpathError('ERR_BITPATH_BATCH_LOCKED', { out, holder: 'or has: this run’s lock is gone' })
      : lockedBy(out, now);
  };
  const beat = setInterval(() => {
    const now = new Date();
    check()
      .then(() => utimes(path, now, now))
      .catch(() => {}); // whoever writes next hears of it
  }, BEAT_MS);
  beat.unref();
  const releaseSync = () => {
    clearInterval(beat);
    if (!held.delete(holder.token)) return;
    try {
      if ((JSON.parse(readFileSync(path, 'utf8')) as Holder).token === holder.token) unlinkSync(path);
    } catch {
      // Gone with its folder, and so is what it locked.
    }
  };
  return { check, releaseSync, release: async () => releaseSync() };
}

function lockedBy(out: string, { pid, host }: Holder): BitpathError {
  return new BitpathError('ERR_BITPATH_BATCH_LOCKED', { out, holder: `process ${pid} on ${host}` });
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

/** Null where it has just been released. What cannot be read may have a holder that lives: that is an error. */
async function readHolder(path: string): Promise<Holder | null> {
  const text = await writing(path, () =>
    readFile(path, 'utf8').catch((cause: unknown) => {
      if (isNodeError(cause) && cause.code === 'ENOENT') return null;
      throw cause;
    }),
  );
  if (text === null) return null;
  try {
    const holder = JSON.parse(text) as Holder;
    if (typeof holder?.host === 'string' && Number.isInteger(holder.pid)) return holder;
  } catch {
    // the same as a file that is not one of ours
  }
  return NOBODY;
}

/** `own` is a file that was written just now. */
async function isDead(other: Holder, path: string, me: Holder, own: string): Promise<boolean> {
  if (other === NOBODY) return true;
  const { host, namespace, pid, started, token } = other;
  if (host === me.host && namespace === me.namespace) {
    const now = await startOf(pid);
    if (now === null || (started !== '' && now !== '' && now !== started)) return true;
    if (pid !== me.pid) return false;
    if (held.has(token)) return false;
    if (started === '') return true;
    // This very process, and not by this copy of the module: a worker thread may have it.
  }
  // Both times are the file system's, whose clock is one.
  const [lock, mine] = await Promise.all([stat(path).catch(() => null), stat(own)]);
  return lock === null || mine.mtimeMs - lock.mtimeMs > SILENT_MS;
}

/** Takes a dead holder's file away; one that has come in its place meanwhile is put back. */
async function putAside(path: string, dead: Holder, aside: string, out: string): Promise<void> {
  const isThere = await writing(path, () =>
    rename(path, aside).then(
      () => true,
      (cause: unknown) => {
        if (isNodeError(cause) && cause.code === 'ENOENT') return false;
        throw cause;
      },
    ),
  );
  if (!isThere) return;
  const taken = await readHolder(aside);
  // Where a third one has come meanwhile, the second finds that out before it writes again.
  if (taken !== null && taken.token !== dead.token && !(await linked(aside, path))) throw lockedBy(out, taken);
  await rm(aside, { force: true });
}

/** What a run that was killed while it took the lock has left beside it. */
async function removeLeftovers(path: string, me: Holder, own: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    const file = join(dirname(path), name);
    if (file === own || !name.startsWith(`${basename(path)}.`)) continue;
    const holder = await readHolder(file);
    if (holder !== null && (await isDead(holder, file, me, own))) await rm(file, { force: true });
  }
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
