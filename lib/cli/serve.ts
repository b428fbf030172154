/** `bitpath serve`: networks over HTTP and gRPC, until a signal ends it. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { BitpathError } from '../errors.js';
import { integerOption, newCommand, threadsOption } from './command.js';
import { onTermination, reportWarning, writeLines } from './output.js';

interface Options {
  readonly host?: string;
  readonly port?: number;
  readonly grpcPort?: number;
  readonly threads?: number;
  readonly repository?: string;
  readonly config?: string;
  readonly logLevel?: string;
}

export function serveCommand(): Command {
  return newCommand('serve')
    .summary('answer over HTTP and gRPC')
    .description(
      'Serves networks over the Open Inference Protocol v2 (KServe, Triton), and pictures at POST /classify.',
    )
    .argument('[model...]', 'shipped models (see bitpath models) or .safetensors files')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1, this machine only)')
    .addOption(integerOption('-p, --port <n>', 'port of HTTP; 0 takes a free one (default: 8000)', 0, 65535))
    .addOption(integerOption('--grpc-port <n>', 'port of gRPC (default: no gRPC)', 0, 65535))
    .addOption(threadsOption())
    .option('--repository <folder>', 'model repository: <model>/<version>/model.safetensors')
    .option('-c, --config <file>', 'JSON file with all settings (docs/serving.md); options here win over it')
    .option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent (default: info)')
    .addHelpText(
      'after',
      `
SIGTERM and Ctrl-C end it: it stops being ready, answers what it has begun, and
exits with 0. Logs are JSON lines on stderr.

Examples:
  $ bitpath serve
  $ curl --data-binary @photo.jpg localhost:8000/classify`,
    )
    .action((models: string[], options: Options) => serve(models, options));
}

async function serve(models: readonly string[], options: Options): Promise<void> {
  const given = {
    host: options.host,
    port: options.port,
    grpc_port: options.grpcPort,
    threads: options.threads,
    model_repository: options.repository,
    log_level: options.logLevel,
    models: models.length > 0 ? models : undefined,
  };
  const file = options.config === undefined ? {} : await readConfig(options.config);
  const settings = { ...file, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };

  const { createServer } = await import('../serve/index.js');
  const server = await createServer(settings, { file: options.config ?? 'bitpath serve' });
  const calledOff = onTermination(() => server.close());
  try {
    const { url, grpc } = await server.listen();
    const { host } = server.service.config;
    if (!['127.0.0.1', '::1', 'localhost'].includes(host) && server.service.config.api_keys.length === 0)
      reportWarning(`anybody who reaches ${host} can ask: there are no api_keys in the configuration`);
    const names = [...new Set(server.service.repository.served().map(({ name }) => name))];
    writeLines([`${url}  ${names.join(', ')}`, ...(grpc === null ? [] : [`grpc://${grpc}`])]);
  } catch (error) {
    calledOff();
    throw error;
  }
}

/** The settings in a file. Throws `ERR_BITPATH_CONFIG`. */
async function readConfig(file: string): Promise<object> {
  const bad = (received: string, cause: unknown) =>
    new BitpathError('ERR_BITPATH_CONFIG', { file, key: 'the file', expected: 'a JSON object', received }, { cause });
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw bad(cause.message, cause);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad((cause as Error).message, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('something else', undefined);
  return value;
}
