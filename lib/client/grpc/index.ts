/**
 * `bitpath/client/grpc`: the same client over gRPC, for Node. Loads @grpc/grpc-js when one is made.
 * @module
 */
import { create } from '@bufbuild/protobuf';
import { checkBoolean, checkOptions, checkString } from '../../check.js';
import {
  fromResponseMessage,
  GRPCInferenceService,
  ModelMetadataRequestSchema,
  ModelReadyRequestSchema,
  ModelStatisticsRequestSchema,
  RepositoryIndexRequestSchema,
  RepositoryModelLoadRequestSchema,
  RepositoryModelUnloadRequestSchema,
  ServerLiveRequestSchema,
  ServerMetadataRequestSchema,
  ServerReadyRequestSchema,
  toRequestMessage,
} from '../../protocol/grpc/index.js';
import type { ModelIndex } from '../../protocol/index.js';
import { reading } from '../failure.js';
import { CALL_OPTIONS, makeRequest } from '../request.js';
import { makeResult } from '../result.js';
import type { InferenceClient, InferOptions, VersionOptions } from '../types.js';
import { Channel, type GrpcOptions } from './channel.js';
import { fromMetadata, fromStatistics } from './documents.js';

export type * from '../types.js';
export type { GrpcOptions } from './channel.js';

/**
 * A client of the server at `address`, such as `localhost:8001`.
 *
 * @throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`, `ERR_BITPATH_MISSING_PACKAGE`. All of them reject the promise.
 */
export async function createGrpcClient(address: string, options: GrpcOptions = {}): Promise<InferenceClient> {
  const channel = await Channel.open(checkString('address', address), options);
  const methods = GRPCInferenceService.method;
  const call = (given: VersionOptions = {}) => {
    checkOptions('options', given, [...CALL_OPTIONS, 'version']);
    return given;
  };
  const of = (model: string, { version = '' }: VersionOptions) => ({ name: checkString('model', model), version });

  return {
    async serverLive(given) {
      return (await channel.ask(methods.serverLive, create(ServerLiveRequestSchema), call(given))).live;
    },
    async serverReady(given) {
      return (await channel.ask(methods.serverReady, create(ServerReadyRequestSchema), call(given))).ready;
    },
    async serverMetadata(given) {
      const message = await channel.ask(methods.serverMetadata, create(ServerMetadataRequestSchema), call(given));
      const { name, version, extensions } = message;
      return { name, version, extensions };
    },
    async modelReady(model, given = {}) {
      const message = create(ModelReadyRequestSchema, of(model, given));
      return (await channel.ask(methods.modelReady, message, call(given))).ready;
    },
    async modelMetadata(model, given = {}) {
      const message = create(ModelMetadataRequestSchema, of(model, given));
      return fromMetadata(await channel.ask(methods.modelMetadata, message, call(given)));
    },
    async infer(model, inputs, given: InferOptions = {}) {
      // Tensors are bytes here anyhow, and a server need not know REST's parameter for them.
      const message = toRequestMessage(
        checkString('model', model),
        given.version ?? '',
        makeRequest(inputs, given, false),
      );
      for (const { parameters } of message.inputs) delete parameters['binary_data'];
      const response = await channel.ask(methods.modelInfer, message, given);
      return reading(channel.address, () => makeResult(fromResponseMessage(response)));
    },
    async statistics(model, given = {}) {
      const message = create(ModelStatisticsRequestSchema, model === undefined ? {} : of(model, given));
      return (await channel.ask(methods.modelStatistics, message, call(given))).modelStats.map(fromStatistics);
    },
    async repositoryIndex({ ready = false, ...given } = {}) {
      const message = create(RepositoryIndexRequestSchema, { ready: checkBoolean('options.ready', ready) });
      const { models } = await channel.ask(methods.repositoryIndex, message, call(given));
      return models.map(({ name, version, state, reason }) => ({ name, version, state, reason }) as ModelIndex);
    },
    async loadModel(model, given) {
      const message = create(RepositoryModelLoadRequestSchema, { modelName: checkString('model', model) });
      await channel.ask(methods.repositoryModelLoad, message, call(given));
    },
    async unloadModel(model, given) {
      const message = create(RepositoryModelUnloadRequestSchema, { modelName: checkString('model', model) });
      await channel.ask(methods.repositoryModelUnload, message, call(given));
    },
    close: () => channel.close(),
  };
}
