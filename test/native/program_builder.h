// Writes Programs by hand, word by word as program.h lays them out.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "check.h"

namespace programs {

struct Map {  // FloatMap
  int line, height, width, channels, pixelStride, channelOffset;
};
struct Bits {  // BitMap
  int line, height, width, channels, padTop, padLeft, padBottom, padRight, padBit;
};

// A Program under construction. The arena is handed out a map after the other, each rounded up to a line.
class Builder {
 public:
  Builder(int batch, int channels, int height, int width) : batch_(batch), input_{channels, height, width} {}

  Map map(int height, int width, int channels, int pixelStride = 0) {
    const int stride = pixelStride == 0 ? channels : pixelStride;
    return {take(int64_t{height} * width * stride * 4), height, width, channels, stride, 0};
  }
  Bits bits(int height, int width, int channels, int pad = 0, int padBit = 0) {
    const int64_t words = (int64_t{width + 2 * pad} * ((channels + 31) / 32) + 15) / 16 * 16;
    return {take((height + 2 * pad) * words * 4), height, width, channels, pad, pad, pad, pad, padBit};
  }

  template <typename T>
  int constant(const std::vector<T>& values) {
    while (constants_.size() % 8 != 0) constants_.push_back(0);
    const size_t offset = constants_.size();
    constants_.resize(offset + values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(constants_.data() + offset, values.data(), values.size() * sizeof(T));
    return static_cast<int>(offset);
  }
  int floats(check::Random& random, int64_t count) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) values.push_back(random.real());
    return constant(values);
  }
  // [channels][⌈k / 8⌉] random bits, tails zero.
  int weightBits(check::Random& random, int channels, int64_t k) {
    std::vector<uint8_t> bytes;
    for (int o = 0; o < channels; ++o) {
      for (int64_t b = 0; b < k; b += 8) {
        const unsigned mask = k - b < 8 ? (1u << (k - b)) - 1 : 0xffu;
        bytes.push_back(static_cast<uint8_t>(random.bits() & mask));
      }
    }
    return constant(bytes);
  }

  void begin(int opcode, int when, std::initializer_list<int> fields = {}) {
    end();
    start_ = body_.size();
    body_.insert(body_.end(), {opcode, 0, when});
    body_.insert(body_.end(), fields);
    ++instructions_;
  }
  void field(const Map& m) {
    body_.insert(body_.end(), {m.line, m.height, m.width, m.channels, m.pixelStride, m.channelOffset});
  }
  void field(const Bits& m) {
    body_.insert(body_.end(),
                 {m.line, m.height, m.width, m.channels, m.padTop, m.padLeft, m.padBottom, m.padRight, m.padBit});
  }
  void fields(std::initializer_list<int> words) { body_.insert(body_.end(), words); }
  void steps(int count) { body_.push_back(count); }
  void affine(int mul, int add) { fields({1, mul, add}); }
  void add(const Map& m) { body_.push_back(2), field(m); }
  void scale(float factor) {
    int word;
    std::memcpy(&word, &factor, sizeof word);
    fields({3, word});
  }
  void relu() { body_.push_back(4); }
  void prelu(int slope) { fields({5, slope}); }
  void store(const Map& m) { body_.push_back(6), field(m); }
  // Of channels side by side from `firstBit` on, if the map has no others.
  void sign(const Bits& m, int threshold = -1, int flip = -1, int firstBit = 0, int clearedFrom = 0) {
    body_.push_back(7), field(m),
        fields({firstBit, firstBit + (m.channels - firstBit) / 16 * 16, clearedFrom, threshold, flip});
  }
  void mul(const Map& m) { body_.push_back(9), field(m); }
  void mulPixels(int factors) { fields({10, factors}); }
  void sigmoid() { body_.push_back(11); }
  void storeMaxPooled(const Map& m) { body_.push_back(12), field(m); }
  void output(const Map& m) { outputs_.push_back(m); }

  std::vector<int32_t> code() {
    end();
    std::vector<int32_t> words = {0x48545042,   4,         batch_,    lines_,
                                  input_[0],    input_[1], input_[2], static_cast<int>(outputs_.size()),
                                  instructions_};
    for (const Map& m : outputs_) {
      words.insert(words.end(), {m.line, m.height, m.width, m.channels, m.pixelStride, m.channelOffset});
    }
    words.insert(words.end(), body_.begin(), body_.end());
    return words;
  }
  const std::vector<uint8_t>& constants() const { return constants_; }

 private:
  int take(int64_t bytesOfOneImage) {
    const int line = lines_;
    lines_ += static_cast<int>((bytesOfOneImage * batch_ + 63) / 64);
    return line;
  }
  void end() {
    if (start_ != SIZE_MAX) body_[start_ + 1] = static_cast<int32_t>(body_.size() - start_);
    start_ = SIZE_MAX;
  }

  int batch_;
  int input_[3];
  int lines_ = 0;
  int instructions_ = 0;
  size_t start_ = SIZE_MAX;
  std::vector<int32_t> body_;
  std::vector<uint8_t> constants_;
  std::vector<Map> outputs_;
};

struct Sample {
  const char* name;
  std::vector<int32_t> code;
  std::vector<uint8_t> constants;
};

// Small Programs that use every opcode and every step, both kinds of input and two outputs of different shape.
std::vector<Sample> samples();

}  // namespace programs
