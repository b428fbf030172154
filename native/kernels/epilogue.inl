// The steps, applied to P neighbouring pixels of a row × kLanes channels in registers. Included by each ISA's file inside its
// target region, after its vocabulary: Floats (kLanes of them), lanes (all, or the first `count`).

// The first pixel of a tile: its linear index in float maps, and where it is in the band.
struct Place {
  int64_t pixel;
  int row, x;
};

// Writes `count` sign bits of each pixel, from bit `bit` of the pixel on: a whole part of a word where lanes fill it, else by OR.
// `signOf(p)` makes those of pixel p, each straight before it is written: fourteen at a time would not fit registers.
template <int P, typename SignOf>
BITPATH_INLINE void storeSigns(uint32_t* row, ptrdiff_t planeStride, int bit, int count, SignOf signOf) {
  using Part = std::conditional_t<kLanes == 16, uint16_t, uint8_t>;
  uint32_t* to = row + (bit >> 5) * planeStride;
  const int shift = bit & 31;
  if (count == kLanes && shift % kLanes == 0) {
    char* part = reinterpret_cast<char*>(to) + (shift >> 3);
    BITPATH_UNROLL for (int p = 0; p < P; ++p) {
      const Part all = static_cast<Part>(signOf(p));
      std::memcpy(part + p * sizeof *to, &all, sizeof all);
    }
  } else if (shift + count <= 32) {
    BITPATH_UNROLL for (int p = 0; p < P; ++p) to[p] |= signOf(p) << shift;
  } else {
    BITPATH_UNROLL for (int p = 0; p < P; ++p) {
      const unsigned signs = signOf(p);
      to[p] |= signs << shift;
      to[planeStride + p] |= signs >> (32 - shift);
    }
  }
}

// Lanes on both sides of step.tailChannel: where the channels of a group begin anywhere.
BITPATH_NOINLINE inline void storeParted(const BoundStep& step, uint32_t* row, int channel, const unsigned* signs,
                                         int pixels, int count) {
  const int whole = step.tailChannel - channel;
  for (int p = 0; p < pixels; ++p, ++row) {
    const unsigned all = signs[p];
    storeSigns<1>(row, step.planeStride, step.firstBit + channel, whole,
                  [&](int) { return all & ((1u << whole) - 1); });
    storeSigns<1>(row, step.planeStride, step.tailBit, count - whole, [&](int) { return all >> whole; });
  }
}

// ½ + x·P(x²) / Q(x²) on [−17, 17], within 3·2⁻²⁴ of the logistic function; a rational fit needs no exponent bits, so it is
// the same few operations in every vocabulary.
inline Floats sigmoid(Floats x) {
  const auto number = [](float value) { return Floats::broadcast(value); };
  x = clamp(x, number(-17.0f), number(17.0f));
  const Floats square = mul(x, x);
  Floats p = number(1.376986e-11f);
  p = fma(p, square, number(8.25095e-8f));
  p = fma(p, square, number(5.5091794e-5f));
  p = fma(p, square, number(8.378909e-3f));
  p = fma(p, square, number(2.4999999e-1f));
  Floats q = number(3.1539407e-9f);
  q = fma(q, square, number(5.2121545e-6f));
  q = fma(q, square, number(1.6244594e-3f));
  q = fma(q, square, number(1.16848916e-1f));
  q = fma(q, square, number(1.0f));
  return clamp(add(divide(mul(p, x), q), number(0.5f)), number(0.0f), number(1.0f));
}

// Out of line and through memory: rare, and inlined into every tile it makes the AVX-512 object a quarter larger.
BITPATH_NOINLINE void sigmoids(float* v, int vectors) {
  for (int i = 0; i < vectors; ++i, v += kLanes) sigmoid(Floats::load(v)).store(v, AllLanes{});
}

// The maximum over windows of 2×2 in the order of kernels/nests.inl's max pooling: the map holds that of the pixels so far.
template <int P, typename L>
BITPATH_INLINE void storeMaxPooled(const BoundStep& step, const Floats (&v)[P], const Place& place, int channel,
                                   L lanes) {
  float* row = step.map + (place.row >> 1) * step.rowStride + channel;
  const bool upper = place.row % 2 == 0;
  if (P % 2 == 0 && place.x % 2 == 0) {
    float* map = row + (place.x >> 1) * step.pixelStride;
    BITPATH_UNROLL for (int p = 0; p + 1 < P; p += 2, map += step.pixelStride) {
      const Floats left = upper ? v[p] : maximum(Floats::load(map, lanes), v[p]);
      maximum(left, v[p + 1]).store(map, lanes);
    }
    return;
  }
  BITPATH_UNROLL for (int p = 0; p < P; ++p) {
    float* map = row + ((place.x + p) >> 1) * step.pixelStride;
    const bool first = upper && (place.x + p) % 2 == 0;
    (first ? v[p] : maximum(Floats::load(map, lanes), v[p])).store(map, lanes);
  }
}

