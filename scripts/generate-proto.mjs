// Generates TypeScript from the protobuf schemas of lib/ (see the README beside each). Needs protoc on the PATH: Debian's package
// protobuf-compiler has it. The plugin comes from devDependencies.
//   node scripts/generate-proto.mjs          write the files
//   node scripts/generate-proto.mjs --check  say whether they are what the schemas give
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCHEMAS = [
  { folder: 'lib/onnx/proto', name: 'onnx' },
  { folder: 'lib/protocol/grpc', name: 'inference' },
];

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

for (const { folder, name } of SCHEMAS) {
  const source = join(root, folder);
  const out = check ? mkdtempSync(join(tmpdir(), 'proto-')) : source;
  try {
    const run = spawnSync(
      'protoc',
      [
        `--plugin=protoc-gen-es=${join(root, 'node_modules/.bin/protoc-gen-es')}`,
        `--proto_path=${source}`,
        `--es_out=${out}`,
        '--es_opt=target=ts,import_extension=js,ts_nocheck=true',
        `${name}.proto`,
      ],
      { stdio: 'inherit' },
    );
    if (run.error) console.error(`error: cannot run protoc (${run.error.message}); Debian has it in protobuf-compiler`);
    if (run.status !== 0) {
      process.exitCode = run.status ?? 1;
      break;
    }
    if (!check) continue;
    const [made, kept] = [out, source].map((path) => readFileSync(join(path, `${name}_pb.ts`), 'utf8'));
    if (made !== kept) {
      console.error(`error: ${folder}/${name}_pb.ts is not what ${name}.proto gives: node scripts/generate-proto.mjs`);
      process.exitCode = 1;
    }
  } finally {
    if (check) rmSync(out, { recursive: true });
  }
}
