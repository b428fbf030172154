// The steps, applied to P neighbouring pixels × 8 channels in registers. Included by each ISA's file inside its target region,
// after its vocabulary: F8 (8 floats), Lanes (all 8, or the first `count` of them).

// Steps of one kind for all pixels in one go: the switch costs P·8 elements, not each of them.
template <int P, typename L>
inline void applySteps(const Epilogue& e, F8 (&v)[P], int64_t pixel, int channel, L lanes) {
  for (int s = 0; s < e.stepCount; ++s) {
    const BoundStep& step = e.steps[s];
    switch (step.kind) {
      case StepKind::Affine: {
        const F8 mul = F8::load(step.a + channel);
        const F8 add = F8::load(step.b + channel);
        for (int p = 0; p < P; ++p) v[p] = fma(v[p], mul, add);
        break;
      }
      case StepKind::Add: {
        const float* map = step.map + pixel * step.pixelStride + channel;
        for (int p = 0; p < P; ++p) v[p] = add(v[p], F8::load(map + p * step.pixelStride, lanes));
        break;
      }
      case StepKind::Scale: {
        const F8 factor = F8::broadcast(step.factor);
        for (int p = 0; p < P; ++p) v[p] = mul(v[p], factor);
        break;
      }
      case StepKind::Relu: {
        for (int p = 0; p < P; ++p) v[p] = whereNegative(v[p], F8::broadcast(0.0f));
        break;
      }
      case StepKind::Hardtanh: {
        const F8 low = F8::broadcast(step.factor), high = F8::broadcast(step.max);
        for (int p = 0; p < P; ++p) v[p] = clamp(v[p], low, high);
        break;
      }
      case StepKind::Prelu: {
        const F8 slope = F8::load(step.a + channel);
        for (int p = 0; p < P; ++p) v[p] = whereNegative(v[p], mul(v[p], slope));
        break;
      }
      case StepKind::Store: {
        float* map = step.map + pixel * step.pixelStride + channel;
        for (int p = 0; p < P; ++p) v[p].store(map + p * step.pixelStride, lanes);
        break;
      }
      case StepKind::Sign: {
        const F8 threshold = F8::load(step.a + channel);
        const F8 flip = F8::load(step.b + channel);
        uint8_t* masks = step.masks + (pixel - e.firstPixel) * e.maskStride + channel / 8;
        const int shift = channel % 8;
        for (int p = 0; p < P; ++p, masks += e.maskStride) {
          const unsigned bits = atLeast(v[p], flip, threshold) & lanes.bits();
          if (shift == 0) {
            *masks = static_cast<uint8_t>(bits);
          } else {
            masks[0] = static_cast<uint8_t>(masks[0] | bits << shift);
            if ((bits >> (8 - shift)) != 0) masks[1] = static_cast<uint8_t>(masks[1] | bits >> (8 - shift));
          }
        }
        break;
      }
    }
  }
}

template <int P>
inline void finish(const Epilogue& e, F8 (&v)[P], int64_t pixel, int channel, int channelsLeft) {
  if (channelsLeft >= 8) {
    applySteps<P>(e, v, pixel, channel, AllLanes{});
  } else {
    applySteps<P>(e, v, pixel, channel, FirstLanes(channelsLeft));
  }
}

// Cuts `width` pixels into tiles of at most Max, as equal as can be: 28 becomes 4 × 7, which beats 3 × 8 + 4. Calls
// tile(std::integral_constant<int, P>, x).
template <int Max, typename Tile>
inline void forEachTile(int width, Tile&& tile) {
  const int tiles = (width + Max - 1) / Max;
  int x = 0;
  for (int t = 0; t < tiles; ++t) {
    const int count = (width - x + tiles - t - 1) / (tiles - t);
    dispatchTile<Max>(count, x, tile);
    x += count;
  }
}
