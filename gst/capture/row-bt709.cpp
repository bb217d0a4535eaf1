// SPDX-License-Identifier: LGPL-2.1-or-later
// BT.709 rows in portable C++ and in AVX2.
#include "capture/row-bt709.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vitrine {
namespace {

// The equations of ITU-R BT.709-6 in 1/256, for 219 steps of luma and 224 of chroma. Each chroma row sums to
// zero, so greys have exactly 128; the luma row sums to 220, so white has exactly 235.
constexpr int kYb = 16, kYg = 157, kYr = 47;
constexpr int kUb = 112, kUg = -86, kUr = -26;
constexpr int kVb = -10, kVg = -102, kVr = 112;

uint8_t luma(int b, int g, int r) {
  return static_cast<uint8_t>(((kYb * b + kYg * g + kYr * r + 128) >> 8) + 16);
}
uint8_t chroma_u(int b, int g, int r) {
  return static_cast<uint8_t>((kUb * b + kUg * g + kUr * r + 0x8080) >> 8);
}
uint8_t chroma_v(int b, int g, int r) {
  return static_cast<uint8_t>((kVb * b + kVg * g + kVr * r + 0x8080) >> 8);
}

int average(int a, int b) {
  return (a + b + 1) >> 1;
}

struct Pixel {
  int b, g, r;
};

/// The mean of a 2x2 block, rows first, each mean rounded up: what the vector unit's byte average does.
Pixel block_mean(const uint8_t* top, const uint8_t* bottom, int x, int width) {
  const uint8_t* t0 = top + x * 4;
  const uint8_t* b0 = bottom + x * 4;
  const int next = x + 1 < width ? 4 : 0;
  const auto mean = [&](int i) {
    return average(average(t0[i], b0[i]), average(t0[next + i], b0[next + i]));
  };
  return {mean(0), mean(1), mean(2)};
}

void luma_portable(const uint8_t* bgrx, uint8_t* y, int width) {
  for (int x = 0; x < width; x++, bgrx += 4)
    y[x] = luma(bgrx[0], bgrx[1], bgrx[2]);
}

void chroma_planar_portable(const uint8_t* top, const uint8_t* bottom, uint8_t* u, uint8_t* v, int width) {
  for (int x = 0; x < width; x += 2) {
    const Pixel mean = block_mean(top, bottom, x, width);
    u[x / 2] = chroma_u(mean.b, mean.g, mean.r);
    v[x / 2] = chroma_v(mean.b, mean.g, mean.r);
  }
}

void chroma_interleaved_portable(const uint8_t* top, const uint8_t* bottom, uint8_t* uv, int width) {
  for (int x = 0; x < width; x += 2) {
    const Pixel mean = block_mean(top, bottom, x, width);
    *uv++ = chroma_u(mean.b, mean.g, mean.r);
    *uv++ = chroma_v(mean.b, mean.g, mean.r);
  }
}

void chroma_full_portable(const uint8_t* bgrx, uint8_t* u, uint8_t* v, int width) {
  for (int x = 0; x < width; x++, bgrx += 4) {
    u[x] = chroma_u(bgrx[0], bgrx[1], bgrx[2]);
    v[x] = chroma_v(bgrx[0], bgrx[1], bgrx[2]);
  }
}

}  // namespace

const Bt709Rows kBt709RowsPortable = {"portable", luma_portable, chroma_planar_portable,
                                      chroma_interleaved_portable, chroma_full_portable};

#if defined(__x86_64__)
namespace {

#define AVX2 __attribute__((target("avx2")))

constexpr int kStep = 32;  // pixels per round

AVX2 inline __m256i load(const uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

AVX2 inline __m256i weights(int b, int g, int r) {
  return _mm256_set1_epi32((b & 0xff) | (g & 0xff) << 8 | (r & 0xff) << 16);
}

/// 16 bit sums of 16 pixels from two registers of eight, in lanes 0-3 8-11 | 4-7 12-15.
AVX2 inline __m256i chroma_sums(__m256i first, __m256i second, __m256i weight) {
  const __m256i sums =
      _mm256_hadd_epi16(_mm256_maddubs_epi16(first, weight), _mm256_maddubs_epi16(second, weight));
  return _mm256_srli_epi16(_mm256_add_epi16(sums, _mm256_set1_epi16(static_cast<short>(0x8080))), 8);
}

/// Bytes of 32 pixels from two registers of sums, put in order.
AVX2 inline __m256i in_order(__m256i low, __m256i high) {
  return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high),
                                     _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

AVX2 void luma_avx2(const uint8_t* bgrx, uint8_t* y, int width) {
  // The weights need eight unsigned bits, so the pixels take the signed side: p - 128, put right by the bias.
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(0x80));
  const __m256i weight = weights(kYb, kYg, kYr);
  const __m256i bias = _mm256_set1_epi16(static_cast<short>(128 * (kYb + kYg + kYr) + 128));
  const __m256i black = _mm256_set1_epi8(16);
  int x = 0;
  for (; x + kStep <= width; x += kStep, bgrx += kStep * 4) {
    __m256i sums[2];
    for (int half = 0; half < 2; half++) {
      const __m256i a = _mm256_xor_si256(load(bgrx + half * 64), flip);
      const __m256i b = _mm256_xor_si256(load(bgrx + half * 64 + 32), flip);
      const __m256i sum = _mm256_hadd_epi16(_mm256_maddubs_epi16(weight, a), _mm256_maddubs_epi16(weight, b));
      sums[half] = _mm256_srli_epi16(_mm256_add_epi16(sum, bias), 8);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + x),
                        _mm256_add_epi8(in_order(sums[0], sums[1]), black));
  }
  luma_portable(bgrx, y + x, width - x);
}

