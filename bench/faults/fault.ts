/** What a fault's script says when it is over: counts, and what they were held to. One that is not as promised throws. */
export interface FaultReport {
  readonly fault: string;
  readonly seconds: number;
  readonly counts: Readonly<Record<string, number>>;
  /** In words, what held. */
  readonly held: readonly string[];
}

export interface FaultOptions {
  /** Malformed requests. */
  readonly requests: number;
  readonly seed: number;
  /** For files; it is removed afterwards. */
  readonly folder: string;
  readonly say: (what: string) => void;
}

export type Fault = (options: FaultOptions) => Promise<Omit<FaultReport, 'fault' | 'seconds'>>;

export function hold(condition: boolean, what: string): string {
  if (!condition) throw new Error(`not so: ${what}`);
  return what;
}
