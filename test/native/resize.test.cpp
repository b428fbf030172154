// Resizing: what any filter with weights that sum to 1 must do, at sizes that sanitizers like to see. That the pixels are
// PyTorch's is test/golden/resize.test.ts.
#include "images/resize.h"

#include <algorithm>

#include "check.h"

using namespace bitpath;

TEST("resize: a white picture stays white, at any size and crop") {
  check::Random random(1);
  for (int i = 0; i < 1000; ++i) {
    Resize r;
    r.height = random.between(1, i % 7 ? 60 : 1500);
    r.width = random.between(1, i % 11 ? 60 : 1500);
    r.resizedHeight = random.between(1, i % 5 ? 90 : 100000);
    r.resizedWidth = random.between(1, i % 3 ? 90 : 100000);
    r.antialias = random.chance(50);
    r.cropHeight = random.between(1, static_cast<int>(std::min<int64_t>(r.resizedHeight, 40)));
    r.cropWidth = random.between(1, static_cast<int>(std::min<int64_t>(r.resizedWidth, 40)));
    const auto spareRows = static_cast<int>(r.resizedHeight - r.cropHeight);
    const auto spareColumns = static_cast<int>(r.resizedWidth - r.cropWidth);
    r.cropTop = random.chance(50) ? spareRows : random.between(0, spareRows);
    r.cropLeft = random.chance(50) ? spareColumns : random.between(0, spareColumns);
    const std::vector<uint8_t> pixels(static_cast<size_t>(r.height * r.width * kImageChannels), 255);
    CHECK(checkResize(r, pixels.size()) == nullptr);
    const std::vector<float> result = resizeBilinear(pixels.data(), r);
    CHECK_EQ(result.size(), static_cast<size_t>(r.cropHeight * r.cropWidth * kImageChannels));
    CHECK(std::all_of(result.begin(), result.end(), [](float level) { return level > 254.99f && level < 255.01f; }));
  }
}

TEST("resize: a crop is that part of the whole") {
  check::Random random(2);
  std::vector<uint8_t> pixels(37 * 53 * kImageChannels);
  for (uint8_t& level : pixels) level = static_cast<uint8_t>(random.between(0, 255));
  for (const int64_t side : {11, 37, 90}) {
    const Resize whole{37, 53, side, side + 5, true, 0, 0, side, side + 5};
    const Resize part{37, 53, side, side + 5, true, 3, 2, 7, 8};
    const std::vector<float> all = resizeBilinear(pixels.data(), whole);
    const std::vector<float> some = resizeBilinear(pixels.data(), part);
    for (int64_t y = 0; y < 7; ++y) {
      for (int64_t i = 0; i < 8 * kImageChannels; ++i) {
        const auto at = static_cast<size_t>((y + 3) * (side + 5) * kImageChannels + 2 * kImageChannels + i);
        CHECK(check::sameFloat(some[static_cast<size_t>(y * 8 * kImageChannels + i)], all[at]));
      }
    }
  }
}

TEST("resize: sizes that lie are refused") {
  const auto refused = [](const Resize& r, size_t bytes) { return checkResize(r, bytes) != nullptr; };
  const Resize good{2, 3, 5, 6, true, 0, 0, 5, 6};
  CHECK(!refused(good, 18));
  CHECK(refused(good, 17));
  CHECK(refused(good, 0));
  CHECK(refused({INT64_MAX, INT64_MAX, 5, 6, true, 0, 0, 5, 6}, 18));
  CHECK(refused({0, 3, 5, 6, true, 0, 0, 5, 6}, 0));
  CHECK(refused({2, 3, 0, 6, true, 0, 0, 5, 6}, 18));
  CHECK(refused({2, 3, kMaxImageSide + 1, 6, true, 0, 0, 5, 6}, 18));
  CHECK(refused({2, 3, 5, 6, true, 0, 0, 0, 6}, 18));
  CHECK(refused({2, 3, 5, 6, true, -1, 0, 5, 6}, 18));
  CHECK(refused({2, 3, 5, 6, true, 1, 0, 5, 6}, 18));
  CHECK(refused({2, 3, 5, 6, true, 0, INT64_MAX, 5, 6}, 18));
  CHECK(refused({2, 3, kMaxImageSide, kMaxImageSide, true, 0, 0, kMaxImageSide, kMaxImageSide}, 18));
  CHECK(refused({kMaxImageSide, kMaxImageSide, 5, 6, true, 0, 0, 5, 6}, 18));
}
