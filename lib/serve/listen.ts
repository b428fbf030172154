/** Addresses and certificates, for REST and gRPC alike. */
import { readFile } from 'node:fs/promises';
import { BitpathError, isNodeError } from '../errors.js';
import type { ServerConfig } from './config.js';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already',
  EACCES: 'this user may not',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

/** `ERR_BITPATH_LISTEN`. */
export function listenError(address: string, cause: unknown): BitpathError {
  const text = isNodeError(cause) ? `${cause.code ?? ''} ${cause.message}` : String(cause);
  const known = Object.keys(REASONS).find((code) => text.includes(code));
  const reason = known === undefined ? text.trim() : REASONS[known];
  return new BitpathError('ERR_BITPATH_LISTEN', { address, reason }, { cause });
}

/** The files of a certificate and its key. Throws `ERR_BITPATH_CONFIG`. */
export async function readTls(tls: NonNullable<ServerConfig['tls']>): Promise<{ cert: Buffer; key: Buffer }> {
  const read = (key: 'cert' | 'key') =>
    readFile(tls[key]).catch((cause) => {
      const details = {
        file: tls[key],
        key: `tls.${key}`,
        expected: 'a PEM file that can be read',
        received: cause.message,
      };
      throw new BitpathError('ERR_BITPATH_CONFIG', details, { cause });
    });
  const [cert, key] = await Promise.all([read('cert'), read('key')]);
  return { cert, key };
}

/** `host:port`, with an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
