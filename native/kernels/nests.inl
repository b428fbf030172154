// The loop nests, written once. An ISA's file brings the vocabulary (Floats, Ints, PairSums, lanes, the 1-bit tile) and includes this
// inside its target region and an anonymous namespace.

#include "epilogue.inl"

// ---- 1-bit convolution: row · block of output channels · tile of pixels ----
// What the steps of a row read and write (12 kB at 56 pixels of 53 channels) stays in L1 over its blocks.

template <int V>
void bconvBlocks(const BconvArgs& a, const uint8_t* weights, int blockChannel, int row) {
  const auto& w = a.windows;
  const int left = w.channels - blockChannel;
  const Floats perDifference = Floats::broadcast(a.perDifference);
  const uint32_t* const* pointers = w.pointers + row * w.pointersPerRow();
  forEachTile<kBconvPixels>(w.width, [&](auto tile, int x) {
    constexpr int P = decltype(tile)::value;
    constexpr int kGroups = V * kBconvLanes / kLanes;
    Ints counts[kGroups][P];
    bconvTile<P, V>(w, pointers, x * w.pixelStride, weights, left, counts);
    const Place place{w.firstPixel + static_cast<int64_t>(row) * w.width + x, row, x};
    const bool uniform = x >= a.interiorFirst && x + P <= a.interiorLast;
    BITPATH_UNROLL for (int g = 0; g < kGroups; ++g) {
      if (g * kLanes >= left) break;
      const int channel = w.firstChannel + blockChannel + g * kLanes;
      const float* base = a.rowBase[row] + channel;
      Floats v[P];
      if (uniform) {
        const Floats same = Floats::load(base + a.xBase[x]);
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = fma(toFloat(counts[g][p]), perDifference, same);
      } else {
        BITPATH_UNROLL for (int p = 0; p < P; ++p) {
          v[p] = fma(toFloat(counts[g][p]), perDifference, Floats::load(base + a.xBase[x + p]));
        }
      }
      finish<P>(a.epilogue, v, place, channel, left - g * kLanes);
    }
  });
}

void bconv(const BconvArgs& a) {
  const auto& w = a.windows;
  const ptrdiff_t blockBytes = w.words() * 4 * kBconvLanes;
  for (int row = 0; row < w.rows; ++row) {
    const uint8_t* weights = static_cast<const uint8_t*>(a.weights);
    int channel = 0;
    if constexpr (kBconvBlocks > 1) {
      for (; w.channels - channel > kBconvLanes; channel += kBconvBlocks * kBconvLanes) {
        bconvBlocks<kBconvBlocks>(a, weights, channel, row);
        weights += kBconvBlocks * blockBytes;
      }
    }
    for (; channel < w.channels; channel += kBconvLanes) {
      bconvBlocks<1>(a, weights, channel, row);
      weights += blockBytes;
    }
  }
}

// ---- real-valued convolution and matrix product: blocks of output channels · row · tile of pixels ----
// V blocks × P pixels are kGemmBlocks × kGemmPixels sums, enough to hide the latency of each; a single pixel (the classifier) has
// as many by more blocks, which also asks for more of its weights at a time.

constexpr int gemmPixels(int blocks) {
  return blocks > kGemmBlocks ? 1 : blocks == kGemmBlocks ? kGemmPixels : kGemmPixels * kGemmBlocks;
}
constexpr int kRowBlocks = 4 * kGemmBlocks;

