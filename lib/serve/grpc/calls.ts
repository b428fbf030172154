/** The calls of `inference.GRPCInferenceService`. Each takes a message and returns one; what it throws becomes a status. */
import { create, fromJson, type JsonValue } from '@bufbuild/protobuf';
import {
  fromRequestMessage,
  type ModelConfigRequest,
  ModelConfigResponseSchema,
  ModelConfigSchema,
  type ModelInferRequest,
  type ModelMetadataRequest,
  ModelMetadataResponseSchema,
  type ModelReadyRequest,
  ModelReadyResponseSchema,
  type ModelStatisticsRequest,
  ModelStatisticsResponseSchema,
  type RepositoryIndexRequest,
  RepositoryIndexResponseSchema,
  type RepositoryModelLoadRequest,
  RepositoryModelLoadResponseSchema,
  type RepositoryModelUnloadRequest,
  RepositoryModelUnloadResponseSchema,
  ServerLiveResponseSchema,
  ServerMetadataResponseSchema,
  ServerReadyResponseSchema,
  toResponseMessage,
} from '../../protocol/grpc/index.js';
import type { TensorMetadata } from '../../protocol/index.js';
import { BitpathError } from '../../errors.js';
import type { InferenceService } from '../service.js';
import type { Tracer } from '../tracing.js';

/** What a call is told besides its message. */
export interface CallContext {
  /** Aborts when the caller goes away, or its deadline is over. */
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
}

export type Call = (message: never, context: CallContext) => unknown;

/** By the method's name in the schema. */
export function inferenceCalls(service: InferenceService, tracer: Tracer): Readonly<Record<string, Call>> {
  const { repository } = service;
  return {
    ServerLive: () => create(ServerLiveResponseSchema, { live: true }),
    ServerReady: () => create(ServerReadyResponseSchema, { ready: service.isReady }),
    ModelReady: ({ name, version }: ModelReadyRequest) =>
      create(ModelReadyResponseSchema, { ready: service.isReady && service.modelReady(name, version) }),
    ServerMetadata: () => {
      const { name, version, extensions } = service.serverMetadata();
      return create(ServerMetadataResponseSchema, { name, version, extensions: [...extensions] });
    },
    ModelMetadata: ({ name, version }: ModelMetadataRequest) => {
      const { versions, platform, inputs, outputs } = service.modelMetadata(name, version);
      const tensors = { inputs: inputs.map(tensor), outputs: outputs.map(tensor) };
      return create(ModelMetadataResponseSchema, { name, versions: [...versions], platform, ...tensors });
    },
    ModelInfer: async (message: ModelInferRequest, { signal, headers }) => {
      const spans = tracer.start('infer', { 'bitpath.model': message.modelName }, headers);
      try {
        const request = fromRequestMessage(message);
        const response = await service.infer(message.modelName, message.modelVersion, request, { signal, spans });
        spans?.end();
        return toResponseMessage(response);
      } catch (error) {
        spans?.end(error);
        throw error;
      }
    },
    ModelConfig: ({ name, version }: ModelConfigRequest) => {
      const config = repository.resolve(name, version).config() as JsonValue;
      return create(ModelConfigResponseSchema, {
        config: fromJson(ModelConfigSchema, config, { ignoreUnknownFields: true }),
      });
    },
    ModelStatistics: ({ name, version }: ModelStatisticsRequest) =>
      fromJson(ModelStatisticsResponseSchema, { model_stats: service.statistics(name, version) as never }),
    RepositoryIndex: ({ ready }: RepositoryIndexRequest) =>
      create(RepositoryIndexResponseSchema, { models: repository.index(ready) }),
    RepositoryModelLoad: async ({ modelName, parameters }: RepositoryModelLoadRequest) => {
      if (Object.keys(parameters).length > 0)
        throw new BitpathError('ERR_BITPATH_UNSUPPORTED', { what: 'Parameters of load' });
      await repository.load(modelName);
      return create(RepositoryModelLoadResponseSchema);
    },
    RepositoryModelUnload: async ({ modelName }: RepositoryModelUnloadRequest) => {
      await repository.unload(modelName);
      return create(RepositoryModelUnloadResponseSchema);
    },
  };
}

function tensor({ name, datatype, shape }: TensorMetadata) {
  return { name, datatype, shape: shape.map(BigInt) };
}
