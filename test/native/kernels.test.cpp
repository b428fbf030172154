// Every kernel of every table that this machine can run, against its contract in table.h written as plain loops: sizes around
// every tile edge, random epilogues, bit for bit.
#include "kernels/table.h"

#include "base/bits.h"
#include "kernel_case.h"

using namespace kernelcase;

namespace {

struct WindowCase {
  int rows, width, segmentCount, segmentLength, channels, firstChannel;
  ptrdiff_t pixelStride;  // elements
};

std::string describe(const char* isa, const WindowCase& c) {
  std::ostringstream out;
  out << isa << ": rows " << c.rows << " width " << c.width << " segments " << c.segmentCount << " × "
      << c.segmentLength << " channels " << c.firstChannel << " + " << c.channels << " stride " << c.pixelStride;
  return out.str();
}

// Widths 1 … 2·tile + 2 of the widest tile, and channels around every lane and block count, then random ones.
template <typename Visit>
void forEachWindowCase(check::Random& random, int maxSegment, Visit visit) {
  const auto segments = [&](WindowCase c) {
    c.segmentCount = random.between(1, 4);
    c.segmentLength = random.between(1, maxSegment);
    c.rows = random.between(1, 3);
    c.firstChannel = random.chance(70) ? 0 : random.between(1, 20);
    return c;
  };
  for (int width = 1; width <= 30; ++width) visit(segments({0, width, 0, 0, random.between(1, 70), 0, 0}));
  for (int channels = 1; channels <= 130; ++channels) visit(segments({0, random.between(1, 9), 0, 0, channels, 0, 0}));
  for (int channels : {41, 53, 82, 328}) visit(segments({0, random.between(1, 17), 0, 0, channels, 0, 0}));
  for (int i = 0; i < 100; ++i) visit(segments({0, random.between(1, 60), 0, 0, random.between(1, 100), 0, 0}));
}

// A window's segments lie anywhere: one block of memory a segment, as long as the last pixel's window reaches.
template <typename Element>
struct Source {
  Source(const WindowCase& c, int elements) {
    for (int i = 0; i < c.rows * c.segmentCount; ++i) {
      blocks.push_back(std::make_unique<Exact<Element>>(static_cast<size_t>((c.width - 1) * c.pixelStride + elements)));
      pointers.push_back(blocks.back()->data());
    }
  }
  Element& at(const WindowCase& c, int row, int segment, int x, int element) const {
    return (
        *blocks[static_cast<size_t>(row * c.segmentCount + segment)])[static_cast<size_t>(x * c.pixelStride + element)];
  }
  Windows<Element> windows(const WindowCase& c, int64_t firstPixel) const {
    return {pointers.data(), c.segmentCount, c.segmentLength, c.pixelStride, c.rows,
            c.width,         firstPixel,     c.firstChannel,  c.channels};
  }
  std::vector<std::unique_ptr<Exact<Element>>> blocks;
  std::vector<const Element*> pointers;
};

void report(int64_t cases, const std::vector<const KernelTable*>& tables) {
  check::note(std::to_string(cases) + " cases, each on " + std::to_string(tables.size()) + " tables");
  CHECK(cases > 0);
}

// Packs [channels][K bits] as `layout` says: [⌈channels / lanes⌉][segment][unit][lanes] units.
Exact<uint8_t> packBits(const WindowCase& c, const std::vector<std::vector<bool>>& bits, const BconvLayout& layout) {
  const int units = (c.segmentLength + 8 * layout.unitBytes - 1) / (8 * layout.unitBytes);
  const int blocks = (c.channels + layout.lanes - 1) / layout.lanes;
  Exact<uint8_t> packed(static_cast<size_t>(blocks) * c.segmentCount * units * layout.lanes * layout.unitBytes);
  for (int o = 0; o < c.channels; ++o) {
    for (int s = 0; s < c.segmentCount; ++s) {
      for (int b = 0; b < c.segmentLength; ++b) {
        if (!bits[static_cast<size_t>(o)][static_cast<size_t>(s * c.segmentLength + b)]) continue;
        const int unit = b / (8 * layout.unitBytes), bit = b % (8 * layout.unitBytes);
        const size_t element =
            ((static_cast<size_t>(o / layout.lanes) * c.segmentCount + s) * units + unit) * layout.lanes +
            o % layout.lanes;
        packed[element * layout.unitBytes + bit / 8] |= static_cast<uint8_t>(1 << (bit % 8));
      }
    }
  }
  return packed;
}

void runBconv(const std::vector<const KernelTable*>& tables, check::Random& random, WindowCase c, int onesPercent) {
  const int words = (c.segmentLength + 31) / 32;
  c.pixelStride = words + random.between(0, 2);
  const int allChannels = c.firstChannel + c.channels, k = c.segmentCount * c.segmentLength;
  const int64_t firstPixel = random.between(0, 5);

  const Source<uint32_t> source(c, words);
  for (int r = 0; r < c.rows; ++r) {
    for (int s = 0; s < c.segmentCount; ++s) {
      for (int x = 0; x < c.width; ++x) {
        for (int w = 0; w < words; ++w) {
          uint64_t word = onesPercent == 50 ? random.bits() : ~uint64_t{0};
          word &= lowBits(std::min(32, c.segmentLength - 32 * w));
          source.at(c, r, s, x, w) = static_cast<uint32_t>(word);
        }
      }
    }
  }
  std::vector<std::vector<bool>> weights(static_cast<size_t>(c.channels), std::vector<bool>(static_cast<size_t>(k)));
  for (auto& row : weights) {
    for (size_t i = 0; i < row.size(); ++i) row[i] = onesPercent == 50 && random.chance(50);
  }
  // Two border classes in each direction.
  const int classStride = allChannels + kLaneSlack;
  Exact<float> base(static_cast<size_t>(4 * classStride));
  for (size_t i = 0; i < base.size(); ++i) base[i] = static_cast<float>(k - 2 * random.between(0, 9));
  std::vector<const float*> rowBase;
  for (int r = 0; r < c.rows; ++r) rowBase.push_back(base.data() + random.between(0, 1) * 2 * classStride);
  Exact<int32_t> xBase(static_cast<size_t>(c.width));
  for (int x = 0; x < c.width; ++x) xBase[static_cast<size_t>(x)] = random.between(0, 1) * classStride;
  const int interiorFirst = random.between(0, c.width - 1), interiorLast = random.between(interiorFirst + 1, c.width);
  std::fill(xBase.data() + interiorFirst, xBase.data() + interiorLast, xBase[static_cast<size_t>(interiorFirst)]);

  RandomEpilogue epilogue(random, firstPixel, c.rows, c.width, allChannels);
  for (int r = 0; r < c.rows; ++r) {
    for (int x = 0; x < c.width; ++x) {
      for (int o = 0; o < c.channels; ++o) {
        int differ = 0;
        for (int s = 0; s < c.segmentCount; ++s) {
          for (int b = 0; b < c.segmentLength; ++b) {
            const bool bit = (source.at(c, r, s, x, b / 32) >> (b % 32)) & 1;
            differ += bit != weights[static_cast<size_t>(o)][static_cast<size_t>(s * c.segmentLength + b)];
          }
        }
        const int channel = c.firstChannel + o;
        const float from = rowBase[static_cast<size_t>(r)][xBase[static_cast<size_t>(x)] + channel];
        epilogue.apply(from - 2 * static_cast<float>(differ), firstPixel + r * c.width + x, channel);
      }
    }
  }
  for (const KernelTable* table : tables) {
    const Exact<uint8_t> packed = packBits(c, weights, table->bconvLayout);
    BconvArgs args{source.windows(c, firstPixel),
                   packed.data(),
                   rowBase.data(),
                   xBase.data(),
                   interiorFirst,
                   interiorLast,
                   epilogue.bind()};
    table->bconv(args);
    if (epilogue.same())
      check::passed();
    else
      check::failed(__FILE__, __LINE__, describe(table->isa, c));
  }
}

}  // namespace

