// Holds bitpath to other engines: onnxruntime (every architecture, the trained networks, random graphs) and, where the golden
// tensors are there, PyTorch. More weights for each architecture than `npm test` takes.
//   npm run verify
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = ['out/test/onnx/oracle.test.js', 'out/test/golden/network.test.js'];
const run = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, BITPATH_VERIFY: '1' },
});
process.exitCode = run.status ?? 1;
