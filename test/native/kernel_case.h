// What every kernel test shares: random epilogues, their plain meaning, and memory of exactly the promised size, so that
// AddressSanitizer sees a kernel that reads or writes one element too far.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

#include "check.h"
#include "kernels/detect.h"
#include "kernels/select.h"

namespace kernelcase {

using namespace bitpath;

// The tables that this machine can run. One that it cannot run is a failure unless BITPATH_UNTESTED_ISAS names it.
inline std::vector<const KernelTable*> runnableTables() {
  std::vector<const KernelTable*> tables;
  const uint32_t features = detectFeatures();
  const char* listed = std::getenv("BITPATH_UNTESTED_ISAS");
  const std::string untested = std::string(",") + (listed == nullptr ? "" : listed) + ",";
  std::string report = "tables:";
  for (const IsaEntry& entry : isaEntries()) {
    const bool runs = (entry.required & ~features) == 0;
    report += std::string(" ") + entry.name + (runs ? "" : " (NOT TESTED: this machine cannot run it)");
    if (runs) {
      tables.push_back(entry.table);
    } else if (untested.find("," + std::string(entry.name) + ",") == std::string::npos) {
      check::failed(__FILE__, __LINE__,
                    std::string(entry.name) + " cannot run here; BITPATH_UNTESTED_ISAS does not name it");
    }
  }
  check::note(report);
  return tables;
}

// 64-byte aligned memory for `count` values, with a heap end right behind them.
template <typename T>
class Exact {
 public:
  explicit Exact(size_t count) : count_(count) {
    data_ = static_cast<T*>(::operator new(std::max<size_t>(count, 1) * sizeof(T), std::align_val_t(64)));
    std::fill_n(data_, count, T{});
  }
  Exact(const Exact& other) : Exact(other.count_) { std::copy_n(other.data_, count_, data_); }
  Exact& operator=(const Exact&) = delete;
  ~Exact() { ::operator delete(data_, std::align_val_t(64)); }
  T* data() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return count_; }

 private:
  T* data_;
  size_t count_;
};

// Mostly plain numbers, sometimes each of the values that comparisons treat in their own way.
inline float anyFloat(check::Random& random) {
  if (!random.chance(6)) return random.real();
  const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, -NAN, 1e-42f, -1e-42f, 3.4e38f};
  return special[random.between(0, 8)];
}

// The logistic function as epilogue.inl has it, coefficient by coefficient.
inline float plainSigmoid(float x) {
  const float p[] = {2.4999999e-1f, 8.378909e-3f, 5.5091794e-5f, 8.25095e-8f, 1.376986e-11f};
  const float q[] = {1.0f, 1.16848916e-1f, 1.6244594e-3f, 5.2121545e-6f, 3.1539407e-9f};
  x = x < -17.0f ? -17.0f : x > 17.0f ? 17.0f : x;
  const float square = x * x;
  float above = p[4], below = q[4];
  for (int i = 3; i >= 0; --i) above = std::fma(above, square, p[i]), below = std::fma(below, square, q[i]);
  const float y = above * x / below + 0.5f;
  return y < 0.0f ? 0.0f : y > 1.0f ? 1.0f : y;
}