template <int V>
void gemmBlocks(const GemmArgs& a, const float* weights, int blockChannel) {
  const auto& w = a.windows;
  const int left = w.channels - blockChannel;
  const ptrdiff_t blockFloats = static_cast<ptrdiff_t>(w.segmentCount) * w.segmentLength * kLanes;
  for (int r = 0; r < w.rows; ++r) {
    const float* const* segments = w.segments + static_cast<ptrdiff_t>(r) * w.segmentCount;
    forEachTile<gemmPixels(V)>(w.width, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      Floats sums[V][P];
      BITPATH_UNROLL for (int i = 0; i < V; ++i) {
        BITPATH_UNROLL for (int p = 0; p < P; ++p) sums[i][p] = Floats::zero();
      }
      const float* weight = weights;
      for (int s = 0; s < w.segmentCount; ++s) {
        const float* window = segments[s] + x * w.pixelStride;
        for (int k = 0; k < w.segmentLength; ++k, weight += kLanes) {
          Floats lanes[V];
          BITPATH_UNROLL for (int i = 0; i < V; ++i) lanes[i] = Floats::load(weight + i * blockFloats);
          BITPATH_UNROLL for (int p = 0; p < P; ++p) {
            const Floats element = Floats::broadcast(window[p * w.pixelStride + k]);
            BITPATH_UNROLL for (int i = 0; i < V; ++i) sums[i][p] = fma(element, lanes[i], sums[i][p]);
          }
        }
      }
      const Place place{w.firstPixel + static_cast<int64_t>(r) * w.width + x, r, x};
      BITPATH_UNROLL for (int i = 0; i < V; ++i) {
        if (i * kLanes >= left) break;
        finish<P>(a.epilogue, sums[i], place, w.firstChannel + blockChannel + i * kLanes, left - i * kLanes);
      }
    });
  }
}

// Sums is the vector of int32 sums of one block and pixel, with the products that it takes.
template <typename Sums, int V, typename Args, typename Weight>
void pixelBlocks(const Args& a, const Weight* weights, int blockChannel) {
  constexpr int kGroup = 4 / sizeof(Weight);
  const auto& w = a.windows;
  const int left = w.channels - blockChannel;
  const ptrdiff_t blockElements = static_cast<ptrdiff_t>(w.segmentCount) * w.segmentLength * kLanes;
  for (int r = 0; r < w.rows; ++r) {
    const auto* segments = w.segments + static_cast<ptrdiff_t>(r) * w.segmentCount;
    forEachTile<gemmPixels(V)>(w.width, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      Sums sums[V][P];
      BITPATH_UNROLL for (int i = 0; i < V; ++i) {
        BITPATH_UNROLL for (int p = 0; p < P; ++p) sums[i][p] = Sums::zero();
      }
      const Weight* weight = weights;
      for (int s = 0; s < w.segmentCount; ++s) {
        const auto* window = segments[s] + x * w.pixelStride;
        for (int k = 0; k < w.segmentLength; k += kGroup, weight += kGroup * kLanes) {
          Sums lanes[V];
          BITPATH_UNROLL for (int i = 0; i < V; ++i) lanes[i] = Sums::load(weight + i * blockElements);
          BITPATH_UNROLL for (int p = 0; p < P; ++p) {
            const Sums group = Sums::broadcast(window + p * w.pixelStride + k);
            BITPATH_UNROLL for (int i = 0; i < V; ++i) sums[i][p] = addProducts(sums[i][p], group, lanes[i]);
          }
        }
      }
      const Place place{w.firstPixel + static_cast<int64_t>(r) * w.width + x, r, x};
      const bool uniform = x >= a.interiorFirst && x + P <= a.interiorLast;
      BITPATH_UNROLL for (int i = 0; i < V; ++i) {
        if (i * kLanes >= left) break;
        const int channel = w.firstChannel + blockChannel + i * kLanes;
        const Floats scale = Floats::load(a.scale + channel);
        const float* bias = a.rowBias[r] + channel;
        Floats v[P];
        if (uniform) {
          const Floats same = Floats::load(bias + a.xBias[x]);
          BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = fma(toFloat(sums[i][p].ints()), scale, same);
        } else {
          BITPATH_UNROLL for (int p = 0; p < P; ++p) {
            v[p] = fma(toFloat(sums[i][p].ints()), scale, Floats::load(bias + a.xBias[x + p]));
          }
        }
        finish<P>(a.epilogue, v, place, channel, left - i * kLanes);
      }
    });
  }
}

template <int V>
void pixelGemmBlocks(const PixelGemmArgs& a, const int16_t* weights, int blockChannel) {
  pixelBlocks<PairSums, V>(a, weights, blockChannel);
}

