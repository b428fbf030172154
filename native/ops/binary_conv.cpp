// The 1-bit convolution. The kernel reads the bit map itself (direct) where that costs few idle bits: whole kernel rows where a
// pixel fills its words, else tap by tap. Otherwise the taps of each kernel row of each window are first shifted together
// (gathered): three taps of 41 bits are 4 words instead of 6. A gathered row serves all kernel rows that read it.
#include <cstring>

#include "op.h"
#include "window.h"

namespace bitpath {

namespace {

// Rows of a gathered band at least: neighbouring bands gather kernelH − 1 rows twice.
constexpr int kGatheredRows = 14;

class BinaryConv final : public BandedOp {
 public:
  BinaryConv(ProgramReader& r, const KernelTable& kernels) : BandedOp("binaryConv", kernels) {
    source_ = r.bitMap();
    output_ = r.extent();
    window_.readKernelAndStride(r);
    window_.readDilation(r);
    const int channels = source_.extent.channels;
    groups_ = r.integer("groups", 1, channels);
    const bool zeroPad = r.flag("zeroPad");
    countedChannels_ = r.integer("countedChannels", 1, channels / groups_);
    activations_ = static_cast<Activations>(r.integer("activations", 0, 2));
    if (channels % groups_ != 0 || output_.channels % groups_ != 0) r.fail("groups do not divide the channels");
    if (zeroPad && source_.padBit) r.fail("zeroPad needs padBit 0");
    if (zeroPad && activations_ == Activations::Unipolar) r.fail("a bit that is 0 needs no zeroPad");
    if (window_.rowSpan(output_.height) > source_.paddedHeight() ||
        window_.columnSpan(output_.width) > source_.paddedWidth()) {
      r.fail("windows reach outside the padded bit map");
    }
    groupChannels_ = channels / groups_;
    groupOutputs_ = output_.channels / groups_;
    // What padding gives back is up to K more: base and dot product are exact as floats up to 2²⁴.
    const bool padded = zeroPad && source_.padTop + source_.padLeft + source_.padBottom + source_.padRight > 0;
    if (window_.taps() > (padded ? 1 << 23 : 1 << 24) / groupChannels_) r.fail("too many bits in a window");
    taps_ = static_cast<int>(window_.taps());

    chooseSegments();
    const int64_t rowBytes = divideUp(int64_t{taps_} * groupChannels_, 8);
    const uint8_t* bits = r.view("bits", output_.channels * rowBytes, 1);
    checkTails(r, bits, rowBytes);
    const WeightRows rows{bits, rowBytes, bits + output_.channels * rowBytes};
    packWeights(rows);
    makeBase(r, rows, zeroPad);
    finishLoad(r, direct_ ? 0 : kGatheredRows);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.kernel = std::string(kernels_.bconvName) + (direct_ ? "_direct" : "_gathered");
    info.weightBytes += static_cast<int64_t>(weights_.bytes() + base_.size() * sizeof(float));
    info.mapBytes += source_.bytes(1);
    info.macs = output_.pixels() * output_.channels * taps_ * countedChannels_;
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t* scratch, int,
               int) const override {
    const uint32_t** pointers = reinterpret_cast<const uint32_t**>(scratch);
    const float** rowBase = reinterpret_cast<const float**>(scratch + pointerBytes(band.rows));
    uint32_t* gathered = reinterpret_cast<uint32_t*>(scratch + pointerBytes(band.rows) + rowBaseBytes(band.rows));
    for (int r = 0; r < band.rows; ++r) rowBase[r] = base_.data() + yBase_[band.firstRow + r];

    for (int group = 0; group < groups_; ++group) {
      const ptrdiff_t pixelStride =
          direct_ ? pointDirect(band, pass, group, pointers) : gather(band, pass, group, pointers, gathered);
      BconvArgs args{};
      args.windows = makeWindows<uint32_t>(segments_, pointers, pixelStride, band.rows, output_.width, firstPixel(band),
                                           group * groupOutputs_, groupOutputs_);
      args.weights = weights_.data() + group * groupWeightBytes_;
      args.rowBase = rowBase;
      args.xBase = xBase_.data();
      args.interiorFirst = interior_.first;
      args.interiorLast = interior_.last;
      args.perDifference = activations_ == Activations::Sign ? -2.0f : -1.0f;
      args.epilogue = epilogue;
      kernels_.bconv(args);
    }
  }

  int64_t computeScratch(int rows) const override {
    const int64_t words = window_.rowSpan(rows) * segments_.parts * output_.width * segmentWords_ + kGatherSlack;
    return pointerBytes(rows) + rowBaseBytes(rows) + (direct_ ? 0 : words * 4);
  }