// A random epilogue over rows × width pixels of `channels` channels beginning at linear pixel `firstPixel`, and its meaning. The
// kernel makes the channels from `firstChannel` on.
class RandomEpilogue {
 public:
  RandomEpilogue(check::Random& random, int64_t firstPixel, int rows, int width, int channels)
      : firstPixel_(firstPixel), width_(width) {
    const int64_t pixels = static_cast<int64_t>(rows) * width;
    const int count = random.between(1, 6);
    bool wrote = false;
    for (int i = 0; i < count || !wrote; ++i) {
      const int kind =
          i >= count ? static_cast<int>(StepKind::Store) : random.between(0, static_cast<int>(StepKind::AddPixel));
      Step step(static_cast<StepKind>(kind));
      if (step.kind == StepKind::StoreMaxPooled && (rows % 2 != 0 || width % 2 != 0)) step.kind = StepKind::Store;
      const auto constants = [&](auto value) {
        auto values = std::make_shared<Exact<float>>(static_cast<size_t>(channels + kLaneSlack));
        for (int c = 0; c < channels; ++c) (*values)[static_cast<size_t>(c)] = value();
        return values;
      };
      switch (step.kind) {
        case StepKind::Affine:
          step.a = constants([&] { return anyFloat(random); });
          step.b = constants([&] { return anyFloat(random); });
          break;
        case StepKind::Prelu:
          step.a = constants([&] { return anyFloat(random); });
          break;
        case StepKind::Scale:
          step.factor = anyFloat(random);
          break;
        case StepKind::Relu:
        case StepKind::Sigmoid:
          break;
        case StepKind::Hardtanh:
          step.factor = -std::fabs(random.real());
          step.max = std::fabs(random.real());
          break;
        case StepKind::AddPixel:
        case StepKind::MulPixel: {
          step.pixelStride = random.between(0, 3);
          const size_t floats = static_cast<size_t>((firstPixel + pixels - 1) * step.pixelStride + 1);
          step.map = std::make_shared<Exact<float>>(floats);
          for (size_t f = 0; f < floats; ++f) (*step.map)[f] = anyFloat(random);
          break;
        }
        case StepKind::Add:
        case StepKind::Mul:
        case StepKind::Store: {
          // A map's pixels before firstPixel belong to other tasks, and channels beyond the last to other maps.
          const bool onePixel = step.kind != StepKind::Store && random.chance(20);
          step.pixelStride = onePixel ? 0 : channels + (random.chance(50) ? random.between(1, 9) : 0);
          const size_t floats = static_cast<size_t>((firstPixel + pixels - 1) * step.pixelStride + channels);
          step.map = std::make_shared<Exact<float>>(floats);
          for (size_t f = 0; f < floats; ++f) (*step.map)[f] = anyFloat(random);
          wrote = wrote || step.kind == StepKind::Store;
          break;
        }
        case StepKind::StoreMaxPooled: {
          step.pixelStride = channels + (random.chance(50) ? random.between(1, 9) : 0);
          step.rowStride = width / 2 * step.pixelStride + random.between(0, 3);
          step.map = std::make_shared<Exact<float>>(static_cast<size_t>(rows / 2 * step.rowStride));
          wrote = true;
          break;
        }
        case StepKind::Sign:
          step.a = constants([&] { return random.chance(70) ? 0.0f : anyFloat(random); });
          step.b = constants([&] { return random.chance(30) ? -0.0f : 0.0f; });
          // Other channels of the pixel before and after ours, other pixels of the plane after ours.
          step.firstBit = random.chance(50) ? 0 : random.between(0, 40);
          step.tailChannel = channels / kSignRun * kSignRun;
          step.tailBit = step.firstBit + step.tailChannel + (random.chance(50) ? 0 : random.between(0, 40));
          step.planeStride = width + random.between(0, 3);
          step.rowStride = ((step.tailBit + channels % kSignRun + 31) / 32 + random.between(0, 1)) * step.planeStride;
          step.bits = std::make_shared<Exact<uint32_t>>(static_cast<size_t>(rows * step.rowStride));
          wrote = true;
          break;
      }
      steps_.push_back(step);
    }
    // What apply() writes to, apart from what the kernels write to.
    for (const Step& step : steps_) expected_.push_back(step.copy());
  }

  // Fresh memory for one kernel to write; read by same().
  Epilogue bind() {
    actual_.clear();
    bound_.clear();
    for (const Step& step : steps_) {
      actual_.push_back(step.copy());
      const Step& own = actual_.back();
      BoundStep to{};
      to.kind = own.kind;
      to.a = own.a ? own.a->data() : nullptr;
      to.b = own.b ? own.b->data() : nullptr;
      to.factor = own.factor;
      to.max = own.max;
      to.map = own.map ? own.map->data() : nullptr;
      to.pixelStride = own.pixelStride;
      to.bits = own.bits ? own.bits->data() : nullptr;
      to.firstBit = own.firstBit;
      to.tailChannel = own.tailChannel;
      to.tailBit = own.tailBit;
      to.planeStride = own.planeStride;
      to.rowStride = own.rowStride;
      bound_.push_back(to);
    }
    return {bound_.data(), static_cast<int>(bound_.size())};
  }