// Steps of one kind for all pixels in one go: the switch costs P·kLanes elements, not each of them. `v` must stay in registers
// from step to step: every loop over it is unrolled, and nothing takes its address.
template <int P, typename L>
BITPATH_INLINE void applySteps(const Epilogue& e, const Floats (&values)[P], const Place& place, int channel, L lanes) {
  Floats v[P];
  BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = values[p];
  for (int s = 0; s < e.stepCount; ++s) {
    const BoundStep& step = e.steps[s];
    switch (step.kind) {
      case StepKind::Affine: {
        const Floats mul = Floats::load(step.a + channel);
        const Floats add = Floats::load(step.b + channel);
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = fma(v[p], mul, add);
        break;
      }
      case StepKind::Add: {
        const float* map = step.map + place.pixel * step.pixelStride + channel;
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = add(v[p], Floats::load(map + p * step.pixelStride, lanes));
        break;
      }
      case StepKind::Mul: {
        const float* map = step.map + place.pixel * step.pixelStride + channel;
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = mul(v[p], Floats::load(map + p * step.pixelStride, lanes));
        break;
      }
      case StepKind::AddPixel: {
        const float* map = step.map + place.pixel * step.pixelStride;
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = add(v[p], Floats::broadcast(map[p * step.pixelStride]));
        break;
      }
      case StepKind::MulPixel: {
        const float* map = step.map + place.pixel * step.pixelStride;
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = mul(v[p], Floats::broadcast(map[p * step.pixelStride]));
        break;
      }
      case StepKind::Sigmoid: {
        float memory[P * kLanes];
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p].store(memory + p * kLanes, AllLanes{});
        sigmoids(memory, P);
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = Floats::load(memory + p * kLanes);
        break;
      }
      case StepKind::Scale: {
        const Floats factor = Floats::broadcast(step.factor);
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = mul(v[p], factor);
        break;
      }
      case StepKind::Relu: {
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = relu(v[p]);
        break;
      }
      case StepKind::Hardtanh: {
        const Floats low = Floats::broadcast(step.factor), high = Floats::broadcast(step.max);
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = clamp(v[p], low, high);
        break;
      }
      case StepKind::Prelu: {
        const Floats slope = Floats::load(step.a + channel);
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p] = whereNegative(v[p], mul(v[p], slope));
        break;
      }
      case StepKind::Store: {
        float* map = step.map + place.pixel * step.pixelStride + channel;
        BITPATH_UNROLL for (int p = 0; p < P; ++p) v[p].store(map + p * step.pixelStride, lanes);
        break;
      }
      case StepKind::StoreMaxPooled:
        storeMaxPooled<P>(step, v, place, channel, lanes);
        break;
      case StepKind::Sign: {
        const Floats threshold = Floats::load(step.a + channel);
        const Floats flip = Floats::load(step.b + channel);
        uint32_t* row = step.bits + place.row * step.rowStride + place.x;
        const auto signOf = [&](int p) { return atLeast(v[p], flip, threshold) & lanes.bits(); };
        if (channel < step.tailChannel && channel + lanes.count() > step.tailChannel) {
          unsigned signs[P];
          BITPATH_UNROLL for (int p = 0; p < P; ++p) signs[p] = signOf(p);
          storeParted(step, row, channel, signs, P, lanes.count());
        } else {
          const int bit =
              channel < step.tailChannel ? step.firstBit + channel : step.tailBit + channel - step.tailChannel;
          storeSigns<P>(row, step.planeStride, bit, lanes.count(), signOf);
        }
        break;
      }
    }
  }
}

template <int P>
BITPATH_INLINE void finish(const Epilogue& e, const Floats (&v)[P], const Place& place, int channel, int channelsLeft) {
  if (channelsLeft >= kLanes) {
    applySteps<P>(e, v, place, channel, AllLanes{});
  } else {
    applySteps<P>(e, v, place, channel, FirstLanes(channelsLeft));
  }
}

// Cuts a row of `width` pixels into tiles and calls tile(std::integral_constant<int, P>, x). The widths of feature maps are
// multiples of 7 or powers of two; tiles of 14, 7 or 4 + 3 fit the ones, 8 or 4 the others. Few sizes, because each is code of its own.
template <int Max, typename Tile>
BITPATH_INLINE void forEachTile(int width, Tile&& tile) {
  int x = 0;
  const auto take = [&](auto size) {
    constexpr int P = decltype(size)::value;
    if constexpr (P <= Max) {
      for (; width - x >= P; x += P) tile(std::integral_constant<int, P>{}, x);
    }
  };
  if (width % 7 == 0) {
    take(std::integral_constant<int, 14>{});
    take(std::integral_constant<int, 7>{});
  }
  take(std::integral_constant<int, 8>{});
  take(std::integral_constant<int, 4>{});
  take(std::integral_constant<int, 3>{});
  take(std::integral_constant<int, 2>{});
  take(std::integral_constant<int, 1>{});
}
