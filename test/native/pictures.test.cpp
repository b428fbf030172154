// The kernels of picture stems against their contract in table.h, written as plain loops.
#include "window_case.h"

using namespace kernelcase;

namespace {

// The contract of both picture kernels: pixels of type Pixel, weights up to `largestWeight`.
template <typename Pixel, typename Weight>
void checkPixels(uint64_t seed, int largestWeight, void (*KernelTable::*kernel)(const PixelConvArgs<Pixel, Weight>&)) {
  constexpr int kGroup = 4 / sizeof(Weight);
  std::vector<const KernelTable*> tables;
  for (const KernelTable* table : runnableTables()) {
    if (table->*kernel != nullptr) tables.push_back(table);
  }
  check::Random random(seed);
  int64_t cases = 0;
  forEachWindowCase(random, 40, [&](WindowCase c) {
    c.segmentLength = (c.segmentLength + kGroup - 1) / kGroup * kGroup;
    c.pixelStride = random.chance(50) ? c.segmentLength : random.between(0, 50);
    const int k = c.segmentCount * c.segmentLength, allChannels = c.firstChannel + c.channels;
    const int64_t firstPixel = random.between(0, 5);
    // 255 · Σ|w| stays below 2³¹ for the whole window; every fifth case goes to the limit.
    const int limit = static_cast<int>(std::min<int64_t>(largestWeight, ((int64_t{1} << 31) - 1) / 255 / k));
    const bool extreme = cases % 5 == 0;
    const Source<Pixel> source(c, c.segmentLength);
    for (const auto& block : source.blocks) {
      for (size_t i = 0; i < block->size(); ++i) {
        (*block)[i] = static_cast<Pixel>(extreme ? 255 : random.between(0, 255));
      }
    }
    Exact<Weight> weights(static_cast<size_t>(c.channels) * k);
    for (size_t i = 0; i < weights.size(); ++i) {
      weights[i] = static_cast<Weight>(extreme ? (cases % 2 == 0 ? limit : -limit) : random.between(-limit, limit));
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
      Exact<Weight> packed(static_cast<size_t>((c.channels + lanes - 1) / lanes) * k * lanes);
      for (int o = 0; o < c.channels; ++o) {
        for (int i = 0; i < k; ++i) {
          packed[((static_cast<size_t>(o / lanes) * (k / kGroup) + i / kGroup) * lanes + o % lanes) * kGroup +
                 i % kGroup] = weights[static_cast<size_t>(o) * k + i];
        }
      }
      (table->*kernel)({source.windows(c, firstPixel), packed.data(), scale.data(), rowBias.data(), xBias.data(),
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

}  // namespace

TEST("pictures: convolution") { checkPixels(14, 32767, &KernelTable::pixelGemm); }

TEST("pictures: convolution with 8-bit weights, where an ISA has it") {
  checkPixels(17, 127, &KernelTable::pixelGemm8);
}
