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

/** Parameters of requests, tensors and answers, by name. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** An input. Its datatype follows from its data, where it is not given: bits of a two-byte float and booleans need theirs. */
export interface InputTensor {
  /** Of the model's input. */
  readonly name: string;
  /** Integers ≥ 0, the batch first. */
  readonly shape: readonly number[];
  /** Elements in row-major order. Of BYTES, an array of bytes or texts. */
  readonly data: Exclude<DatatypeArrays[Datatype], readonly Uint8Array[]> | readonly (Uint8Array | string)[];
  /** Default: that of the typed array; BYTES for an array. */
  readonly datatype?: Datatype | undefined;
  /** Of the tensor. */
  readonly parameters?: Parameters | undefined;
}

/** An output to ask for. */
export interface WantedOutput {
  /** Of the model's output. */
  readonly name: string;
  /** So many of its largest elements, with their labels, in place of all of them. */
  readonly classification?: number | undefined;
  /** Of the output. */
  readonly parameters?: Parameters | undefined;
}

/** Options of every call. */
export interface CallOptions {
  /** Stops the call; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the call is given up with `ERR_BITPATH_CONNECTION`. Default: the client's. */
  readonly timeoutMs?: number | undefined;
}

/** Options of {@link InferenceClient.infer}. */
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

/** Options of calls about a model. */
export interface VersionOptions extends CallOptions {
  /** The server's choice where left out. */
  readonly version?: string | undefined;
}

/** An output of an inference. */
export interface OutputTensor<D extends Datatype = Datatype> {
  /** Of the model's output. */
  readonly name: string;
  /** Of its elements. */
  readonly datatype: D;
  /** Integers ≥ 0, the batch first. */
  readonly shape: readonly number[];
  /** Elements in row-major order. */
  readonly data: DatatypeArrays[D];
  /** Of the output. */
  readonly parameters: Parameters;
}

/** What {@link InferenceClient.infer} gives. */
export interface InferResult {
  /** Of the model that answered. */
  readonly modelName: string;
  /** Empty where the server says none. */
  readonly modelVersion: string;
  /** That of the request; empty where it had none. */
  readonly id: string;
  /** Of the answer. */
  readonly parameters: Parameters;
  /** Those that were asked for, in the server's order. */
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
  /** Is the server running? False where it says no; a server that does not answer is an error. */
  serverLive(options?: CallOptions): Promise<boolean>;
  /** Does the server take requests? */
  serverReady(options?: CallOptions): Promise<boolean>;
  /** What the server says of itself. */
  serverMetadata(options?: CallOptions): Promise<ServerMetadata>;
  /** Does the model take requests? */
  modelReady(model: string, options?: VersionOptions): Promise<boolean>;
  /** The model's inputs and outputs. */
  modelMetadata(model: string, options?: VersionOptions): Promise<ModelMetadata>;
  /** Sends inputs through the model. */
  infer(model: string, inputs: readonly InputTensor[], options?: InferOptions): Promise<InferResult>;
  /** What the server has counted of one model, or of all. */
  statistics(model?: string, options?: VersionOptions): Promise<readonly ModelStatistics[]>;
  /** What the server's repository has; with `ready`, only what it can be asked for. */
  repositoryIndex(
    options?: CallOptions & {
      /** True: only models that can be asked. Default false. */
      readonly ready?: boolean | undefined;
    },
  ): Promise<readonly ModelIndex[]>;
  /** Has the server load the model from its repository, or load it again. */
  loadModel(model: string, options?: CallOptions): Promise<void>;
  /** Has the server let go of the model. */
  unloadModel(model: string, options?: CallOptions): Promise<void>;
  /** Frees what the client holds; it cannot be used any more. */
  close(): void;
}