  // The meaning: value v of one element through all the steps.
  void apply(float v, int64_t pixel, int channel) {
    for (Step& step : expected_) {
      const size_t c = static_cast<size_t>(channel);
      switch (step.kind) {
        case StepKind::Affine:
          v = std::fma(v, (*step.a)[c], (*step.b)[c]);
          break;
        case StepKind::Add:
          v = v + (*step.map)[step.at(pixel, channel)];
          break;
        case StepKind::Mul:
          v = v * (*step.map)[step.at(pixel, channel)];
          break;
        case StepKind::AddPixel:
          v = v + (*step.map)[step.at(pixel, 0)];
          break;
        case StepKind::MulPixel:
          v = v * (*step.map)[step.at(pixel, 0)];
          break;
        case StepKind::Sigmoid:
          v = plainSigmoid(v);
          break;
        case StepKind::Scale:
          v = v * step.factor;
          break;
        case StepKind::Relu:
          v = v < 0 ? 0.0f : v;
          break;
        case StepKind::Hardtanh:
          v = v < step.factor ? step.factor : v > step.max ? step.max : v;
          break;
        case StepKind::Prelu:
          v = v < 0 ? v * (*step.a)[c] : v;
          break;
        case StepKind::Store:
          (*step.map)[step.at(pixel, channel)] = v;
          break;
        case StepKind::StoreMaxPooled: {
          const int64_t y = (pixel - firstPixel_) / width_, x = (pixel - firstPixel_) % width_;
          float& most = (*step.map)[static_cast<size_t>(y / 2 * step.rowStride + x / 2 * step.pixelStride + channel)];
          const bool first = y % 2 == 0 && x % 2 == 0;
          if (first || v > most || std::isnan(v)) most = v;
          break;
        }
        case StepKind::Sign: {
          const float flipped = std::signbit((*step.b)[c]) ? -v : v;
          if (flipped >= (*step.a)[c]) {
            const int64_t inBand = pixel - firstPixel_;
            const int bit =
                channel < step.tailChannel ? step.firstBit + channel : step.tailBit + channel - step.tailChannel;
            const int64_t word = inBand / width_ * step.rowStride + bit / 32 * step.planeStride + inBand % width_;
            (*step.bits)[static_cast<size_t>(word)] |= 1u << (bit % 32);
          }
          break;
        }
      }
    }
  }

  // Every byte that a kernel may write, and those beside them.
  bool same() const {
    for (size_t s = 0; s < expected_.size(); ++s) {
      const Step &a = actual_[s], &e = expected_[s];
      if (e.map) {
        for (size_t f = 0; f < e.map->size(); ++f) {
          if (!check::sameFloat((*a.map)[f], (*e.map)[f])) return false;
        }
      }
      if (e.bits && std::memcmp(a.bits->data(), e.bits->data(), e.bits->size() * sizeof(uint32_t)) != 0) return false;
    }
    return true;
  }

 private:
  struct Step {
    explicit Step(StepKind kind) : kind(kind) {}
    StepKind kind;
    std::shared_ptr<Exact<float>> a, b, map;
    std::shared_ptr<Exact<uint32_t>> bits;
    ptrdiff_t pixelStride = 0, planeStride = 0, rowStride = 0;
    int firstBit = 0, tailChannel = 0, tailBit = 0;
    float factor = 0, max = 0;

    Step copy() const {
      Step other = *this;
      if (map) other.map = std::make_shared<Exact<float>>(*map);
      if (bits) other.bits = std::make_shared<Exact<uint32_t>>(*bits);
      return other;
    }
    size_t at(int64_t pixel, int channel) const { return static_cast<size_t>(pixel * pixelStride + channel); }
  };

  int64_t firstPixel_;
  int width_;
  std::vector<Step> steps_, expected_, actual_;
  std::vector<BoundStep> bound_;
};

}  // namespace kernelcase
