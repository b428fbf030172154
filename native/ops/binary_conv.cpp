// The 1-bit convolution. A kernel row of a window is, of each plane of the bit map, kernelW words in a run. Channels that leave a
// plane partly empty would leave it so in every word: where that pays, the taps of the last plane are first shifted together
// (gathered). Three taps of 41 bits are then 4 words instead of 6. A gathered row serves all kernel rows that read it.
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

    layOut();
    const int64_t rowBytes = divideUp(int64_t{taps_} * groupChannels_, 8);
    const uint8_t* bits = r.view("bits", output_.channels * rowBytes, 1);
    checkTails(r, bits, rowBytes);
    const WeightRows rows{bits, rowBytes, bits + output_.channels * rowBytes};
    packWeights(rows);
    makeBase(r, rows, zeroPad);
    finishLoad(r, realigned_ || gatheredWords_ > 0 ? kGatheredRows : 0);
  }

  OpInfo info() const override {
    OpInfo info = BandedOp::info();
    info.kernel = std::string(kernels_.bconvName) + (realigned_ || gatheredWords_ > 0 ? "_gathered" : "_direct");
    info.weightBytes += static_cast<int64_t>(weights_.bytes() + base_.size() * sizeof(float));
    info.mapBytes += source_.bytes(1);
    info.macs = output_.pixels() * output_.channels * taps_ * groupChannels_;
    return info;
  }

 protected:
  void compute(const Band& band, const Pass& pass, const Epilogue& epilogue, uint8_t* scratch, int,
               int) const override {
    const uint32_t** pointers = reinterpret_cast<const uint32_t**>(scratch);
    const float** rowBase = reinterpret_cast<const float**>(scratch + pointerBytes(band.rows));
    uint32_t* words = reinterpret_cast<uint32_t*>(scratch + pointerBytes(band.rows) + rowBaseBytes(band.rows));
    uint32_t* gathered = words + realignedWords(band.rows);
    for (int r = 0; r < band.rows; ++r) rowBase[r] = base_.data() + yBase_[band.firstRow + r];

    for (int group = 0; group < groups_; ++group) {
      const Planes planes = realigned_ ? realign(band, pass, group, words) : planesOfGroup(band, pass, group);
      if (gatheredWords_ > 0) gather(planes, band, gathered);
      point(planes, gathered, band, pointers);
      BconvArgs args{};
      args.windows = windows_;
      args.windows.pointers = pointers;
      args.windows.rows = band.rows;
      args.windows.firstPixel = firstPixel(band);
      args.windows.firstChannel = group * groupOutputs_;
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
    const int64_t gathered = window_.rowSpan(rows) * gatheredWords_ * gatheredColumns();
    return pointerBytes(rows) + rowBaseBytes(rows) + (realignedWords(rows) + gathered) * 4;
  }

 private:
  // What a bit is worth: ±1 · 0 or 1 · ±½.
  enum class Activations { Sign, Unipolar, Half };

  // The planes that a group's windows read, from the band's first source row on.
  struct Planes {
    const uint32_t* firstRow;
    ptrdiff_t rowStride, planeStride;

    const uint32_t* at(int64_t row, int64_t plane) const { return firstRow + row * rowStride + plane * planeStride; }
  };

  void layOut() {
    const int planes = static_cast<int>(planesOf(groupChannels_));
    realigned_ = groups_ > 1 && groupChannels_ % kWordBits != 0;
    lastBits_ = static_cast<int>(groupChannels_ - (planes - 1) * kWordBits);
    gatheredWords_ = static_cast<int>(divideUp(int64_t{window_.kernelW} * lastBits_, kWordBits));
    if (gatheredWords_ >= window_.kernelW) gatheredWords_ = 0;
    wholePlanes_ = planes - (gatheredWords_ > 0 ? 1 : 0);

    const bool runs = window_.kernelW > 1 && window_.dilationW == 1;
    windows_.runCount = runs ? window_.kernelH * wholePlanes_ : 0;
    windows_.runWords = window_.kernelW;
    windows_.wordCount = window_.kernelH * (gatheredWords_ + (runs ? 0 : wholePlanes_ * window_.kernelW));
    windows_.pixelStride = window_.strideW;
    windows_.width = output_.width;
    windows_.channels = groupOutputs_;
  }

  int64_t columns() const { return window_.columnSpan(output_.width); }
  int64_t gatheredColumns() const { return columns() - (window_.kernelW - 1) * int64_t{window_.dilationW}; }
  int64_t realignedWords(int rows) const {
    return realigned_ ? window_.rowSpan(rows) * planesOf(groupChannels_) * columns() : 0;
  }
  int64_t pointerBytes(int rows) const { return roundUp(rows * windows_.pointersPerRow() * 8, kLineBytes); }
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
    const int64_t wordBytes = int64_t{layout.lanes} * 4, unitRow = int64_t{layout.lanes} * layout.unitBytes;
    const int64_t blockBytes = windows_.words() * wordBytes;
    groupWeightBytes_ = divideUp(groupOutputs_, layout.lanes) * blockBytes;
    weights_ = AlignedBuffer(static_cast<size_t>(groups_ * groupWeightBytes_));
    for (int o = 0; o < output_.channels; ++o) {
      const int inGroup = o % groupOutputs_;
      uint8_t* unit = weights_.data() + (o / groupOutputs_) * groupWeightBytes_ +
                      (inGroup / layout.lanes) * blockBytes + (inGroup % layout.lanes) * layout.unitBytes;
      const auto put = [&](uint32_t word) {
        for (int bit = 0; bit < kWordBits; bit += 8 * layout.unitBytes, unit += unitRow) {
          const uint32_t part = word >> bit;
          std::memcpy(unit, &part, static_cast<size_t>(layout.unitBytes));
        }
      };
      for (int ky = 0; ky < window_.kernelH; ++ky) {
        for (int plane = 0; plane < wholePlanes_; ++plane) {
          for (int kx = 0; kx < window_.kernelW; ++kx) put(planeBits(rows, o, ky, kx, plane));
        }
      }
      for (int ky = 0; ky < window_.kernelH; ++ky) {
        for (int word = 0; word < gatheredWords_; ++word) {
          uint32_t together = 0;
          forTapsOf(word, [&](int kx, int left, int right) {
            together |= planeBits(rows, o, ky, kx, wholePlanes_) << left >> right;
          });
          put(together);
        }
      }
    }
  }

  // One tap's weights of a plane.
  uint32_t planeBits(const WeightRows& rows, int o, int ky, int kx, int plane) const {
    const int64_t channel = int64_t{plane} * kWordBits;
    return rows.read(o, (int64_t{ky} * window_.kernelW + kx) * groupChannels_ + channel,
                     std::min<int64_t>(kWordBits, groupChannels_ - channel));
  }

  // The taps with bits in a gathered word, and the shifts, left and right, that bring those of the last plane there.
  template <typename Tap>
  void forTapsOf(int word, Tap tap) const {
    const int64_t firstBit = word * kWordBits;
    const int64_t last = std::min<int64_t>(window_.kernelW, divideUp(firstBit + kWordBits, lastBits_));
    for (int kx = static_cast<int>(firstBit / lastBits_); kx < last; ++kx) {
      const int64_t shift = int64_t{kx} * lastBits_ - firstBit;
      tap(kx, static_cast<int>(std::max<int64_t>(0, shift)), static_cast<int>(std::max<int64_t>(0, -shift)));
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
          const int32_t valid = (y.last - y.first) * (x.last - x.first) * groupChannels_;
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

  Planes planesOfGroup(const Band& band, const Pass& pass, int group) const {
    const ptrdiff_t planeStride = static_cast<ptrdiff_t>(source_.planeStride());
    const uint32_t* row = source_.row(pass.arena, band.image, int64_t{band.firstRow} * window_.strideH);
    return {row + group * (groupChannels_ / kWordBits) * planeStride, static_cast<ptrdiff_t>(source_.rowStride()),
            planeStride};
  }

  // A group whose channels begin within a word, shifted to its beginning.
  Planes realign(const Band& band, const Pass& pass, int group, uint32_t* words) const {
    const int64_t firstRow = int64_t{band.firstRow} * window_.strideH, width = columns();
    uint32_t* to = words;
    for (int64_t row = 0; row < window_.rowSpan(band.rows); ++row) {
      const uint32_t* from = source_.row(pass.arena, band.image, firstRow + row);
      for (int64_t channel = 0; channel < groupChannels_; channel += kWordBits, to += width) {
        const int64_t bit = int64_t{group} * groupChannels_ + channel, count = groupChannels_ - channel;
        const uint32_t mask = static_cast<uint32_t>(lowBits(std::min(count, kWordBits)));
        const uint32_t* low = from + bit / kWordBits * source_.planeStride();
        const uint32_t* high = low + source_.planeStride();
        const int shift = static_cast<int>(bit % kWordBits);
        if (shift + std::min(count, kWordBits) <= kWordBits) {
          for (int64_t x = 0; x < width; ++x) to[x] = low[x] >> shift & mask;
        } else {
          for (int64_t x = 0; x < width; ++x) to[x] = (low[x] >> shift | high[x] << (kWordBits - shift)) & mask;
        }
      }
    }
    return {words, static_cast<ptrdiff_t>(planesOf(groupChannels_) * width), static_cast<ptrdiff_t>(width)};
  }

  // Shifts the taps of the last plane together, for windows at every column: [row][word][x].
  void gather(const Planes& planes, const Band& band, uint32_t* to) const {
    const int64_t width = gatheredColumns();
    for (int64_t row = 0; row < window_.rowSpan(band.rows); ++row) {
      const uint32_t* from = planes.at(row, wholePlanes_);
      for (int word = 0; word < gatheredWords_; ++word, to += width) {
        std::fill_n(to, width, 0u);
        forTapsOf(word, [&](int kx, int left, int right) {
          addShifted(from + int64_t{kx} * window_.dilationW, left, right, width, to);
        });
      }
    }
  }

  static void addShifted(const uint32_t* __restrict from, int left, int right, int64_t count, uint32_t* __restrict to) {
    for (int64_t i = 0; i < count; ++i) to[i] |= from[i] << left >> right;
  }

  void point(const Planes& planes, const uint32_t* gathered, const Band& band, const uint32_t** pointers) const {
    const int64_t width = gatheredColumns();
    const int parts = windows_.runCount > 0 ? 1 : window_.kernelW;  // of a kernel row in a plane
    for (int r = 0; r < band.rows; ++r) {
      for (int ky = 0; ky < window_.kernelH; ++ky) {
        const int64_t row = int64_t{r} * window_.strideH + int64_t{ky} * window_.dilationH;
        for (int plane = 0; plane < wholePlanes_; ++plane) {
          for (int kx = 0; kx < parts; ++kx) *pointers++ = planes.at(row, plane) + int64_t{kx} * window_.dilationW;
        }
      }
      for (int ky = 0; ky < window_.kernelH; ++ky) {
        const int64_t row = int64_t{r} * window_.strideH + int64_t{ky} * window_.dilationH;
        for (int word = 0; word < gatheredWords_; ++word) {
          *pointers++ = gathered + (row * gatheredWords_ + word) * width;
        }
      }
    }
  }

  BitMap source_;
  WindowShape window_;
  BitWindows windows_{};  // all but what a band and a group change
  int groups_ = 1, groupChannels_ = 1, groupOutputs_ = 1, taps_ = 1;
  Activations activations_ = Activations::Sign;
  bool realigned_ = false;
  int lastBits_ = 0;       // channels in the last plane
  int wholePlanes_ = 0;    // read as they are
  int gatheredWords_ = 0;  // of a kernel row of the last plane, if it is gathered
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
