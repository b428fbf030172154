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

// …Pixel: the operand is one number for each pixel.
enum class StepKind : uint8_t {
  Affine,
  Add,
  Scale,
  Relu,
  Prelu,
  Store,
  Sign,
  Hardtanh,
  Mul,
  MulPixel,
  Sigmoid,
  StoreMaxPooled,
  AddPixel
};

// Constants by channel are readable for so many channels more: a vector may be loaded from any channel on.
constexpr int kLaneSlack = 16;
// Channels whose signs lie side by side: the most lanes that a kernel has.
constexpr int kSignRun = 16;

// A step of an epilogue with its addresses resolved. Constants are indexed by channel. Without initialisers, because a task has
// room for many and uses few.
struct BoundStep {
  StepKind kind;
  const float* a;         // Affine: mul · Prelu: slope · Sign: threshold
  const float* b;         // Affine: add · Sign: flip (+0.0 or −0.0: its bits are xor-ed)
  float factor;           // Scale · Hardtanh: min
  float max;              // Hardtanh
  float* map;             // Add, Mul, Store: channel 0 of pixel 0 · AddPixel, MulPixel: the number of pixel 0
                          // StoreMaxPooled: channel 0 of the first pixel of the band, whose first row is even
  ptrdiff_t pixelStride;  // floats; 0 where one pixel stands for all
  uint32_t* bits;         // Sign: plane 0 of the pixel at row 0, x 0; the word of the pixel beside it is the next
  int firstBit;           // Sign: channel c goes to bit firstBit + c of the pixel, but
  int tailChannel;        // from here on, a multiple of kSignRun,
  int tailBit;            // to tailBit + c − tailChannel
  ptrdiff_t planeStride;  // Sign: words
  ptrdiff_t rowStride;    // Sign: words · StoreMaxPooled: floats
};

// What happens to a value between the instruction that makes it and memory. StoreMaxPooled wants the rows of a window, and the
// pixels of a row, in order. Sign writes the bits of its channels and no others: whole runs of
// kSignRun channels from a multiple of it on are stored, others or-ed in where they were zero.
struct Epilogue {
  const BoundStep* steps;
  int stepCount;
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

// A window of a bit map: `runCount` runs of `runWords` words that follow each other in memory, then `wordCount` single words. Row r's
// are at pointers[r·(runCount + wordCount) …], each at the window of output x = 0; the rest is as in Windows.
struct BitWindows {
  const uint32_t* const* pointers;
  int runCount;
  int runWords;
  int wordCount;
  ptrdiff_t pixelStride;  // words
  int rows;
  int width;
  int64_t firstPixel;
  int firstChannel;
  int channels;

  ptrdiff_t pointersPerRow() const { return static_cast<ptrdiff_t>(runCount) + wordCount; }
  ptrdiff_t words() const { return static_cast<ptrdiff_t>(runCount) * runWords + wordCount; }
};

// popcount(activation xor weight) over the window, p; v = base + perDifference·p: −2, or −1 where a bit is worth half.
//
// base is the float [rowBase + xBase[x] + channel]: the number of taps that count, K for a window inside the map, corrected for
// padding. K ≤ 2²⁴, so that p fits 32 bits, no sum overflows, and every dot product is exact in float32. xBase is the same for
// all x from interiorFirst to interiorLast − 1.
struct BconvArgs {
  BitWindows windows;
  const void* weights;          // packed as `bconvLayout` says
  const float* const* rowBase;  // per row
  const int32_t* xBase;         // per x: offset into rowBase[r]
  int interiorFirst, interiorLast;
  float perDifference;
  Epilogue epilogue;
};

// v = Σ over the window by one fused multiply-add an element, in order, from +0.
struct GemmArgs {
  Windows<float> windows;
  const float* weights;  // [⌈channels / lanes⌉][K][lanes]
  Epilogue epilogue;
};

// v = fma(float(Σ pixel·weight), scale, bias), the sum in int32: the Program promises 255·Σ|weight| < 2³¹. Four bytes of a
// window's elements are multiplied at a time: a group of 2 int16 or 4 uint8. Segments are whole groups: the elements after a
// segment are readable and their weights 0.
template <typename Pixel, typename Weight>
struct PixelConvArgs {
  Windows<Pixel> windows;
  const Weight* weights;            // [⌈channels / lanes⌉][K / group][lanes][group]
  const float* scale;               // by channel
  const float* const* rowBias;      // per row
  const int32_t* xBias;             // per x: offset into rowBias[r]
  int interiorFirst, interiorLast;  // as of BconvArgs
  Epilogue epilogue;
};
using PixelGemmArgs = PixelConvArgs<int16_t, int16_t>;
using PixelGemm8Args = PixelConvArgs<uint8_t, int8_t>;

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

// v = the element: pixel p of rows·width is at source + p·pixelStride. For channelMean, `channels` are the source's.
struct MapArgs {
  const float* source;
  ptrdiff_t pixelStride;
  int64_t firstPixel;
  int rows, width;
  int channels;
  Epilogue epilogue;
};

// How 1-bit weights lie in memory: [⌈channels / lanes⌉][word of the window][4 / unitBytes][lanes] units, a word's lowest bits first.
struct BconvLayout {
  int lanes;
  int unitBytes;
};

// The inner loop's instructions on registers alone: `macs` multiply-accumulates an iteration. See peak.h.
struct PeakLoop {
  void (*run)(int64_t iterations);
  int macs;
};

struct KernelTable {
  const char* isa;
  const char* bconvName;
  const char* gemmName;
  BconvLayout bconvLayout;
  int lanes;  // channels of a float vector: of matrix products and of the epilogue
  void (*bconv)(const BconvArgs&);
  void (*gemm)(const GemmArgs&);
  void (*pixelGemm)(const PixelGemmArgs&);
  void (*pixelGemm8)(const PixelGemm8Args&);  // null where 8-bit products are no quicker than 16-bit ones
  void (*maxPool)(const PoolArgs&);
  void (*avgPool)(const PoolArgs&);
  void (*map)(const MapArgs&);
  void (*channelMean)(const MapArgs&);
  PeakLoop binaryPeak, realPeak, pixelPeak, pixel8Peak;  // the last as pixelGemm8
};

}  // namespace bitpath
