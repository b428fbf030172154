/** A copy of dist/ in which some files count which of their statements and branches ran. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const repository = join(import.meta.dirname, '../../..');

/** A change of the compiled source, to see whether the fuzzer notices. */
export interface Plant {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** What istanbul keeps for each file: a count for each statement and function, a list of counts for each branch. */
interface FileCounters {
  s: Record<string, number>;
  f: Record<string, number>;
  b: Record<string, number[]>;
}

export class InstrumentedLibrary {
  readonly #folder: string;
  readonly #files: { readonly variable: string; readonly path: string }[] = [];
  /** All counts, once the files are loaded: istanbul's own objects take longer to reset than an input to run. */
  #counters: Uint32Array | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Copies dist/ and instruments `files` (relative to it). The copy lies within the repository, where packages resolve. */
  static async create(files: readonly string[], plant?: Plant): Promise<InstrumentedLibrary> {
    const { createInstrumenter } = createRequire(import.meta.url)('istanbul-lib-instrument');
    const folder = await mkdtemp(join(repository, 'out/fuzz-'));
    const library = new InstrumentedLibrary(folder);
    await cp(join(repository, 'dist'), join(folder, 'dist'), { recursive: true });
    await cp(join(repository, 'package.json'), join(folder, 'package.json')); // for the version
    // One variable a copy: two copies in one process must not share counters.
    const variable = `__fuzz_${folder.slice(-6)}__`;
    for (const file of files) {
      const path = join(folder, 'dist', file);
      let source = await readFile(path, 'utf8');
      if (plant?.file === file) {
        if (source.split(plant.find).length !== 2) throw new Error(`${plant.find} is not once in ${file}`);
        source = source.replace(plant.find, plant.replace);
      }
      const instrumenter = createInstrumenter({ esModules: true, coverageVariable: variable, compact: false });
      await writeFile(path, instrumenter.instrumentSync(source, path));
      library.#files.push({ variable, path });
    }
    return library;
  }

  import<Module>(file: string): Promise<Module> {
    return import(pathToFileURL(join(this.#folder, 'dist', file)).href) as Promise<Module>;
  }

  /** Counts of all statements and branches of the instrumented files, to be read and set to 0. Call it after the imports. */
  get counters(): Uint32Array {
    this.#counters ??= this.#flatten();
    return this.#counters;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  #flatten(): Uint32Array {
    const all = new Uint32Array(65536);
    let used = 0;
    const view = (length: number) => {
      used += length;
      return all.subarray(used - length, used) as unknown as number[];
    };
    for (const { variable, path } of this.#files) {
      const file = (globalThis as unknown as Record<string, Record<string, FileCounters>>)[variable]?.[path];
      if (file === undefined) throw new Error(`${path} was instrumented but not imported`);
      file.s = view(Object.keys(file.s).length) as unknown as Record<string, number>;
      for (const [key, counts] of Object.entries(file.b)) file.b[key] = view(counts.length);
    }
    return all.subarray(0, used);
  }
}