 private:
  // What a bit is worth: ±1 · 0 or 1 · ±½.
  enum class Activations { Sign, Unipolar, Half };

  static constexpr int64_t kGatherSlack = 4;  // words: bits are written eight bytes at a time

  // Units of the kernel that a window takes, tap by tap and gathered, decide: shifting costs about as much as a twentieth.
  void chooseSegments() {
    const int64_t channels = source_.extent.channels, unitBits = 8 * kernels_.bconvLayout.unitBytes;
    const bool neighbours = groups_ == 1 && window_.dilationW == 1 && channels % kWordBits == 0;
    const int64_t byTap = taps_ * divideUp(groupChannels_, unitBits);
    const int64_t byRow = window_.kernelH * divideUp(window_.kernelW * groupChannels_, unitBits);
    direct_ = groups_ == 1 ? neighbours || 20 * byTap <= 21 * byRow : groupChannels_ % kWordBits == 0;
    segments_ = Segments(window_, direct_ ? neighbours : groups_ == 1, groupChannels_);
    segmentWords_ = static_cast<int>(pixelWords(segments_.length));
  }

  int64_t pointerBytes(int rows) const { return roundUp(int64_t{rows} * segments_.count * 8, kLineBytes); }
  int64_t rowBaseBytes(int rows) const { return roundUp(int64_t{rows} * 8, kLineBytes); }

  void checkTails(ProgramReader& r, const uint8_t* bits, int64_t rowBytes) const {
    const int tail = static_cast<int>(int64_t{taps_} * groupChannels_ % 8);
    if (tail == 0) return;
    for (int o = 0; o < output_.channels; ++o) {
      if ((bits[(o + 1) * rowBytes - 1] >> tail) != 0) r.fail("weight bits after the last tap are not zero");
    }
  }

  // The weights as they come: [outChannels][rowBytes], K bits a row.
  struct WeightRows {
    const uint8_t* bits;
    int64_t rowBytes;
    const uint8_t* end;

    // The bits of row `o` from bit `bit` on, at most 32.
    uint32_t read(int o, int64_t bit, int64_t count) const {
      const uint8_t* from = bits + o * rowBytes + bit / 8;
      uint64_t word = 0;
      if (end - from >= 8) {
        word = loadBits(from);
      } else {
        std::memcpy(&word, from, static_cast<size_t>(end - from));
      }
      return static_cast<uint32_t>((word >> (bit % 8)) & lowBits(count));
    }
  };

  void packWeights(const WeightRows& rows) {
    const BconvLayout layout = kernels_.bconvLayout;
    const int64_t unitBits = 8 * layout.unitBytes;
    const int64_t units = divideUp(segments_.length, unitBits);
    const int64_t blocks = divideUp(groupOutputs_, layout.lanes);
    const int64_t unitRow = int64_t{layout.lanes} * layout.unitBytes;
    groupWeightBytes_ = blocks * segments_.count * units * unitRow;
    weights_ = AlignedBuffer(static_cast<size_t>(groups_ * groupWeightBytes_));
    for (int o = 0; o < output_.channels; ++o) {
      const int inGroup = o % groupOutputs_;
      uint8_t* block = weights_.data() + (o / groupOutputs_) * groupWeightBytes_ +
                       (inGroup / layout.lanes) * segments_.count * units * unitRow +
                       (inGroup % layout.lanes) * layout.unitBytes;
      for (int s = 0; s < segments_.count; ++s) {
        const int64_t segment = int64_t{s} * segments_.length;
        for (int64_t bit = 0; bit < segments_.length; bit += unitBits, block += unitRow) {
          const uint32_t word = rows.read(o, segment + bit, std::min<int64_t>(unitBits, segments_.length - bit));
          std::memcpy(block, &word, static_cast<size_t>(layout.unitBytes));
        }
      }
    }
  }

