/** Numbers as people read them. */

export function milliseconds(time: number): string {
  if (time >= 10_000) return `${(time / 1000).toFixed(1)} s`;
  return `${time >= 100 ? Math.round(time) : time.toFixed(1)} ms`;
}

export function percent(probability: number): string {
  const value = probability * 100;
  if (value > 0 && value < 0.05) return '< 0.1 %';
  return `${value.toFixed(1)} %`;
}

export function megabytes(bytes: number): string {
  const value = bytes / 2 ** 20;
  return value < 0.1 ? `${Math.ceil(bytes / 1024)} kB` : `${value >= 10 ? Math.round(value) : value.toFixed(1)} MB`;
}
