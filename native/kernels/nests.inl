// The loop nests, written once. An ISA's file brings the vocabulary (F8, lanes, wide vectors, tile cores) and includes this
// inside its target region and an anonymous namespace.

// Turns a run-time tile width into a template argument.
template <int Max, typename Tile>
inline void dispatchTile(int count, int x, Tile& tile) {
  if constexpr (Max > 1) {
    if (count < Max) return dispatchTile<Max - 1>(count, x, tile);
  }
  tile(std::integral_constant<int, Max>{}, x);
}

#include "epilogue.inl"

inline int unitsOf(int bits, int unitBytes) { return (bits + 8 * unitBytes - 1) / (8 * unitBytes); }

// ---- 1-bit convolution: block of output channels · row · tile of pixels ----
// The weights of one block (4.6 kB at C = 512) stay in L1 over all rows of the band.

template <int V>
void bconvBlocks(const BconvArgs& a, const uint8_t* weights, int blockChannel) {
  const auto& w = a.windows;
  const int left = w.channels - blockChannel;
  for (int r = 0; r < w.rows; ++r) {
    const uint64_t* const* segments = w.segments + static_cast<ptrdiff_t>(r) * w.segmentCount;
    forEachTile<kBconvPixels>(w.width, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      constexpr int kGroups = V * kBconvLanes / 8;
      I8 counts[kGroups][P];
      bconvTile<P, V>(w, segments, x * w.pixelStride, weights, counts);
      for (int g = 0; g < kGroups && g * 8 < left; ++g) {
        const int channel = w.firstChannel + blockChannel + g * 8;
        F8 v[P];
        for (int p = 0; p < P; ++p) {
          v[p] = dotProduct(I8::load(a.rowBase[r] + a.xBase[x + p] + channel), counts[g][p]);
        }
        finish<P>(a.epilogue, v, w.firstPixel + static_cast<int64_t>(r) * w.width + x, channel, left - g * 8);
      }
    });
  }
}

void bconv(const BconvArgs& a) {
  const auto& w = a.windows;
  const ptrdiff_t blockBytes = static_cast<ptrdiff_t>(w.segmentCount) * unitsOf(w.segmentLength, kBconvUnitBytes) *
                               kBconvUnitBytes * kBconvLanes;
  const uint8_t* weights = static_cast<const uint8_t*>(a.weights);
  int channel = 0;
  if constexpr (kBconvBlocks > 1) {
    for (; w.channels - channel > kBconvLanes; channel += kBconvBlocks * kBconvLanes) {
      bconvBlocks<kBconvBlocks>(a, weights, channel);
      weights += kBconvBlocks * blockBytes;
    }
  }
  for (; channel < w.channels; channel += kBconvLanes) {
    bconvBlocks<1>(a, weights, channel);
    weights += blockBytes;
  }
}

// ---- real-valued convolution and matrix product: blocks of output channels · row · tile of pixels ----

template <int V>
void gemmBlocks(const GemmArgs& a, const float* weights, int blockChannel) {
  const auto& w = a.windows;
  const int left = w.channels - blockChannel;
  const ptrdiff_t blockFloats = static_cast<ptrdiff_t>(w.segmentCount) * w.segmentLength * kGemmLanes;
  for (int r = 0; r < w.rows; ++r) {
    const float* const* segments = w.segments + static_cast<ptrdiff_t>(r) * w.segmentCount;
    forEachTile<kGemmPixels>(w.width, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      FW sums[V][P];
      for (int i = 0; i < V; ++i) {
        for (int p = 0; p < P; ++p) sums[i][p] = FW::zero();
      }
      const float* weight = weights;
      for (int s = 0; s < w.segmentCount; ++s) {
        const float* window = segments[s] + x * w.pixelStride;
        for (int k = 0; k < w.segmentLength; ++k, weight += kGemmLanes) {
          FW lanes[V];
          for (int i = 0; i < V; ++i) lanes[i] = FW::load(weight + i * blockFloats);
          for (int p = 0; p < P; ++p) {
            const FW element = FW::broadcast(window[p * w.pixelStride + k]);
            for (int i = 0; i < V; ++i) sums[i][p] = fma(element, lanes[i], sums[i][p]);
          }
        }
      }
      for (int i = 0; i < V; ++i) {
        for (int g = 0; g < kGemmLanes / 8; ++g) {
          const int offset = i * kGemmLanes + g * 8;
          if (offset >= left) break;
          F8 v[P];
          for (int p = 0; p < P; ++p) v[p] = sums[i][p].eight(g);
          finish<P>(a.epilogue, v, w.firstPixel + static_cast<int64_t>(r) * w.width + x,
                    w.firstChannel + blockChannel + offset, left - offset);
        }
      }
    });
  }
}