  // base = taps that count − 2·popcount is the dot product. A window inside the map has all K. A padded tap was packed as −1
  // and must count 0: it adds one to p where the weight is +1, so give back 2, and it is no tap that counts:
  //   Σ over valid taps a·w = K_valid − 2·(p − ones over padded taps).
  // Of bits that are ±½ it is half of that; of bits b = (a + 1) / 2, (Σ a·w + Σ w) / 2 = ones − p.
  void makeBase(ProgramReader& r, const WeightRows& rows, bool zeroPad) {
    const int height = zeroPad ? source_.extent.height : static_cast<int>(source_.paddedHeight());
    const int width = zeroPad ? source_.extent.width : static_cast<int>(source_.paddedWidth());
    const BorderClasses ys(output_.height, window_.kernelH, window_.strideH, window_.dilationH,
                           zeroPad ? source_.padTop : 0, height);
    const BorderClasses xs(output_.width, window_.kernelW, window_.strideW, window_.dilationW,
                           zeroPad ? source_.padLeft : 0, width);
    const int64_t stride = output_.channels + kLaneSlack;
    if (static_cast<int64_t>(xs.ranges.size()) > INT32_MAX / stride) r.fail("too many border classes");
    for (int32_t c : ys.of) yBase_.push_back(c * static_cast<int64_t>(xs.ranges.size()) * stride);
    for (int32_t c : xs.of) xBase_.push_back(static_cast<int32_t>(c * stride));
    interior_ = Interior(xs.of);
    base_.assign(ys.ranges.size() * xs.ranges.size() * static_cast<size_t>(stride), 0);

    // sums[ky][kx]: ones of the taps above and left of (ky, kx), so that any rectangle of taps is four look-ups.
    const int64_t columns = window_.kernelW + 1;
    std::vector<int32_t> sums(static_cast<size_t>((window_.kernelH + 1) * columns));
    for (int o = 0; o < output_.channels; ++o) {
      for (int ky = 0; ky < window_.kernelH; ++ky) {
        int32_t row = 0;
        for (int kx = 0; kx < window_.kernelW; ++kx) {
          row += tapOnes(rows, o, ky * window_.kernelW + kx);
          sums[(ky + 1) * columns + kx + 1] = sums[ky * columns + kx + 1] + row;
        }
      }
      float* to = base_.data() + o;
      for (const auto& y : ys.ranges) {
        for (const auto& x : xs.ranges) {
          const int32_t inside = sums[y.last * columns + x.last] - sums[y.first * columns + x.last] -
                                 sums[y.last * columns + x.first] + sums[y.first * columns + x.first];
          const int32_t valid = (y.last - y.first) * (x.last - x.first) * countedChannels_;
          const float whole = static_cast<float>(valid + 2 * (sums.back() - inside));
          *to = activations_ == Activations::Sign   ? whole
                : activations_ == Activations::Half ? whole / 2
                                                    : static_cast<float>(sums.back());
          to += stride;
        }
      }
    }
  }

  // Set bits among one tap's weights.
  int32_t tapOnes(const WeightRows& rows, int o, int tap) const {
    int32_t ones = 0;
    for (int64_t c = 0; c < groupChannels_; c += kWordBits) {
      ones +=
          popcount(rows.read(o, int64_t{tap} * groupChannels_ + c, std::min<int64_t>(kWordBits, groupChannels_ - c)));
    }
    return ones;
  }

  ptrdiff_t pointDirect(const Band& band, const Pass& pass, int group, const uint32_t** pointers) const {
    const ptrdiff_t stride = static_cast<ptrdiff_t>(source_.pixelStride());
    const ptrdiff_t groupWords = group * (groupChannels_ / kWordBits);
    for (int r = 0; r < band.rows; ++r, pointers += segments_.count) {
      segments_.point(window_, pointers, stride * window_.dilationW, [&](int ky) {
        const int64_t row = int64_t{band.firstRow + r} * window_.strideH + int64_t{ky} * window_.dilationH;
        return source_.row(pass.arena, band.image, row) + groupWords;
      });
    }
    return stride * window_.strideW;
  }

  // Shifts every window's segments of the band's source rows together: [row][part][x][word].
  ptrdiff_t gather(const Band& band, const Pass& pass, int group, const uint32_t** pointers, uint32_t* words) const {
    const int64_t firstRow = int64_t{band.firstRow} * window_.strideH;
    const ptrdiff_t partWords = static_cast<ptrdiff_t>(output_.width) * segmentWords_;
    const ptrdiff_t rowWords = segments_.parts * partWords;
    for (int64_t row = 0; row < window_.rowSpan(band.rows); ++row) {
      const uint32_t* bits = source_.row(pass.arena, band.image, firstRow + row);
      if (groups_ == 1) {
        gatherRow(bits, words + row * rowWords);
      } else {
        gatherTaps(bits, group, words + row * rowWords);
      }
    }
    for (int r = 0; r < band.rows; ++r, pointers += segments_.count) {
      segments_.point(window_, pointers, partWords, [&](int ky) -> const uint32_t* {
        const int64_t row = int64_t{r} * window_.strideH + int64_t{ky} * window_.dilationH;
        return words + row * rowWords;
      });
    }
    return segmentWords_;
  }

  void gatherRow(const uint32_t* bits, uint32_t* to) const {
    const bool neighbours = window_.strideW == 1 && window_.dilationW == 1;
    if (window_.kernelW == 3 && neighbours && groupChannels_ > 32 && groupChannels_ < 64) return concatThree(bits, to);
    if (window_.kernelW == 3 && groupChannels_ > 64 && groupChannels_ <= 128) return concatTaps<3, 2>(bits, to);
    concatTaps<0, 0>(bits, to);
  }

