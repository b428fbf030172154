// Every kernel of every table that this machine can run, against its contract in table.h written as plain loops: sizes around
// every tile edge, random epilogues, bit for bit.
#include "kernels/table.h"

#include "base/bits.h"
#include "window_case.h"

using namespace kernelcase;

namespace {

// The words of a window: of a case, segmentCount − singles runs of segmentLength words, then `singles` words.
struct BitCase : WindowCase {
  int singles;
  int runs() const { return segmentCount - singles; }
  int wordsOf(int segment) const { return segment < runs() ? segmentLength : 1; }
  int words() const { return runs() * segmentLength + singles; }
};

// Packs [channels][word] as `layout` says: [⌈channels / lanes⌉][word][unit of it][lanes] units.
Exact<uint8_t> packBits(const BitCase& c, const std::vector<std::vector<uint32_t>>& weights,
                        const BconvLayout& layout) {
  const int blocks = (c.channels + layout.lanes - 1) / layout.lanes, units = 4 / layout.unitBytes;
  Exact<uint8_t> packed(static_cast<size_t>(blocks) * c.words() * 4 * layout.lanes);
  for (int o = 0; o < c.channels; ++o) {
    for (int w = 0; w < c.words(); ++w) {
      for (int byte = 0; byte < 4; ++byte) {
        const size_t unit = (static_cast<size_t>(o / layout.lanes) * c.words() + w) * units + byte / layout.unitBytes;
        packed[(unit * layout.lanes + o % layout.lanes) * layout.unitBytes + byte % layout.unitBytes] =
            static_cast<uint8_t>(weights[static_cast<size_t>(o)][static_cast<size_t>(w)] >> (8 * byte));
      }
    }
  }
  return packed;
}

void runBconv(const std::vector<const KernelTable*>& tables, check::Random& random, BitCase c, int onesPercent) {
  if (c.pixelStride == 0) c.pixelStride = random.chance(50) ? 1 : random.between(1, c.segmentLength + 2);
  const int allChannels = c.firstChannel + c.channels, k = 32 * c.words();
  const int64_t firstPixel = random.between(0, 5);

  const Source<uint32_t> source(c, c.segmentLength);
  for (const auto& block : source.blocks) {
    for (size_t i = 0; i < block->size(); ++i) {
      (*block)[i] = onesPercent == 50 ? static_cast<uint32_t>(random.bits()) : ~0u;
    }
  }
  std::vector<std::vector<uint32_t>> weights(static_cast<size_t>(c.channels),
                                             std::vector<uint32_t>(static_cast<size_t>(c.words())));
  for (auto& row : weights) {
    for (uint32_t& word : row) word = onesPercent == 50 ? static_cast<uint32_t>(random.bits()) : 0;
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

  const float perDifference = random.chance(50) ? -2.0f : -1.0f;
  RandomEpilogue epilogue(random, firstPixel, c.rows, c.width, allChannels);
  for (int r = 0; r < c.rows; ++r) {
    for (int x = 0; x < c.width; ++x) {
      for (int o = 0; o < c.channels; ++o) {
        int differ = 0;
        const uint32_t* weight = weights[static_cast<size_t>(o)].data();
        for (int s = 0; s < c.segmentCount; ++s) {
          for (int w = 0; w < c.wordsOf(s); ++w) differ += popcount(source.at(c, r, s, x, w) ^ *weight++);
        }
        const int channel = c.firstChannel + o;
        const float from = rowBase[static_cast<size_t>(r)][xBase[static_cast<size_t>(x)] + channel];
        epilogue.apply(from + perDifference * static_cast<float>(differ), firstPixel + r * c.width + x, channel);
      }
    }
  }
  for (const KernelTable* table : tables) {
    const Exact<uint8_t> packed = packBits(c, weights, table->bconvLayout);
    BconvArgs args{{source.pointers.data(), c.runs(), c.segmentLength, c.singles, c.pixelStride, c.rows, c.width,
                    firstPixel, c.firstChannel, c.channels},
                   packed.data(),
                   rowBase.data(),
                   xBase.data(),
                   interiorFirst,
                   interiorLast,
                   perDifference,
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
  forEachWindowCase(random, 9, [&](const WindowCase& c) {
    runBconv(tables, random, {c, random.between(0, c.segmentCount)}, 50), ++cases;
  });
  for (int length = 1; length <= 9; ++length) {
    for (int singles = 0; singles <= 2; ++singles, ++cases) {
      runBconv(tables, random, {{1, 15, 2, length, 9, 0, 0}, singles}, 50);
    }
  }
  report(cases, tables);
}

// Accumulators: every bit differs, at and beyond the places where bytes (7 words), 16 bits (292 widenings) would overflow.
TEST("kernels: binary convolution, the largest counts") {
  const auto tables = runnableTables();
  check::Random random(12);
  int64_t cases = 0;
  for (int length : {6, 7, 8, 63, 64, 7 * 291, 7 * 291 + 1, 7 * 292 - 1, 7 * 292, 7 * 292 + 1, 14 * 292 + 1, 6250}) {
    runBconv(tables, random, {{1, 2, 1, length, 3, 0, 0}, 0}, 100);
    runBconv(tables, random, {{1, 1, 3, length / 2, 34, 0, 0}, 1}, 100);
    cases += 2;
  }
  // Counts of few channels are turned in 16 bits.
  for (int words : {2046, 2047, 2048}) {
    runBconv(tables, random, {{1, 14, 1, words, 5, 0, 1}, 0}, 100);
    cases += 1;
  }
  // The contract's limit.
  runBconv(tables, random, {{1, 1, 1, 1 << 19, 1, 0, 0}, 0}, 100);
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

TEST("kernels: the mean over channels") {
  const auto tables = runnableTables();
  check::Random random(18);
  int64_t cases = 0;
  for (int i = 0; i < 300; ++i) {
    const int channels = i < 70 ? i + 1 : random.between(1, 600), rows = random.between(1, 3),
              width = random.between(1, 30);
    const int count = rows * width;
    const int64_t firstPixel = random.between(0, 5);
    const ptrdiff_t stride = channels + random.between(0, 3);
    Exact<float> source(static_cast<size_t>((count - 1) * stride + channels));
    for (size_t f = 0; f < source.size(); ++f) source[f] = i % 4 == 0 ? anyFloat(random) : random.real();
    RandomEpilogue epilogue(random, firstPixel, rows, width, 1);
    for (int p = 0; p < count; ++p) {
      float sums[16] = {};
      for (int c = 0; c < channels; ++c) sums[c % 16] += source[static_cast<size_t>(p * stride + c)];
      for (int half = 8; half > 0; half /= 2) {
        for (int l = 0; l < half; ++l) sums[l] += sums[l + half];
      }
      epilogue.apply(sums[0] / static_cast<float>(channels), firstPixel + p, 0);
    }
    for (const KernelTable* table : tables) {
      table->channelMean({source.data(), stride, firstPixel, rows, width, channels, epilogue.bind()});
      if (epilogue.same())
        check::passed();
      else
        check::failed(__FILE__, __LINE__, std::string(table->isa) + " channelMean, case " + std::to_string(i));
    }
    ++cases;
  }
  report(cases, tables);
}

TEST("kernels: sigmoid is the logistic function") {
  float largest = 0;
  const int count = 200001;
  Exact<float> x(count), y(count);
  for (int i = 0; i < count; ++i) x[static_cast<size_t>(i)] = static_cast<float>(i - count / 2) * 2e-4f;
  BoundStep steps[2] = {};
  steps[0].kind = StepKind::Sigmoid;
  steps[1].kind = StepKind::Store, steps[1].map = y.data(), steps[1].pixelStride = 1;
  for (const KernelTable* table : runnableTables()) {
    table->map({x.data(), 1, 0, 1, count, 1, {steps, 2}});
    for (size_t i = 0; i < y.size(); ++i) {
      const double exact = 1 / (1 + std::exp(-static_cast<double>(x[i])));
      largest = std::max(largest, static_cast<float>(std::fabs(y[i] - exact)));
      CHECK(y[i] >= 0 && y[i] <= 1);
    }
    CHECK_EQ(y[count / 2], 0.5f);
  }
  CHECK(largest < 0x1p-22f);
  check::note("largest error " + std::to_string(largest * 0x1p24f) + " · 2^-24");
}