/// Sixteen samples of U in the lower half and of V in the upper one, from 32 x 2 pixels.
AVX2 inline __m256i chroma_block(const uint8_t* top, const uint8_t* bottom) {
  __m256i means[2];
  for (int half = 0; half < 2; half++) {
    const __m256 a = _mm256_castsi256_ps(_mm256_avg_epu8(load(top + half * 64), load(bottom + half * 64)));
    const __m256 b =
        _mm256_castsi256_ps(_mm256_avg_epu8(load(top + half * 64 + 32), load(bottom + half * 64 + 32)));
    means[half] = _mm256_avg_epu8(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88)),
                                  _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd)));
  }
  const __m256i u = chroma_sums(means[0], means[1], weights(kUb, kUg, kUr));
  const __m256i v = chroma_sums(means[0], means[1], weights(kVb, kVg, kVr));
  const __m256i halves = _mm256_permute4x64_epi64(_mm256_packus_epi16(u, v), 0xd8);
  const __m256i order = _mm256_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15,  //
                                         0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
  return _mm256_shuffle_epi8(halves, order);
}

AVX2 void chroma_planar_avx2(const uint8_t* top, const uint8_t* bottom, uint8_t* u, uint8_t* v, int width) {
  int x = 0;
  for (; x + kStep <= width; x += kStep, top += kStep * 4, bottom += kStep * 4) {
    const __m256i block = chroma_block(top, bottom);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(u + x / 2), _mm256_castsi256_si128(block));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(v + x / 2), _mm256_extracti128_si256(block, 1));
  }
  chroma_planar_portable(top, bottom, u + x / 2, v + x / 2, width - x);
}

AVX2 void chroma_interleaved_avx2(const uint8_t* top, const uint8_t* bottom, uint8_t* uv, int width) {
  int x = 0;
  for (; x + kStep <= width; x += kStep, top += kStep * 4, bottom += kStep * 4) {
    const __m256i block = chroma_block(top, bottom);
    const __m128i u = _mm256_castsi256_si128(block);
    const __m128i v = _mm256_extracti128_si256(block, 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(uv + x), _mm_unpacklo_epi8(u, v));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(uv + x + 16), _mm_unpackhi_epi8(u, v));
  }
  chroma_interleaved_portable(top, bottom, uv + x, width - x);
}

AVX2 void chroma_full_avx2(const uint8_t* bgrx, uint8_t* u, uint8_t* v, int width) {
  const __m256i u_weight = weights(kUb, kUg, kUr);
  const __m256i v_weight = weights(kVb, kVg, kVr);
  int x = 0;
  for (; x + kStep <= width; x += kStep, bgrx += kStep * 4) {
    const __m256i p0 = load(bgrx), p1 = load(bgrx + 32), p2 = load(bgrx + 64), p3 = load(bgrx + 96);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(u + x),
                        in_order(chroma_sums(p0, p1, u_weight), chroma_sums(p2, p3, u_weight)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(v + x),
                        in_order(chroma_sums(p0, p1, v_weight), chroma_sums(p2, p3, v_weight)));
  }
  chroma_full_portable(bgrx, u + x, v + x, width - x);
}

constexpr Bt709Rows kBt709RowsAvx2 = {"avx2", luma_avx2, chroma_planar_avx2, chroma_interleaved_avx2,
                                      chroma_full_avx2};

}  // namespace

const Bt709Rows* bt709_rows_avx2() {
  return __builtin_cpu_supports("avx2") ? &kBt709RowsAvx2 : nullptr;
}
#else
const Bt709Rows* bt709_rows_avx2() {
  return nullptr;
}
#endif

const Bt709Rows& bt709_rows() {
  static const Bt709Rows* const rows = bt709_rows_avx2() ? bt709_rows_avx2() : &kBt709RowsPortable;
  return *rows;
}

}  // namespace vitrine