TEST("kernels: binary convolution") {
  const auto tables = runnableTables();
  check::Random random(11);
  int64_t cases = 0;
  forEachWindowCase(random, 300, [&](const WindowCase& c) { runBconv(tables, random, c, 50), ++cases; });
  for (int length = 1; length <= 66; ++length) {
    runBconv(tables, random, {1, 3, 2, length, 9, 0, 0}, 50);
    ++cases;
  }
  report(cases, tables);
}

// Accumulators: every bit differs, at and beyond the places where bytes (31 steps), 16 bits (264 widenings) would overflow.
TEST("kernels: binary convolution, the largest counts") {
  const auto tables = runnableTables();
  check::Random random(12);
  int64_t cases = 0;
  for (int length : {31 * 8, 31 * 8 + 1, 255 * 8, 65472, 65473, 65535, 65536, 65537, 2 * 65472 + 8, 200000}) {
    runBconv(tables, random, {1, 2, 1, length, 3, 0, 0}, 100);
    runBconv(tables, random, {1, 1, 3, length / 2, 34, 0, 0}, 100);
    cases += 2;
  }
  // The contract's limit.
  runBconv(tables, random, {1, 1, 1, 1 << 24, 1, 0, 0}, 100);
  report(cases + 1, tables);
}

TEST("kernels: real convolution") {
  const auto tables = runnableTables();
  check::Random random(13);
  int64_t cases = 0;
  forEachWindowCase(random, 40, [&](WindowCase c) {
    c.pixelStride = random.chance(50) ? c.segmentLength : random.between(0, 50);
    const int k = c.segmentCount * c.segmentLength, allChannels = c.firstChannel + c.channels;
    const int64_t firstPixel = random.between(0, 5);
    const Source<float> source(c, c.segmentLength);
    for (const auto& block : source.blocks) {
      for (size_t i = 0; i < block->size(); ++i) (*block)[i] = cases % 4 == 0 ? anyFloat(random) : random.real();
    }
    Exact<float> weights(static_cast<size_t>(c.channels) * k);
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = random.real();
    RandomEpilogue epilogue(random, firstPixel, c.rows, c.width, allChannels);
    for (int r = 0; r < c.rows; ++r) {
      for (int x = 0; x < c.width; ++x) {
        for (int o = 0; o < c.channels; ++o) {
          float sum = 0;
          for (int i = 0; i < k; ++i) {
            sum = std::fma(source.at(c, r, i / c.segmentLength, x, i % c.segmentLength),
                           weights[static_cast<size_t>(o) * k + i], sum);
          }
          epilogue.apply(sum, firstPixel + r * c.width + x, c.firstChannel + o);
        }
      }
    }
    for (const KernelTable* table : tables) {
      const int lanes = table->lanes;
      Exact<float> packed(static_cast<size_t>((c.channels + lanes - 1) / lanes) * k * lanes);
      for (int o = 0; o < c.channels; ++o) {
        for (int i = 0; i < k; ++i) {
          packed[(static_cast<size_t>(o / lanes) * k + i) * lanes + o % lanes] =
              weights[static_cast<size_t>(o) * k + i];
        }
      }
      table->gemm({source.windows(c, firstPixel), packed.data(), epilogue.bind()});
      if (epilogue.same())
        check::passed();
      else
        check::failed(__FILE__, __LINE__, describe(table->isa, c));
    }
    ++cases;
  });
  report(cases, tables);
}

