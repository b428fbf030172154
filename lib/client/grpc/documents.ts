/** Messages → the documents that REST has as JSON, so that a client's callers need not know which way it goes. */
import type * as messages from '../../protocol/grpc/index.js';
import type { Datatype, ModelMetadata, ModelStatistics, StatisticDuration } from '../../protocol/index.js';

export function fromMetadata(message: messages.ModelMetadataResponse): ModelMetadata {
  const { name, versions, platform, inputs, outputs } = message;
  const tensor = ({ name, datatype, shape }: { name: string; datatype: string; shape: bigint[] }) => {
    return { name, datatype: datatype as Datatype, shape: shape.map(Number) };
  };
  return { name, versions, platform, inputs: inputs.map(tensor), outputs: outputs.map(tensor) };
}

function duration(message: messages.StatisticDuration | undefined): StatisticDuration {
  return { count: Number(message?.count ?? 0), ns: Number(message?.ns ?? 0) };
}

export function fromStatistics(message: messages.ModelStatistics): ModelStatistics {
  const { name, version, lastInference, inferenceCount, executionCount, inferenceStats, batchStats } = message;
  return {
    name,
    version,
    last_inference: Number(lastInference),
    inference_count: Number(inferenceCount),
    execution_count: Number(executionCount),
    inference_stats: {
      success: duration(inferenceStats?.success),
      fail: duration(inferenceStats?.fail),
      queue: duration(inferenceStats?.queue),
      compute_input: duration(inferenceStats?.computeInput),
      compute_infer: duration(inferenceStats?.computeInfer),
      compute_output: duration(inferenceStats?.computeOutput),
      cache_hit: duration(inferenceStats?.cacheHit),
      cache_miss: duration(inferenceStats?.cacheMiss),
    },
    batch_stats: batchStats.map(({ batchSize, computeInput, computeInfer, computeOutput }) => ({
      batch_size: Number(batchSize),
      compute_input: duration(computeInput),
      compute_infer: duration(computeInfer),
      compute_output: duration(computeOutput),
    })),
  };
}
