/** The protocol's gRPC side: generated messages, and tensors ↔ messages. */
export { checkMessageSize } from './bounds.js';
export * from './inference_pb.js';
export { fromRequestMessage, fromResponseMessage, toRequestMessage, toResponseMessage } from './messages.js';