TEST("kernels: the sum of a real convolution is fused and in order") {
  // fma(a, b, c) keeps what rounding a·b first would lose: (1 + 2⁻²³)² − (1 + 2⁻²²) is 2⁻⁴⁶ fused and 0 unfused.
  const float a = 1.0f + 0x1p-23f, c = -(1.0f + 0x1p-22f);
  for (const KernelTable* table : runnableTables()) {
    const float window[3] = {c, a, 0};
    const float* segment = window;
    Exact<float> weights(static_cast<size_t>(2 * table->lanes));
    weights[0] = 1.0f, weights[static_cast<size_t>(table->lanes)] = a;
    float stored = -1;
    BoundStep store{};
    store.kind = StepKind::Store, store.map = &stored, store.pixelStride = 1;
    table->gemm({{&segment, 1, 2, 1, 1, 1, 0, 0, 1}, weights.data(), {&store, 1}});
    CHECK_EQ(stored, 0x1p-46f);
  }
}

TEST("kernels: picture convolution") {
  const auto tables = runnableTables();
  check::Random random(14);
  int64_t cases = 0;
  forEachWindowCase(random, 40, [&](WindowCase c) {
    c.segmentLength += c.segmentLength % 2;
    c.pixelStride = random.chance(50) ? c.segmentLength : random.between(0, 50);
    const int k = c.segmentCount * c.segmentLength, allChannels = c.firstChannel + c.channels;
    const int64_t firstPixel = random.between(0, 5);
    // 255 · Σ|w| stays below 2³¹ for the whole window; every fifth case goes to the limit.
    const int limit = static_cast<int>(std::min<int64_t>(32767, ((int64_t{1} << 31) - 1) / 255 / k));
    const bool extreme = cases % 5 == 0;
    const Source<int16_t> source(c, c.segmentLength);
    for (const auto& block : source.blocks) {
      for (size_t i = 0; i < block->size(); ++i) {
        (*block)[i] = static_cast<int16_t>(extreme ? 255 : random.between(0, 255));
      }
    }
    Exact<int16_t> weights(static_cast<size_t>(c.channels) * k);
    for (size_t i = 0; i < weights.size(); ++i) {
      weights[i] = static_cast<int16_t>(extreme ? (cases % 2 == 0 ? limit : -limit) : random.between(-limit, limit));
    }
    Exact<float> scale(static_cast<size_t>(allChannels + kLaneSlack));
    for (int i = 0; i < allChannels; ++i) scale[static_cast<size_t>(i)] = random.real();
    const int classStride = allChannels + kLaneSlack;
    Exact<float> bias(static_cast<size_t>(4 * classStride));
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = random.real();
    std::vector<const float*> rowBias;
    for (int r = 0; r < c.rows; ++r) rowBias.push_back(bias.data() + random.between(0, 1) * 2 * classStride);
    Exact<int32_t> xBias(static_cast<size_t>(c.width));
    for (int x = 0; x < c.width; ++x) xBias[static_cast<size_t>(x)] = random.between(0, 1) * classStride;
    const int interiorFirst = random.between(0, c.width - 1), interiorLast = random.between(interiorFirst + 1, c.width);
    std::fill(xBias.data() + interiorFirst, xBias.data() + interiorLast, xBias[static_cast<size_t>(interiorFirst)]);

    RandomEpilogue epilogue(random, firstPixel, c.rows, c.width, allChannels);
    for (int r = 0; r < c.rows; ++r) {
      for (int x = 0; x < c.width; ++x) {
        for (int o = 0; o < c.channels; ++o) {
          int64_t sum = 0;
          for (int i = 0; i < k; ++i) {
            sum += int64_t{source.at(c, r, i / c.segmentLength, x, i % c.segmentLength)} *
                   weights[static_cast<size_t>(o) * k + i];
          }
          const int channel = c.firstChannel + o;
          const float from = rowBias[static_cast<size_t>(r)][xBias[static_cast<size_t>(x)] + channel];
          epilogue.apply(std::fma(static_cast<float>(sum), scale[static_cast<size_t>(channel)], from),
                         firstPixel + r * c.width + x, channel);
        }
      }
    }
    for (const KernelTable* table : tables) {
      const int lanes = table->lanes;
      Exact<int16_t> packed(static_cast<size_t>((c.channels + lanes - 1) / lanes) * k * lanes);
      for (int o = 0; o < c.channels; ++o) {
        for (int i = 0; i < k; ++i) {
          packed[((static_cast<size_t>(o / lanes) * (k / 2) + i / 2) * lanes + o % lanes) * 2 + i % 2] =
              weights[static_cast<size_t>(o) * k + i];
        }
      }
      table->pixelGemm({source.windows(c, firstPixel), packed.data(), scale.data(), rowBias.data(), xBias.data(),
                        interiorFirst, interiorLast, epilogue.bind()});
      if (epilogue.same())
        check::passed();
      else
        check::failed(__FILE__, __LINE__, describe(table->isa, c));
    }
    ++cases;
  });
  report(cases, tables);
}

