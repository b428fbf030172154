/** All models of a server by name and version: loading, replacing without dropping a request, unloading. */
import { unknownName } from '../../check.js';
import { BitpathError } from '../../errors.js';
import type { ModelIndex, ModelState } from '../../protocol/index.js';
import type { ModelSettings } from '../config.js';
import { ServedModel, type Surroundings, type Threads } from './servedModel.js';
import type { ModelFile, ModelSource } from './sources.js';

interface Entry {
  readonly name: string;
  readonly version: string;
  state: ModelState;
  /** Why it is unavailable, or why the file that should replace it was not taken. */
  reason: string;
  /** What the file was when it was loaded, or could not be. */
  stamp: string;
  /** What was wrong with the file of this stamp. */
  failure: unknown;
  /** That there is another file of this version, once that has been said. */
  conflict: BitpathError | undefined;
  served: ServedModel | null;
}

export interface RepositoryOptions {
  readonly source: ModelSource;
  /** Of models that have none of their own. */
  readonly settings: ModelSettings;
  readonly threads: Threads;
  readonly surroundings: Surroundings;
  readonly log: { info(details: object, message: string): void; warn(details: object, message: string): void };
}

export class ModelRepository {
  readonly #options: RepositoryOptions;
  /** By name, then by version. */
  readonly #models = new Map<string, Map<string, Entry>>();
  /** Names that were unloaded on request: polling leaves them alone. */
  readonly #unloaded = new Set<string>();
  /** Loads and unloads happen one after another. */
  #last: Promise<unknown> = Promise.resolve();
  /** Unloaded or replaced, and still answering what they had begun. */
  readonly #retiring = new Map<ServedModel, Promise<void>>();
  /** Everything that there was at the start has been loaded: from now on, requests are answered meanwhile. */
  #isBusy = false;
  #isDisposed = false;

  constructor(options: RepositoryOptions) {
    this.#options = options;
  }

