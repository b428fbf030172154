/** What a client of the Open Inference Protocol can be asked, over REST or gRPC alike. */
import type {
  Classification,
  Datatype,
  DatatypeArrays,
  ModelIndex,
  ModelMetadata,
  ModelStatistics,
  ParameterValue,
  ServerMetadata,
} from '../protocol/index.js';

export type Parameters = Readonly<Record<string, ParameterValue>>;

/** An input. Its datatype follows from its data, where it is not given: bits of a two-byte float and booleans need theirs. */
export interface InputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Elements in row-major order. Of BYTES, an array of bytes or texts. */
  readonly data: Exclude<DatatypeArrays[Datatype], readonly Uint8Array[]> | readonly (Uint8Array | string)[];
  readonly datatype?: Datatype | undefined;
  readonly parameters?: Parameters | undefined;
}

/** An output to ask for. */
export interface WantedOutput {
  readonly name: string;
  /** So many of its largest elements, with their labels, in place of all of them. */
  readonly classification?: number | undefined;
  readonly parameters?: Parameters | undefined;
}

export interface CallOptions {
  /** Stops the call; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the call is given up with `ERR_BITPATH_CONNECTION`. Default: the client's. */
  readonly timeoutMs?: number | undefined;
}

export interface InferOptions extends CallOptions {
  /** The server's choice where left out. */
  readonly version?: string | undefined;
  /** Given back in the result. */
  readonly id?: string | undefined;
  /** Names or wishes. All outputs where left out. */
  readonly outputs?: readonly (string | WantedOutput)[] | undefined;
  /** Of the request, such as `priority`. */
  readonly parameters?: Parameters | undefined;
}

export interface VersionOptions extends CallOptions {
  /** The server's choice where left out. */
  readonly version?: string | undefined;
}

export interface OutputTensor<D extends Datatype = Datatype> {
  readonly name: string;
  readonly datatype: D;
  readonly shape: readonly number[];
  readonly data: DatatypeArrays[D];
  readonly parameters: Parameters;
}

export interface InferResult {
  readonly modelName: string;
  /** Empty where the server says none. */
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly outputs: readonly OutputTensor[];
  /**
   * The output of that name; with `datatype`, of that one. Throws `ERR_BITPATH_UNKNOWN_NAME` or `ERR_BITPATH_ARGUMENT` for what the
   * result has not.
   */
  output<D extends Datatype = Datatype>(name: string, datatype?: D): OutputTensor<D>;
  /** Elements of a BYTES output as texts. */
  strings(name: string): string[];
  /** Classes of an output that was asked for with `classification`, for each row of its batch, the largest first. */
  classes(name: string): Classification[][];
}

/**
 * A client of one server. Calls reject with `ERR_BITPATH_SERVER`, or the server's own code where it is one of bitpath's, for an
 * answer that is no success; with `ERR_BITPATH_CONNECTION` where there is none; with the signal's reason.
 */
export interface InferenceClient {
  /** False where the server says so; a server that does not answer is an error. */
  serverLive(options?: CallOptions): Promise<boolean>;
  serverReady(options?: CallOptions): Promise<boolean>;
  serverMetadata(options?: CallOptions): Promise<ServerMetadata>;
  modelReady(model: string, options?: VersionOptions): Promise<boolean>;
  modelMetadata(model: string, options?: VersionOptions): Promise<ModelMetadata>;
  infer(model: string, inputs: readonly InputTensor[], options?: InferOptions): Promise<InferResult>;
  /** Of one model, or of all. */
  statistics(model?: string, options?: VersionOptions): Promise<readonly ModelStatistics[]>;
  /** What the server's repository has; with `ready`, only what it can be asked for. */
  repositoryIndex(options?: CallOptions & { readonly ready?: boolean | undefined }): Promise<readonly ModelIndex[]>;
  loadModel(model: string, options?: CallOptions): Promise<void>;
  unloadModel(model: string, options?: CallOptions): Promise<void>;
  /** Frees what the client holds; it cannot be used any more. */
  close(): void;
}
