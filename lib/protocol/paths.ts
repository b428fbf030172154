/** Paths of the REST routes, for those who ask and those who answer. */

export const PATHS = {
  server: '/v2',
  live: '/v2/health/live',
  ready: '/v2/health/ready',
  statistics: '/v2/models/stats',
  repositoryIndex: '/v2/repository/index',
} as const;

/** `/v2/models/<name>[/versions/<version>]`, to which `/infer`, `/ready`, `/config` and `/stats` are appended. */
export function modelPath(name: string, version = ''): string {
  const model = `/v2/models/${encodeURIComponent(name)}`;
  return version === '' ? model : `${model}/versions/${encodeURIComponent(version)}`;
}

export function repositoryPath(name: string, action: 'load' | 'unload'): string {
  return `/v2/repository/models/${encodeURIComponent(name)}/${action}`;
}