template <int V>
void pixelGemmBlocks(const PixelGemmArgs& a, const int16_t* weights, int blockChannel) {
  const auto& w = a.windows;
  const int left = w.channels - blockChannel;
  const ptrdiff_t blockElements = static_cast<ptrdiff_t>(w.segmentCount) * w.segmentLength * kGemmLanes;
  for (int r = 0; r < w.rows; ++r) {
    const int16_t* const* segments = w.segments + static_cast<ptrdiff_t>(r) * w.segmentCount;
    forEachTile<kGemmPixels>(w.width, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      IW sums[V][P];
      for (int i = 0; i < V; ++i) {
        for (int p = 0; p < P; ++p) sums[i][p] = IW::zero();
      }
      const int16_t* weight = weights;
      for (int s = 0; s < w.segmentCount; ++s) {
        const int16_t* window = segments[s] + x * w.pixelStride;
        for (int k = 0; k < w.segmentLength; k += 2, weight += 2 * kGemmLanes) {
          IW lanes[V];
          for (int i = 0; i < V; ++i) lanes[i] = IW::load(weight + i * blockElements);
          for (int p = 0; p < P; ++p) {
            const IW pair = IW::broadcastPair(window + p * w.pixelStride + k);
            for (int i = 0; i < V; ++i) sums[i][p] = dotPairs(sums[i][p], pair, lanes[i]);
          }
        }
      }
      for (int i = 0; i < V; ++i) {
        for (int g = 0; g < kGemmLanes / 8; ++g) {
          const int offset = i * kGemmLanes + g * 8;
          if (offset >= left) break;
          const int channel = w.firstChannel + blockChannel + offset;
          const F8 scale = F8::load(a.scale + channel);
          F8 v[P];
          for (int p = 0; p < P; ++p) {
            v[p] = fma(toFloat(sums[i][p].eight(g)), scale, F8::load(a.rowBias[r] + a.xBias[x + p] + channel));
          }
          finish<P>(a.epilogue, v, w.firstPixel + static_cast<int64_t>(r) * w.width + x, channel, left - offset);
        }
      }
    });
  }
}

// Blocks are taken kGemmBlocks at a time, the rest one by one.
#define BITPATH_GEMM(name, Args, blocks)                                                                  \
  void name(const Args& a) {                                                                              \
    const auto& w = a.windows;                                                                            \
    const ptrdiff_t block = static_cast<ptrdiff_t>(w.segmentCount) * w.segmentLength * kGemmLanes;        \
    auto* weights = a.weights;                                                                            \
    int channel = 0;                                                                                      \
    for (; w.channels - channel > (kGemmBlocks - 1) * kGemmLanes; channel += kGemmBlocks * kGemmLanes) {  \
      blocks<kGemmBlocks>(a, weights, channel);                                                           \
      weights += kGemmBlocks * block;                                                                     \
    }                                                                                                     \
    for (; channel < w.channels; channel += kGemmLanes, weights += block) blocks<1>(a, weights, channel); \
  }
BITPATH_GEMM(gemm, GemmArgs, gemmBlocks)
BITPATH_GEMM(pixelGemm, PixelGemmArgs, pixelGemmBlocks)
#undef BITPATH_GEMM

// ---- pooling: row · tile of pixels · 8 channels ----

struct MaxPooling {
  static F8 start() { return F8::broadcast(-std::numeric_limits<float>::infinity()); }
  static F8 step(F8 so_far, F8 tap) { return maximum(so_far, tap); }
  static F8 end(F8 so_far, float) { return so_far; }
};
struct AvgPooling {
  static F8 start() { return F8::broadcast(0.0f); }
  static F8 step(F8 so_far, F8 tap) { return add(so_far, tap); }
  static F8 end(F8 so_far, float count) { return divide(so_far, F8::broadcast(count)); }
};

