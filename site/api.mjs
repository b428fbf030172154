// The API reference: TypeDoc over the entry points that package.json exports, as Markdown.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application } from 'typedoc';

/** Subpath as it is imported → the file of `lib/` behind it. */
export function entryPoints(root) {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return new Map(
    Object.entries(exports)
      .filter(([, to]) => to.types !== undefined)
      .map(([path, { types }]) => [
        path.replace('.', name),
        types.replace('./dist/', 'lib/').replace(/\.d\.ts$/, '.ts'),
      ]),
  );
}

/** Writes a page for each symbol into `folder`; returns the symbols of each subpath. */
export async function writeApi(root, folder) {
  const entries = entryPoints(root);
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: [...entries.values()].map((file) => join(root, file)),
    tsconfig: join(root, 'lib/tsconfig.json'),
    readme: 'none',
    name: 'API',
    out: folder,
    logLevel: 'Error',
    // `.ci/run types` is what checks types.
    skipErrorChecking: true,
    validation: { notExported: false, invalidLink: false },
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    // What is called comes before the shapes of its arguments.
    groupOrder: ['Modules', 'Functions', 'Classes', 'Variables', '*'],
    indexFormat: 'table',
    entryFileName: 'index',
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read the sources');
  // TypeDoc calls them by their folders.
  for (const module of project.children) module.name = module.name === 'index' ? 'bitpath' : `bitpath/${module.name}`;
  await app.generateOutputs(project);
  // Without `@module`, the comment of a file would become that of its first exports, in place of theirs.
  const bare = project.children.filter((module) => module.comment === undefined).map(({ name }) => name);
  if (bare.length > 0) throw new Error(`no comment with @module at the head of ${bare.join(', ')}`);
  const order = [...entries.keys()];
  const modules = project.children.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return modules.map(({ name, children }) => ({
    name,
    symbols: children.filter((child) => !child.isReference()).map((child) => child.name),
  }));
}
