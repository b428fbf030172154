/** Packages that only some of what bitpath does needs: loaded when that is asked for, and installed by whoever asks. */
import { BitpathError } from './errors.js';

/**
 * What `load` gives. Throws `ERR_BITPATH_MISSING_PACKAGE`, saying that `feature` needs `packages`, in the words of npm's command
 * line.
 */
export async function loadOptional<T>(feature: string, packages: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
    throw new BitpathError('ERR_BITPATH_MISSING_PACKAGE', { feature, package: packages, reason }, { cause });
  }
}
