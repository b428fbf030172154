/** `bitpath --version --json`: versions of all parts, for programs. */
import { findInstallation } from './installation.js';
import { writeJson } from './output.js';

/** True for `--version` (or `-V`) and `--json`, in either order, and nothing else. */
export function asksForVersions(args: readonly string[]): boolean {
  const others = args.filter((arg) => arg !== '--json');
  return args.length === 2 && others.length === 1 && ['--version', '-V'].includes(others[0] as string);
}

/** An addon that cannot be loaded is part of the answer, and no failure. */
export async function printVersions(): Promise<void> {
  writeJson('bitpath.version/1', { ...(await findInstallation()) });
}