TEST("kernels: pooling") {
  const auto tables = runnableTables();
  check::Random random(15);
  int64_t cases = 0;
  for (int i = 0; i < 600; ++i) {
    PoolArgs a{};
    a.channels = i < 130 ? i + 1 : random.between(1, 60);
    a.kernelHeight = random.between(1, 4), a.kernelWidth = random.between(1, 4);
    a.strideHeight = random.between(1, 3), a.strideWidth = random.between(1, 3);
    a.padTop = random.between(0, a.kernelHeight - 1), a.padLeft = random.between(0, a.kernelWidth - 1);
    a.height = random.between(1, 9), a.width = random.between(1, 20);
    a.countIncludePad = random.chance(50);
    a.pixelStride = a.channels + random.between(0, 3);
    a.rowStride = a.pixelStride * a.width;
    // Outputs whose windows all touch the map: o·stride − pad < size.
    const int outHeight = random.between(1, (a.height + a.padTop - 1) / a.strideHeight + 1);
    a.outWidth = random.between(1, (a.width + a.padLeft - 1) / a.strideWidth + 1);
    a.firstRow = random.between(0, outHeight - 1), a.rows = random.between(1, outHeight - a.firstRow);
    a.firstPixel = random.between(0, 5);
    Exact<float> image(static_cast<size_t>((a.height * a.width - 1) * a.pixelStride + a.channels));
    for (size_t f = 0; f < image.size(); ++f) image[f] = anyFloat(random);
    a.image = image.data();
    for (const bool max : {false, true}) {
      RandomEpilogue epilogue(random, a.firstPixel, a.rows, a.outWidth, a.channels);
      for (int r = 0; r < a.rows; ++r) {
        for (int x = 0; x < a.outWidth; ++x) {
          for (int c = 0; c < a.channels; ++c) {
            float v = max ? -std::numeric_limits<float>::infinity() : 0.0f;
            int taps = 0;
            for (int ky = 0; ky < a.kernelHeight; ++ky) {
              for (int kx = 0; kx < a.kernelWidth; ++kx) {
                const int iy = (a.firstRow + r) * a.strideHeight + ky - a.padTop,
                          ix = x * a.strideWidth + kx - a.padLeft;
                if (iy < 0 || ix < 0 || iy >= a.height || ix >= a.width) continue;
                const float tap = image[static_cast<size_t>(iy * a.rowStride + ix * a.pixelStride + c)];
                if (max)
                  v = tap > v || std::isnan(tap) ? tap : v;
                else
                  v += tap;
                ++taps;
              }
            }
            if (!max) v = v / static_cast<float>(a.countIncludePad ? a.kernelHeight * a.kernelWidth : taps);
            epilogue.apply(v, a.firstPixel + r * a.outWidth + x, c);
          }
        }
      }
      for (const KernelTable* table : tables) {
        a.epilogue = epilogue.bind();
        (max ? table->maxPool : table->avgPool)(a);
        if (epilogue.same()) {
          check::passed();
        } else {
          std::ostringstream out;
          out << table->isa << (max ? " max" : " avg") << " pool, case " << i << ": channels " << a.channels
              << " width " << a.outWidth << " kernel " << a.kernelHeight << "×" << a.kernelWidth;
          check::failed(__FILE__, __LINE__, out.str());
        }
      }
      ++cases;
    }
  }
  report(cases, tables);
}

TEST("kernels: element by element") {
  const auto tables = runnableTables();
  check::Random random(16);
  int64_t cases = 0;
  for (int i = 0; i < 600; ++i) {
    const int channels = i < 130 ? i + 1 : random.between(1, 60), rows = random.between(1, 4),
              width = random.between(1, 40);
    const int count = rows * width;
    const int64_t firstPixel = random.between(0, 5);
    const ptrdiff_t stride = channels + random.between(0, 3);
    Exact<float> source(static_cast<size_t>((count - 1) * stride + channels));
    for (size_t f = 0; f < source.size(); ++f) source[f] = anyFloat(random);
    RandomEpilogue epilogue(random, firstPixel, rows, width, channels);
    for (int p = 0; p < count; ++p) {
      for (int c = 0; c < channels; ++c) {
        epilogue.apply(source[static_cast<size_t>(p * stride + c)], firstPixel + p, c);
      }
    }
    for (const KernelTable* table : tables) {
      table->map({source.data(), stride, firstPixel, rows, width, channels, epilogue.bind()});
      if (epilogue.same())
        check::passed();
      else
        check::failed(__FILE__, __LINE__, std::string(table->isa) + " map, case " + std::to_string(i));
    }
    ++cases;
  }
  report(cases, tables);
}