template <typename Pooling, int P, typename L>
inline void poolTile(const PoolArgs& a, int y, int x, int channel, int64_t pixel, L lanes) {
  const int top = y * a.strideHeight - a.padTop;
  const int firstY = std::max(0, -top), lastY = std::min(a.kernelHeight, a.height - top);
  const int firstLeft = x * a.strideWidth - a.padLeft;
  const bool inside = firstLeft >= 0 && firstLeft + (P - 1) * a.strideWidth + a.kernelWidth <= a.width;
  F8 v[P];
  for (int p = 0; p < P; ++p) v[p] = Pooling::start();
  for (int ky = firstY; ky < lastY; ++ky) {
    const float* row = a.image + (top + ky) * a.rowStride + channel;
    if (inside) {  // all pixels of the tile have all taps of the row: taps outside, pixels inside
      const float* tap = row + firstLeft * a.pixelStride;
      for (int kx = 0; kx < a.kernelWidth; ++kx, tap += a.pixelStride) {
        for (int p = 0; p < P; ++p)
          v[p] = Pooling::step(v[p], F8::load(tap + p * a.strideWidth * a.pixelStride, lanes));
      }
    } else {
      for (int p = 0; p < P; ++p) {
        const int left = firstLeft + p * a.strideWidth;
        const int firstX = std::max(0, -left), lastX = std::min(a.kernelWidth, a.width - left);
        for (int kx = firstX; kx < lastX; ++kx)
          v[p] = Pooling::step(v[p], F8::load(row + (left + kx) * a.pixelStride, lanes));
      }
    }
  }
  for (int p = 0; p < P; ++p) {
    const int left = firstLeft + p * a.strideWidth;
    const int taps = std::min(a.kernelWidth, a.width - left) - std::max(0, -left);
    const int count = a.countIncludePad ? a.kernelHeight * a.kernelWidth : (lastY - firstY) * taps;
    v[p] = Pooling::end(v[p], static_cast<float>(count));
  }
  applySteps<P>(a.epilogue, v, pixel, channel, lanes);
}

template <typename Pooling>
void pool(const PoolArgs& a) {
  for (int r = 0; r < a.rows; ++r) {
    forEachTile<kPoolPixels>(a.outWidth, [&](auto tile, int x) {
      constexpr int P = decltype(tile)::value;
      const int64_t pixel = a.firstPixel + static_cast<int64_t>(r) * a.outWidth + x;
      int channel = 0;
      for (; channel + 8 <= a.channels; channel += 8) {
        poolTile<Pooling, P>(a, a.firstRow + r, x, channel, pixel, AllLanes{});
      }
      if (channel < a.channels) {
        poolTile<Pooling, P>(a, a.firstRow + r, x, channel, pixel, FirstLanes(a.channels - channel));
      }
    });
  }
}

void maxPool(const PoolArgs& a) { pool<MaxPooling>(a); }
void avgPool(const PoolArgs& a) { pool<AvgPooling>(a); }

// ---- element by element ----

template <int P, typename L>
inline void mapTile(const MapArgs& a, int64_t pixel, int channel, L lanes) {
  F8 v[P];
  const float* source = a.source + pixel * a.pixelStride + channel;
  for (int p = 0; p < P; ++p) v[p] = F8::load(source + p * a.pixelStride, lanes);
  applySteps<P>(a.epilogue, v, a.firstPixel + pixel, channel, lanes);
}

template <int P>
inline void mapPixels(const MapArgs& a, int64_t pixel) {
  int channel = 0;
  for (; channel + 8 <= a.channels; channel += 8) mapTile<P>(a, pixel, channel, AllLanes{});
  if (channel < a.channels) mapTile<P>(a, pixel, channel, FirstLanes(a.channels - channel));
}

void map(const MapArgs& a) {
  int64_t pixel = 0;
  for (; pixel + kPoolPixels <= a.count; pixel += kPoolPixels) mapPixels<kPoolPixels>(a, pixel);
  for (; pixel < a.count; ++pixel) mapPixels<1>(a, pixel);
}
