// The compiled Program: what lib/compiler writes and native code runs. It is hostile input: load() checks every field,
// offset and size again, so that no Program can make a kernel touch memory outside its arena, its constants or its input.
//
// A Program is two byte arrays.
//   code       int32 words, little-endian, laid out below
//   constants  parameters. "const" fields are byte offsets into it, multiples of 4 (1 for packed bits).
//
// All maps live in one arena of `arenaLines` 64-byte lines, sized for `batch` images. A run of n images takes ⌈n / batch⌉
// passes over the instructions; image i of a pass is i-th in each map.
//
//   header   magic 'BPTH' (0x48545042) · version (4) · batch · arenaLines · inputChannels · inputHeight · inputWidth
//            · outputCount · instructionCount
//   outputs  outputCount × FloatMap
//   then instructionCount × instruction:
//            opcode · wordCount (of the whole instruction, this word and the opcode included) · when · fields… ·
//            stepCount · steps…
//
//   when     0 always · 1 only when the input is float32 NCHW · 2 only when the input is uint8 NHWC
//
//   FloatMap (6)  line · height · width · channels · pixelStride · channelOffset
//            float32, pixel (n, y, x) starts at float ((n·height + y)·width + x)·pixelStride + channelOffset from `line`
//            on. A concat is several maps over the same lines.
//   BitMap (9)    line · height · width · channels · padTop · padLeft · padBottom · padRight · padBit
//            an image has padTop + height + padBottom rows, a row ⌈channels / 32⌉ planes one after another, a plane a uint32 word
//            for each of padLeft + width + padRight pixels; rows begin at lines. Channel c is bit c % 32 of the pixel's word in
//            plane c / 32, bits after the last channel are zero. Bits of padding pixels are padBit.
//            Several SIGNs may write a map, each its channels; the first one writes the padding and clears what others only
//            or bits into.
//
// Instructions make one value v per output element, in order of their own sum, then apply the steps to it.
//   1 INPUT        -                                       v = the input element. The map has the input's shape.
//   2 BINARY_CONV  src BitMap · outHeight outWidth outChannels · kernelH kernelW · strideH strideW · dilationH
//                  dilationW · groups · zeroPad · activations (0, 1 or 2) · bits const (uint8
//                  [outChannels, ⌈kernelH·kernelW·channels/groups / 8⌉])
//                  v = the integer dot product as float. Taps count over the padded map (top left tap of output (y, x) is
//                  padded pixel (y·strideH, x·strideW)). zeroPad 1: taps on padding add 0 (padBit must be 0).
//                  activations 0: a bit is ±1. 1: it is 0 or 1 (zeroPad must be 0). 2: it is ±½, so that two planes of bits
//                  are a ternary map.
//   3 CONV         src FloatMap · outHeight outWidth outChannels · kernelH kernelW · strideH strideW · padTop padLeft ·
//                  dilationH dilationW · groups · weight const (float [outChannels, kernelH, kernelW, channels/groups])
//                  v = Σ by one fused multiply-add a tap from +0, in (kh, kw, channel) order; taps outside the map add 0
//   4 PIXEL_CONV   (uint8 input) weightBytes (1 or 2) · outHeight outWidth outChannels · kernelH kernelW · strideH strideW · padTop padLeft ·
//                  dilationH dilationW · weight const (int8 or int16 [outChannels, kernelH, kernelW, inputChannels], |w| ≤ 127
//                  or 32767, 255·Σ|w| of an output channel < 2³¹) · scale const (float [outChannels]) ·
//                  yClassCount xClassCount · yClass const (int32 [outHeight]) · xClass const (int32 [outWidth]) ·
//                  bias const (float [yClassCount, xClassCount, outChannels])
//                  v = fma(float(Σ pixel·w over taps inside the image), scale[o], bias[yClass[y]][xClass[x]][o])
//   5 MAX_POOL     src FloatMap · outHeight outWidth · kernelH kernelW · strideH strideW · padTop padLeft
//                  v = the maximum over taps inside the map in (kh, kw) order, from −∞; NaN wins
//   6 AVG_POOL     src FloatMap · outHeight outWidth · kernelH kernelW · strideH strideW · padTop padLeft ·
//                  countIncludePad        v = (Σ over taps inside the map in (kh, kw) order, from +0) / count; count is
//                  kernelH·kernelW, or the number of taps inside the map (a window with none: 0/0 → refused at load)
//   7 MAP          src FloatMap                            v = the element
//   8 MAX_POOLED   inner opcode (3 or 4) and its fields · stepCount and steps of the inner instruction (1, 3, 4, 5, 8 or 11) ·
//                  outHeight outWidth · kernelH kernelW · strideH strideW · padTop padLeft
//                  v = MAX_POOL of the inner instruction's output, of which a few rows exist at a time
//   9 FILL         outHeight outWidth outChannels · value (float bits in the word)      v = value
//  10 CHANNEL_MEAN src FloatMap                            one channel: 16 sums of every 16th channel, from +0 in channel order,
//                  are added by halves (l and l + 8, l + 4, l + 2, l + 1); v = sum / channels
//  11 CHANNEL_INTERACTION  src FloatMap · pairCount · threshold · step (float bits in the words) · pairs const (int32
//                  [pairCount, 3]: source, target, sign), threshold > 0. From y = the element on, for each pair in order:
//                  a = y[source] ≥ threshold, b = y[source] ≤ −threshold, y[target] += step·(sign > 0 ? a − b : −(a + b)); v = y
//
// Steps, each rounding once:
//   1 AFFINE  mul const · add const (float [channels])     v = fma(v, mul[c], add[c])
//   2 ADD     FloatMap                                     v = v + map
//   3 SCALE   factor (float bits in the word)              v = v · factor
//   4 RELU    -                                            v = v < 0 ? +0 : v
//   5 PRELU   slope const (float [channels])               v = v < 0 ? v · slope[c] : v
//   6 STORE   FloatMap                                     map = v
//   7 SIGN    BitMap · firstBit · tailBit · clearedFrom ·      bit = (v xor flip[c]) ≥ threshold[c], of whole runs of 16 channels from
//             threshold const · flip const (−1 each        firstBit on, of the channels left over from tailBit on; flip is int32
//             for none)                                    [channels], 0 or the sign bit; default threshold 0, flip 0. Before, where
//                  clearedFrom ≥ 0: padding is written, planes from clearedFrom on are cleared. Whole runs from a multiple of 16 on
//                  need no clearing, unless groups of a convolution begin within them
//   8 HARDTANH  min · max (float bits in the words)        v = v < min ? min : v > max ? max : v
//   9 MUL       FloatMap                                     v = v · map
//  10 MUL_PIXELS  factors const (float [height, width])     v = v · factor of the pixel
//  11 SIGMOID   -                                            v = 1 / (1 + e^−v), by the operations of kernels/epilogue.inl
//  12 STORE_MAX_POOLED  FloatMap                             map = the maximum of v over windows of 2×2, as MAX_POOL makes it; the
//                  map is half as high and wide as the instruction's output, which is even
// A map in another step has the instruction's output shape, and that of an ADD or MUL may have one pixel, one channel or both
// instead, which stand for all; a bit map has room for the bits. An ADD may read the map that a later STORE of the same instruction
// overwrites: each element is read before it is written.
#pragma once

#include <cstdint>

namespace bitpath {

constexpr int32_t kProgramMagic = 0x48545042;
constexpr int32_t kProgramVersion = 4;

enum Opcode {
  kInput = 1,
  kBinaryConv,
  kConv,
  kPixelConv,
  kMaxPool,
  kAvgPool,
  kMap,
  kMaxPooled,
  kFill,
  kChannelMean,
  kChannelInteraction
};

}  // namespace bitpath
