#include "program_builder.h"

namespace programs {
namespace {

Sample finish(const char* name, Builder& b) { return {name, b.code(), b.constants()}; }

// 1-bit conv (direct at 64 channels, gathered at 41; groups, dilation, strides) between two float streams.
Sample binary(const char* name, int channels, int outChannels, int groups, int stride, int dilation, int zeroPad,
              int activations = 0) {
  check::Random random(static_cast<uint64_t>(channels * 131 + outChannels));
  const int height = 6, width = 5, outHeight = (height - 1) / stride + 1, outWidth = (width - 1) / stride + 1;
  Builder b(2, channels, height, width);
  const Map stream = b.map(height, width, channels);
  const Bits bits = b.bits(height, width, channels, dilation, zeroPad ? 0 : 1);
  const Map sum = b.map(outHeight, outWidth, outChannels, outChannels + 3);
  const Bits next = b.bits(outHeight, outWidth, outChannels, 0);
  const Map last = b.map(outHeight, outWidth, 3);
  const std::vector<int32_t> flips(static_cast<size_t>(channels), INT32_MIN);
  b.begin(1, 0);
  b.steps(2);
  b.store(stream);
  b.sign(bits, b.floats(random, channels), b.constant(flips));
  b.begin(2, 0);
  b.field(bits);
  b.fields({outHeight, outWidth, outChannels, 3, 3, stride, stride, dilation, dilation, groups, zeroPad});
  b.fields({activations, b.weightBits(random, outChannels, 9 * channels / groups)});
  b.steps(5);
  b.affine(b.floats(random, outChannels), b.floats(random, outChannels));
  b.scale(0.5f);
  b.prelu(b.floats(random, outChannels));
  b.store(sum);
  b.sign(next);
  b.begin(2, 0);
  b.field(next);
  b.fields({outHeight, outWidth, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0, b.weightBits(random, 3, outChannels)});
  b.steps(1);
  b.store(last);
  b.output(sum);
  b.output(last);
  return finish(name, b);
}

// Two instructions write the bits of one map, 5 channels at bit 0 and 3 at bit 5; a stem with 8-bit weights.
Sample shared() {
  check::Random random(6);
  const int height = 5, width = 6;
  Builder b(2, 2, height, width);
  const Bits bits = b.bits(height, width, 8, 1);
  const Map out = b.map(height, width, 4);
  std::vector<int8_t> weights;
  for (int i = 0; i < 5 * 2; ++i) weights.push_back(static_cast<int8_t>(random.between(-127, 127)));
  const std::vector<int32_t> zeros(6, 0);
  const Map input = b.map(height, width, 2), part = b.map(height, width, 3);
  b.begin(1, 1);
  b.steps(1);
  b.store(input);
  b.begin(3, 1);
  b.field(input);
  b.fields({height, width, 5, 1, 1, 1, 1, 0, 0, 1, 1, 1, b.floats(random, 5 * 2)});
  b.steps(1);
  b.sign(bits);
  b.begin(3, 1);
  b.field(input);
  b.fields({height, width, 3, 1, 1, 1, 1, 0, 0, 1, 1, 1, b.floats(random, 3 * 2)});
  b.steps(2);
  b.store(part);
  b.sign(bits, -1, -1, 5, -1);
  b.begin(4, 2, {1, height, width, 5, 1, 1, 1, 1, 0, 0, 1, 1, b.constant(weights), b.floats(random, 5), 1, 1});
  b.fields({b.constant(zeros), b.constant(zeros), b.floats(random, 5)});
  b.steps(1);
  b.sign(bits);
  b.begin(4, 2, {1, height, width, 3, 1, 1, 1, 1, 0, 0, 1, 1, b.constant(weights), b.floats(random, 3), 1, 1});
  b.fields({b.constant(zeros), b.constant(zeros), b.floats(random, 3)});
  b.steps(2);
  b.store(part);
  b.sign(bits, -1, -1, 5, -1);
  b.begin(2, 0);
  b.field(bits);
  b.fields({height, width, 4, 3, 3, 1, 1, 1, 1, 1, 1, 0, b.weightBits(random, 4, 9 * 8)});
  b.steps(1);
  b.store(out);
  b.output(out);
  b.output(part);
  return finish("shared bits", b);
}

// A picture through the integer stem, or floats through the float stem, then pools, ReLU, a residual and a dense layer.
Sample picture() {
  check::Random random(5);
  const int height = 9, width = 11, channels = 3, stem = 10;
  Builder b(3, channels, height, width);
  const Map input = b.map(height, width, channels);
  const Map first = b.map(5, 6, stem);
  const Map pooled = b.map(3, 3, stem);
  const Map average = b.map(1, 1, stem);
  const Map classes = b.map(1, 1, 17);
  std::vector<int16_t> weights;
  for (int i = 0; i < stem * 9 * channels; ++i) weights.push_back(static_cast<int16_t>(random.between(-32767, 32767)));
  const std::vector<int32_t> yClass = {0, 1, 1, 1, 2}, xClass = {0, 1, 1, 1, 1, 1};
  b.begin(4, 2, {2, 5, 6, stem, 3, 3, 2, 2, 1, 1, 1, 1, b.constant(weights), b.floats(random, stem), 3, 2});
  b.fields({b.constant(yClass), b.constant(xClass), b.floats(random, 3 * 2 * stem)});
  b.steps(2);
  b.relu();
  b.store(first);
  b.begin(1, 1);
  b.steps(1);
  b.store(input);
  b.begin(3, 1);
  b.field(input);
  b.fields({5, 6, stem, 3, 3, 2, 2, 1, 1, 1, 1, 1, b.floats(random, stem * 9 * channels)});
  b.steps(2);
  b.affine(b.floats(random, stem), b.floats(random, stem));
  b.store(first);
  b.begin(5, 0);
  b.field(first);
  b.fields({3, 3, 3, 3, 2, 2, 1, 1});
  b.steps(1);
  b.store(pooled);
  b.begin(7, 0);
  b.field(pooled);
  b.steps(3);
  b.add(pooled);
  b.relu();
  b.store(pooled);
  b.begin(6, 0);
  b.field(pooled);
  b.fields({1, 1, 3, 3, 3, 3, 0, 0, 0});
  b.steps(1);
  b.store(average);
  b.begin(3, 0);
  b.field(average);
  b.fields({1, 1, 17, 1, 1, 1, 1, 0, 0, 1, 1, 1, b.floats(random, 17 * stem)});
  b.steps(2);
  b.affine(b.floats(random, 17), b.floats(random, 17));
  b.store(classes);
  b.output(classes);
  b.output(pooled);
  return finish("picture", b);
}

// Two maps over the same lines (a concat), a grouped and dilated real conv, padded average pooling.
Sample concat() {
  check::Random random(6);
  Builder b(1, 4, 7, 7);
  const Map left = b.map(7, 7, 4, 10);
  Map right = left;
  right.channels = 6, right.channelOffset = 4;
  Map both = left;
  both.channels = 10;
  const Map pooled = b.map(4, 4, 10);
  b.begin(1, 0);
  b.steps(1);
  b.store(left);
  b.begin(3, 0);
  b.field(left);
  b.fields({7, 7, 6, 3, 3, 1, 1, 2, 2, 2, 2, 2, b.floats(random, 6 * 9 * 2)});
  b.steps(1);
  b.store(right);
  b.begin(6, 0);
  b.field(both);
  b.fields({4, 4, 3, 2, 2, 2, 1, 0, 1});
  b.steps(1);
  b.store(pooled);
  b.output(pooled);
  b.output(left);
  return finish("concat", b);
}

// Means over channels and pixels as operands of every shape, a map of zeros, interacting channels, a factor for each pixel.
Sample broadcasts() {
  check::Random random(7);
  const int height = 4, width = 5, channels = 18;
  Builder b(2, channels, height, width);
  const Map stream = b.map(height, width, channels), mean = b.map(height, width, 1), pooled = b.map(1, 1, channels);
  const Map one = b.map(1, 1, 1), gated = b.map(height, width, channels);
  const auto word = [](float value) {
    int bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
  };
  b.begin(1, 0);
  b.steps(1);
  b.store(stream);
  b.begin(10, 0);
  b.field(stream);
  b.steps(1);
  b.store(mean);
  b.begin(6, 0);
  b.field(stream);
  b.fields({1, 1, height, width, 1, 1, 0, 0, 1});
  b.steps(2);
  b.sigmoid();
  b.store(pooled);
  b.begin(10, 0);
  b.field(pooled);
  b.steps(1);
  b.store(one);
  b.begin(11, 0);
  b.field(stream);
  const std::vector<int32_t> pairs = {0, 17, 1, 17, 3, -1, 3, 3, 1, 5, 0, -1};
  b.fields({4, word(0.25f), word(0.5f), b.constant(pairs)});
  b.steps(7);
  b.mul(pooled);
  b.mul(mean);
  b.add(one);
  b.add(mean);
  b.mulPixels(b.floats(random, height * width));
  b.mul(stream);
  b.store(gated);
  const Map padded = b.map(height, width, 3);
  const Bits signs = b.bits(height, width, 3, 1);
  b.begin(9, 0, {height, width, 3, word(-1.5f)});
  b.steps(3);
  b.sign(signs);
  b.add(mean);
  b.store(padded);
  b.output(gated);
  b.output(padded);
  return finish("broadcasts", b);
}

// The end of a dense stage: a pooled conv and a 1-bit conv write halves of one map, pooled by windows of 2×2.
Sample pooledStage() {
  check::Random random(8);
  const int height = 12, width = 10, channels = 5, stem = 16, grown = 21;
  Builder b(2, channels, 2 * height, 2 * width);
  const Map input = b.map(2 * height, 2 * width, channels);
  const Map stage = b.map(height / 2, width / 2, stem + grown);
  Map first = stage, second = stage;
  first.channels = stem;
  second.channels = grown, second.channelOffset = stem;
  const Bits bits = b.bits(height, width, stem, 1);
  b.begin(1, 0);
  b.steps(1);
  b.store(input);
  b.begin(8, 0, {3});
  b.field(input);
  b.fields({2 * height, 2 * width, stem, 3, 3, 1, 1, 1, 1, 1, 1, 1, b.floats(random, stem * 9 * channels)});
  b.steps(1);
  b.relu();
  b.fields({height, width, 3, 3, 2, 2, 1, 1});
  b.steps(3);
  b.affine(b.floats(random, stem), b.floats(random, stem));
  b.sign(bits);
  b.storeMaxPooled(first);
  b.begin(2, 0);
  b.field(bits);
  b.fields({height, width, grown, 3, 3, 1, 1, 1, 1, 1, 1, 0, b.weightBits(random, grown, 9 * stem)});
  b.steps(2);
  b.relu();
  b.storeMaxPooled(second);
  b.output(stage);
  return finish("pooled stage", b);
}

}  // namespace

std::vector<Sample> samples() {
  return {binary("direct", 64, 24, 1, 1, 1, 1),
          binary("gathered", 41, 9, 1, 2, 1, 1),
          binary("grouped", 12, 10, 2, 1, 1, 0),
          binary("dilated", 128, 8, 2, 1, 2, 1),
          binary("unipolar", 41, 9, 1, 1, 1, 0, 1),
          binary("ternary", 36, 20, 1, 2, 1, 1, 2),
          picture(),
          concat(),
          shared(),
          broadcasts(),
          pooledStage()};
}

}  // namespace programs
