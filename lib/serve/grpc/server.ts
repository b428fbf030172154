/** The gRPC server: the inference service, health and reflection. */
import type * as Grpc from '@grpc/grpc-js';
import type { InferenceService } from '../service.js';

export class GrpcServer {
  readonly address: string;
  constructor(address: string) {
    this.address = address;
  }
  static async start(_service: InferenceService): Promise<GrpcServer> {
    throw new Error('not yet');
  }
  update(): void {}
  async close(_drained: Promise<void>): Promise<void> {}
}
export type { Grpc };
