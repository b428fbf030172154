/** Parts of a request as traces show them. */
export interface Spans {
  /** A part that `call` is. */
  around<T>(name: string, call: () => Promise<T>): Promise<T>;
  /** A part that is over; milliseconds of the server's clock. */
  past(name: string, began: number, ended: number, attributes?: Readonly<Record<string, string | number>>): void;
  end(error?: unknown): void;
}