  // Three neighbouring pixels of 33 … 63 bits each, two words in memory: of a window and the next, two pixels are the same.
  void concatThree(const uint32_t* bits, uint32_t* to) const {
    const int channels = groupChannels_, width = output_.width, segmentWords = segmentWords_;
    const int second = 64 - channels,
              third = 2 * channels - 64;  // bits of tap 1 in word 0; where tap 2 begins in word 1
    uint64_t tap0 = loadBits(bits), tap1 = loadBits(bits + 2);
    bits += 4;
    if (3 * channels <= 128) {
      for (int x = 0; x < width; ++x, bits += 2, to += segmentWords) {
        const uint64_t tap2 = loadBits(bits);
        storeBits(to, tap0 | tap1 << channels);
        storeBits(to + 2, tap1 >> second | tap2 << third);
        tap0 = tap1, tap1 = tap2;
      }
    } else {
      for (int x = 0; x < width; ++x, bits += 2, to += segmentWords) {
        const uint64_t tap2 = loadBits(bits);
        storeBits(to, tap0 | tap1 << channels);
        storeBits(to + 2, tap1 >> second | tap2 << third);
        storeBits(to + 4, tap2 >> (64 - third));
        tap0 = tap1, tap1 = tap2;
      }
    }
  }

  // Each window's kernelW taps one after another. Eight bytes are written at a time: what they hold beyond a window's end the
  // next window overwrites. Taps and Words (of 64 bits a tap): numbers known at compile time, or 0.
  template <int Taps, int Words>
  void concatTaps(const uint32_t* bits, uint32_t* to) const {
    const int taps = Taps > 0 ? Taps : window_.kernelW;
    const int words = Words > 0 ? Words : static_cast<int>(divideUp(groupChannels_, 64));
    const uint64_t tailMask = lowBits(groupChannels_ - 64 * (words - 1));
    const ptrdiff_t pixel = static_cast<ptrdiff_t>(source_.pixelStride());
    const ptrdiff_t tapStride = pixel * window_.dilationW, windowStride = pixel * window_.strideW;
    const int channels = groupChannels_, width = output_.width, segmentWords = segmentWords_;
    for (int x = 0; x < width; ++x, bits += windowStride, to += segmentWords) {
      const uint32_t* tap = bits;
      uint64_t pending = 0;
      int64_t at = 0;
      for (int t = 0; t < taps; ++t, tap += tapStride) {
        const int shift = static_cast<int>(at % 64);
        uint32_t* out = to + at / 64 * 2;
        uint64_t last = 0;
        for (int i = 0; i < words; ++i) {
          const uint64_t word = loadBits(tap + 2 * i) & (i == words - 1 ? tailMask : ~uint64_t{0});
          last = pending | word << shift;
          storeBits(out + 2 * i, last);
          pending = (word >> 1) >> (63 - shift);
        }
        // The tap's end lies in the word written last, or in the one after it.
        const int64_t next = at + channels;
        if (next / 64 - at / 64 < words) pending = last;
        at = next;
      }
      storeBits(to + at / 64 * 2, pending);
    }
  }

  // One group's channels of each tap.
  void gatherTaps(const uint32_t* bits, int group, uint32_t* to) const {
    const ptrdiff_t pixel = static_cast<ptrdiff_t>(source_.pixelStride());
    const uint32_t tailMask = static_cast<uint32_t>(lowBits(groupChannels_ - (segmentWords_ - 1) * kWordBits));
    for (int part = 0; part < segments_.parts; ++part) {
      const uint32_t* tap = bits + part * pixel * window_.dilationW;
      for (int x = 0; x < output_.width; ++x, tap += pixel * window_.strideW) {
        for (int word = 0; word < segmentWords_; ++word) {
          *to++ = readWord(tap, int64_t{group} * groupChannels_ + word * kWordBits);
        }
        to[-1] &= tailMask;
      }
    }
  }

  BitMap source_;
  WindowShape window_;
  Segments segments_;
  int groups_ = 1, groupChannels_ = 1, countedChannels_ = 1, groupOutputs_ = 1, taps_ = 1;
  Activations activations_ = Activations::Sign;
  int segmentWords_ = 1;
  bool direct_ = false;
  AlignedBuffer weights_;
  int64_t groupWeightBytes_ = 0;
  std::vector<float> base_;
  std::vector<int64_t> yBase_;
  std::vector<int32_t> xBase_;
  Interior interior_;
};

}  // namespace

std::unique_ptr<Op> loadBinaryConv(ProgramReader& reader, const KernelTable& kernels) {
  return std::make_unique<BinaryConv>(reader, kernels);
}

}  // namespace bitpath
