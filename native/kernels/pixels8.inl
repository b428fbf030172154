// The nest of picture stems with 8-bit weights, for ISAs that have QuadSums: four uint8 · int8 products a lane. Included after
// nests.inl and peak.inl.

template <int V>
void pixelGemm8Blocks(const PixelGemm8Args& a, const int8_t* weights, int blockChannel) {
  pixelBlocks<QuadSums, V>(a, weights, blockChannel);
}
BITPATH_GEMM(pixelGemm8, PixelGemm8Args, pixelGemm8Blocks)

inline void pixel8Peak(int64_t iterations) { productsPeak<QuadSums>(iterations); }