// Blocks are taken kGemmBlocks at a time, the rest one by one; those of a single pixel, kRowBlocks first.
#define BITPATH_GEMM(name, Args, blocks)                                                              \
  void name(const Args& a) {                                                                          \
    const auto& w = a.windows;                                                                        \
    const ptrdiff_t block = static_cast<ptrdiff_t>(w.segmentCount) * w.segmentLength * kLanes;        \
    auto* weights = a.weights;                                                                        \
    int channel = 0;                                                                                  \
    if (w.rows * w.width == 1) {                                                                      \
      for (; w.channels - channel > (kRowBlocks - 1) * kLanes; channel += kRowBlocks * kLanes) {      \
        blocks<kRowBlocks>(a, weights, channel);                                                      \
        weights += kRowBlocks * block;                                                                \
      }                                                                                               \
    }                                                                                                 \
    for (; w.channels - channel > (kGemmBlocks - 1) * kLanes; channel += kGemmBlocks * kLanes) {      \
      blocks<kGemmBlocks>(a, weights, channel);                                                       \
      weights += kGemmBlocks * block;                                                                 \
    }                                                                                                 \
    for (; channel < w.channels; channel += kLanes, weights += block) blocks<1>(a, weights, channel); \
  }
BITPATH_GEMM(gemm, GemmArgs, gemmBlocks)
BITPATH_GEMM(pixelGemm, PixelGemmArgs, pixelGemmBlocks)

// ---- pooling: row · tile of pixels · vector of channels ----

struct MaxPooling {
  static constexpr bool kMayRepeat = true;  // a tap taken twice changes nothing
  static Floats start() { return Floats::broadcast(-std::numeric_limits<float>::infinity()); }
  static Floats step(Floats so_far, Floats tap) { return maximum(so_far, tap); }
  static Floats end(Floats so_far, float) { return so_far; }
};
struct AvgPooling {
  static constexpr bool kMayRepeat = false;
  static Floats start() { return Floats::broadcast(0.0f); }
  static Floats step(Floats so_far, Floats tap) { return add(so_far, tap); }
  static Floats end(Floats so_far, float count) { return divide(so_far, Floats::broadcast(count)); }
};

template <typename Pooling, int P, typename L>
inline void poolTile(const PoolArgs& a, const Place& place, int channel, L lanes) {
  const int top = (a.firstRow + place.row) * a.strideHeight - a.padTop;
  const int firstY = std::max(0, -top), lastY = std::min(a.kernelHeight, a.height - top);
  const int left = place.x * a.strideWidth - a.padLeft;
  const bool edge = left < 0 || left + (P - 1) * a.strideWidth + a.kernelWidth > a.width;
  if (P > 1 && edge && !Pooling::kMayRepeat) {
    // Pixels of the tile have different taps.
    BITPATH_UNROLL for (int p = 0; p < P; ++p) {
      poolTile<Pooling, 1>(a, {place.pixel + p, place.row, place.x + p}, channel, lanes);
    }
    return;
  }
  // Taps that some pixel of the tile has inside the map.
  const int firstX = std::max(0, -(left + (P - 1) * a.strideWidth)), lastX = std::min(a.kernelWidth, a.width - left);
  Floats v[P];
  BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = Pooling::start();
  for (int ky = firstY; ky < lastY; ++ky) {
    const float* row = a.image + (top + ky) * a.rowStride + channel;
    if (P > 1 && edge) {
      // For taps outside the map the nearest one, which is in the window too.
      for (int kx = firstX; kx < lastX; ++kx) {
        BITPATH_UNROLL for (int p = 0; p < P; ++p) {
          const int x = std::min(std::max(left + p * a.strideWidth + kx, 0), a.width - 1);
          v[p] = Pooling::step(v[p], Floats::load(row + x * a.pixelStride, lanes));
        }
      }
      continue;
    }
    const float* tap = row + (left + firstX) * a.pixelStride;
    for (int kx = firstX; kx < lastX; ++kx, tap += a.pixelStride) {
      BITPATH_UNROLL for (int p = 0; p < P; ++p) {
        v[p] = Pooling::step(v[p], Floats::load(tap + p * a.strideWidth * a.pixelStride, lanes));
      }
    }
  }
  const int count = a.countIncludePad ? a.kernelHeight * a.kernelWidth : (lastY - firstY) * (lastX - firstX);
  BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = Pooling::end(v[p], static_cast<float>(count));
  applySteps<P>(a.epilogue, v, place, channel, lanes);
}