  /** Versions that answer, the lowest first. */
  served(): ServedModel[] {
    return [...this.#models.keys()].sort().flatMap((name) => this.#ready(name));
  }

  /** Versions of a model that answer, the lowest first. Throws `ERR_BITPATH_UNKNOWN_NAME`. */
  versions(name: string): string[] {
    this.#entries(name);
    return this.#ready(name).map(({ version }) => version);
  }

  /** The version that is asked for, the highest where `version` is empty. Throws `ERR_BITPATH_UNKNOWN_NAME`, `ERR_BITPATH_UNAVAILABLE`. */
  resolve(name: string, version = ''): ServedModel {
    const entries = this.#entries(name);
    const served = version === '' ? this.#ready(name).at(-1) : entries.get(version)?.served;
    if (served !== undefined && served !== null) return served;
    const entry = version === '' ? [...entries.values()].at(-1) : entries.get(version);
    if (entry === undefined) throw unknownName(`version of ${name}`, version, [...entries.keys()]);
    throw new BitpathError('ERR_BITPATH_UNAVAILABLE', {
      what: `${name} version ${entry.version}`,
      reason: entry.reason || entry.state,
    });
  }

  index(onlyReady: boolean): ModelIndex[] {
    const all = [...this.#models.keys()].sort().flatMap((name) => sorted(this.#models.get(name)));
    return all
      .filter(({ state }) => !onlyReady || state === 'READY')
      .map(({ name, version, state, reason, conflict }) => {
        return { name, version, state, reason: reason || (conflict?.message ?? '') };
      });
  }

  /**
   * Loads a model's versions, or those whose files have changed. What answers goes on until its successor does.
   *
   * @throws `ERR_BITPATH_UNKNOWN_NAME`, or what was wrong with the first file that could not be loaded; the others are loaded.
   */
  load(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const files = (await this.#options.source.list()).filter((file) => file.name === name);
      if (files.length === 0) throw unknownName('model', name, await this.#known());
      this.#unloaded.delete(name);
      const failure = await this.#update(name, files, true);
      if (failure !== undefined) throw failure;
    });
  }

  /** Stops answering for all versions of a model, once what is on its way has been answered. Throws `ERR_BITPATH_UNKNOWN_NAME`. */
  unload(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#entries(name);
      this.#unloaded.add(name);
      for (const entry of sorted(this.#models.get(name))) this.#retire(entry, 'unloaded');
    });
  }

  /**
   * Brings what answers in line with the files: new and changed ones are loaded, those that are gone are unloaded. What cannot be
   * loaded is in the index with its reason.
   *
   * @returns What could not be loaded.
   */
  refresh(): Promise<unknown[]> {
    return this.#inTurn(async () => {
      const files = await this.#options.source.list();
      const names = new Set([...files.map(({ name }) => name), ...this.#models.keys()]);
      const failures: unknown[] = [];
      for (const name of names) {
        if (this.#unloaded.has(name)) continue;
        const failure = await this.#update(
          name,
          files.filter((file) => file.name === name),
          false,
        );
        if (failure !== undefined) failures.push(failure);
      }
      this.#isBusy = true;
      return failures;
    });
  }

  /** Resolves once no request is on its way. */
  async idle(): Promise<void> {
    await Promise.all([...this.served().map((served) => served.idle()), ...this.#retiring.values()]);
  }

  /** Frees everything; requests that are still on their way, and those that come, are rejected as unavailable. */
  dispose(): void {
    this.#isDisposed = true;
    for (const served of [...this.served(), ...this.#retiring.keys()]) served.dispose(closed(served.name));
    for (const entries of this.#models.values())
      for (const entry of entries.values())
        Object.assign(entry, { served: null, state: 'UNAVAILABLE', reason: CLOSED, stamp: '' });
  }

  /** @param again Whether a file that could not be loaded is tried again although it has not changed. */
  async #update(name: string, files: readonly ModelFile[], again: boolean): Promise<unknown> {
    const entries = this.#models.get(name) ?? new Map<string, Entry>();
    this.#models.set(name, entries);
    for (const entry of sorted(entries)) {
      if (files.some(({ version }) => version === entry.version)) continue;
      this.#retire(entry, 'its file is gone');
      entries.delete(entry.version);
    }
    let failure: unknown;
    for (const file of files) {
      const entry = entries.get(file.version);
      if (isDue(entry, file, again)) {
        try {
          await this.#replace(entries, file);
        } catch (error) {
          failure ??= error;
        }
      }
      if (!again) failure ??= this.#conflict(entries.get(file.version), file);
    }
    if (entries.size === 0) this.#models.delete(name);
    return failure;
  }

  /** Says once that there are two files of a version; returns it where it is new. */
  #conflict(entry: Entry | undefined, { name, version, conflict }: ModelFile): unknown {
    if (entry === undefined) return undefined;
    const isNew = conflict !== undefined && entry.conflict === undefined;
    entry.conflict = conflict;
    if (isNew) this.#options.log.warn({ model: name, version, err: conflict }, 'a file of the model is left out');
    return isNew ? conflict : undefined;
  }

  async #replace(entries: Map<string, Entry>, file: ModelFile): Promise<void> {
    const { name, version, path, stamp } = file;
    const { settings, threads, surroundings, log } = this.#options;
    const entry: Entry = entries.get(version) ?? {
      name,
      version,
      state: 'LOADING',
      reason: '',
      stamp: '',
      failure: undefined,
      conflict: undefined,
      served: null,
    };
    entries.set(version, entry);
    const old = entry.served;
    if (old === null) entry.state = 'LOADING';
    try {
      if (this.#isDisposed) throw closed(name);
      const { max_batch_size, instance_group, dynamic_batching } = file.settings ?? settings;
      const model = await surroundings.load(path, {
        batch: max_batch_size,
        threads: threads.lone,
        isBusy: this.#isBusy,
      });
      const options = {
        name,
        version,
        threads,
        instances: instance_group.count,
        batching: { max_batch_size, ...dynamic_batching },
      };
      const served = await ServedModel.start(model, options, surroundings);
      if (this.#isDisposed) {
        served.dispose();
        throw closed(name);
      }
      entry.served = served;
      Object.assign(entry, { state: 'READY', reason: '', stamp, failure: undefined });
      log.info({ model: name, version, ...served.compiled }, old === null ? 'model loaded' : 'model replaced');
      if (old !== null) this.#drain(old);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      entry.failure = error;
      // A stamp is kept also of what failed, or polling would try the same file again and again.
      if (old === null) Object.assign(entry, { state: 'UNAVAILABLE', reason, stamp });
      else Object.assign(entry, { reason: `the file that should replace it was not taken: ${reason}`, stamp });
      log.warn({ model: name, version, err: error }, 'model not loaded');
      throw error;
    }
  }

  #retire(entry: Entry, reason: string): void {
    const { served } = entry;
    entry.served = null;
    Object.assign(entry, { state: 'UNAVAILABLE', reason, stamp: '', failure: undefined });
    if (served === null) return;
    this.#options.log.info({ model: entry.name, version: entry.version, reason }, 'model unloaded');
    this.#drain(served);
  }

  /** Lets what is on its way through `served` end, then frees it. */
  #drain(served: ServedModel): void {
    const drained = served.idle().then(() => {
      served.dispose();
      this.#retiring.delete(served);
    });
    this.#retiring.set(served, drained);
  }

  #ready(name: string): ServedModel[] {
    return sorted(this.#models.get(name)).flatMap(({ served }) => (served === null ? [] : [served]));
  }

  #entries(name: string): Map<string, Entry> {
    const entries = this.#models.get(name);
    if (entries === undefined) throw unknownName('model', name, [...this.#models.keys()].sort());
    return entries;
  }

  async #known(): Promise<string[]> {
    return [...new Set((await this.#options.source.list()).map(({ name }) => name))].sort();
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(call);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function isDue(entry: Entry | undefined, { stamp }: ModelFile, again: boolean): boolean {
  if (entry === undefined || entry.stamp !== stamp) return true;
  const hasFailed = entry.failure !== undefined;
  return hasFailed ? again : entry.served === null;
}

const CLOSED = 'the server is closed';

function closed(model: string): BitpathError {
  return new BitpathError('ERR_BITPATH_UNAVAILABLE', { what: model, reason: CLOSED });
}

/** By version, as a number. */
function sorted(entries: Map<string, Entry> | undefined): Entry[] {
  return [...(entries?.values() ?? [])].sort((a, b) => Number(a.version) - Number(b.version));
}
