// The contract of each kernel. One table an instruction set; all tables give the same bits.
//
// Maps are float32 NHWC. A pixel of a step's map is found by its linear index (n·height + y)·width + x, because every map in
// a step has the shape of the instruction's output. Kernels touch exactly the channels that exist: the lane tail is masked.
//
// Kernels check nothing and allocate nothing: ops/ has checked the Program and gives them pointers that hold.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitpath {

enum class StepKind : uint8_t { Affine, Add, Scale, Relu, Prelu, Store, Sign, Hardtanh };

// A step of an epilogue with its addresses resolved. Constants are indexed by channel and readable up to the next multiple
// of 8 channels.
struct BoundStep {
  StepKind kind;
  const float* a = nullptr;   // Affine: mul · Prelu: slope · Sign: threshold
  const float* b = nullptr;   // Affine: add · Sign: flip (+0.0 or −0.0: its bits are xor-ed)
  float factor = 0;           // Scale · Hardtanh: min
  float max = 0;              // Hardtanh
  float* map = nullptr;       // Add, Store: channel 0 of pixel 0
  ptrdiff_t pixelStride = 0;  // floats
  uint8_t* masks = nullptr;   // Sign: see Epilogue
};

// What happens to a value between the instruction that makes it and memory. Sign writes one bit a channel into `masks`:
// pixel p's are the maskStride bytes from (p − firstPixel)·maskStride on, channel c's bit is bit c % 8 of byte c / 8. A kernel
// ORs them in where its channels do not begin at a multiple of 8, so masks begin as zeros.
struct Epilogue {
  const BoundStep* steps;
  int stepCount;
  int maskStride;
  int64_t firstPixel;
};

// A window is `segmentCount` runs of `segmentLength` elements in memory: a kernel row of a dense map is one run, otherwise a
// tap is. Row r's segments are segments[r·segmentCount …], each at the window of output x = 0; the window of x begins
// x·pixelStride elements further. Row r writes the pixels from firstPixel + r·width on.
template <typename Element>
struct Windows {
  const Element* const* segments;
  int segmentCount;
  int segmentLength;
  ptrdiff_t pixelStride;
  int rows;
  int width;
  int64_t firstPixel;
  int firstChannel;  // of the output, where the weights' first one goes
  int channels;      // output channels to make, from firstChannel on
};

// popcount(activation xor weight) over the window, p; v = float(base − 2·p).
//
// base is int32 [rowBase + xBase[x] + channel]: the number of taps that count, K for a window inside the map, corrected for
// padding. K ≤ 2²⁴, so that p fits 32 bits, no sum overflows, and every dot product is exact in float32.
struct BconvArgs {
  Windows<uint64_t> windows;      // segmentLength in bits; the words' tail bits are equal in both operands
  const void* weights;            // packed as `bconvLayout` says
  const int32_t* const* rowBase;  // per row
  const int32_t* xBase;           // per x: offset into rowBase[r]
  Epilogue epilogue;
};

// v = Σ over the window by one fused multiply-add an element, in order, from +0.
struct GemmArgs {
  Windows<float> windows;
  const float* weights;  // [⌈channels / gemmLanes⌉][K][gemmLanes]
  Epilogue epilogue;
};

// v = fma(float(Σ pixel·weight), scale, bias), the sum in int32: the Program promises 255·Σ|weight| < 2³¹.
struct PixelGemmArgs {
  Windows<int16_t> windows;     // segmentLength even: the element after an odd segment is readable and its weight 0
  const int16_t* weights;       // [⌈channels / gemmLanes⌉][K / 2][gemmLanes][2]
  const float* scale;           // by channel
  const float* const* rowBias;  // per row
  const int32_t* xBias;         // per x: offset into rowBias[r]
  Epilogue epilogue;
};

// Pools over taps inside the map; count: what a sum is divided by.
struct PoolArgs {
  const float* image;                // channel 0 of pixel (0, 0)
  ptrdiff_t pixelStride, rowStride;  // floats
  int height, width;
  int kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft;
  bool countIncludePad;
  int firstRow, rows, outWidth;  // output rows
  int channels;
  int64_t firstPixel;
  Epilogue epilogue;
};

// v = the element: pixel p of `count` is at source + p·pixelStride.
struct MapArgs {
  const float* source;
  ptrdiff_t pixelStride;
  int64_t firstPixel;
  int64_t count;
  int channels;
  Epilogue epilogue;
};

// How 1-bit weights lie in memory: [⌈channels / lanes⌉][segment][⌈segment bits / (8·unitBytes)⌉][lanes] units.
struct BconvLayout {
  int lanes;
  int unitBytes;
};

struct KernelTable {
  const char* isa;
  const char* bconvName;
  const char* gemmName;
  BconvLayout bconvLayout;
  int gemmLanes;
  void (*bconv)(const BconvArgs&);
  void (*gemm)(const GemmArgs&);
  void (*pixelGemm)(const PixelGemmArgs&);
  void (*maxPool)(const PoolArgs&);
  void (*avgPool)(const PoolArgs&);
  void (*map)(const MapArgs&);
};

}  // namespace bitpath