template <typename Pooling>
void pool(const PoolArgs& a) {
  for (int r = 0; r < a.rows; ++r) {
    forEachTile<kPoolPixels>(a.outWidth, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      const Place place{a.firstPixel + static_cast<int64_t>(r) * a.outWidth + x, r, x};
      int channel = 0;
      for (; channel + kLanes <= a.channels; channel += kLanes) poolTile<Pooling, P>(a, place, channel, AllLanes{});
      if (channel < a.channels) poolTile<Pooling, P>(a, place, channel, FirstLanes(a.channels - channel));
    });
  }
}

void maxPool(const PoolArgs& a) { pool<MaxPooling>(a); }
void avgPool(const PoolArgs& a) { pool<AvgPooling>(a); }

// ---- element by element ----

template <int P, typename L>
inline void mapTile(const MapArgs& a, const float* source, const Place& place, int channel, L lanes) {
  Floats v[P];
  BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = Floats::load(source + p * a.pixelStride + channel, lanes);
  applySteps<P>(a.epilogue, v, place, channel, lanes);
}

void map(const MapArgs& a) {
  for (int r = 0; r < a.rows; ++r) {
    forEachTile<kPoolPixels>(a.width, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      const int64_t pixel = static_cast<int64_t>(r) * a.width + x;
      const float* source = a.source + pixel * a.pixelStride;
      const Place place{a.firstPixel + pixel, r, x};
      int channel = 0;
      for (; channel + kLanes <= a.channels; channel += kLanes) mapTile<P>(a, source, place, channel, AllLanes{});
      if (channel < a.channels) mapTile<P>(a, source, place, channel, FirstLanes(a.channels - channel));
    });
  }
}

// ---- over channels ----

// Lane l of 16 sums the channels c ≡ l (mod 16), so that all vector lengths add the same numbers in the same order.
inline float meanOfChannels(const float* pixel, int channels) {
  constexpr int kParts = 16 / kLanes;
  Floats sums[kParts];
  BITPATH_UNROLL for (int i = 0; i < kParts; ++i) sums[i] = Floats::zero();
  int channel = 0;
  for (; channel + 16 <= channels; channel += 16) {
    BITPATH_UNROLL for (int i = 0; i < kParts; ++i) sums[i] = add(sums[i], Floats::load(pixel + channel + i * kLanes));
  }
  BITPATH_UNROLL for (int i = 0; i < kParts; ++i, channel += kLanes) {
    const int left = channels - channel;
    if (left >= kLanes) {
      sums[i] = add(sums[i], Floats::load(pixel + channel));
    } else if (left > 0) {
      sums[i] = add(sums[i], Floats::load(pixel + channel, FirstLanes(left)));
    }
  }
  float lanes[16];
  BITPATH_UNROLL for (int i = 0; i < kParts; ++i) sums[i].store(lanes + i * kLanes, AllLanes{});
  for (int half = 8; half >= 1; half /= 2) {
    for (int l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0] / static_cast<float>(channels);
}

void channelMean(const MapArgs& a) {
  for (int r = 0; r < a.rows; ++r) {
    forEachTile<kPoolPixels>(a.width, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      const int64_t pixel = static_cast<int64_t>(r) * a.width + x;
      Floats v[P];
      BITPATH_UNROLL for (int p = 0; p < P; ++p) {
        v[p] = Floats::broadcast(meanOfChannels(a.source + (pixel + p) * a.pixelStride, a.channels));
      }
      applySteps<P>(a.epilogue, v, Place{a.firstPixel + pixel, r, x}, 0, FirstLanes(1));
    });
  }
}
