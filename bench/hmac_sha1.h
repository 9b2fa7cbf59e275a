/* HMAC-SHA1 (RFC 2104, RFC 3174): amoCRM signs every callback with it, so whoever plays amoCRM must, too. */
#ifndef BENCH_HMAC_SHA1_H
#define BENCH_HMAC_SHA1_H

#include <stdint.h>
#include <string.h>

enum { SHA1_BLOCK = 64, SHA1_WORDS = 5, SHA1_HEX = 40 };

typedef struct {
    uint32_t inner[SHA1_WORDS], outer[SHA1_WORDS]; /* states after the first block, the padded key */
} hmac_key;

static inline uint32_t rotated(uint32_t value, int bits) { return (value << bits) | (value >> (32 - bits)); }

static void sha1_start(uint32_t h[SHA1_WORDS]) {
    static const uint32_t initial[SHA1_WORDS] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    memcpy(h, initial, sizeof initial);
}

static void sha1_block(uint32_t h[SHA1_WORDS], const uint8_t *block) {
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5A827999
                   : i < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                   : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                            : (b ^ c ^ d) + 0xCA62C1D6;
        uint32_t next = rotated(a, 5) + f + e + w[i];
        e = d, d = c, c = rotated(b, 30), b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

/* Ends a digest: the rest of the data, padding, and the length of all of it including the key's block. */
static void sha1_end(uint32_t h[SHA1_WORDS], const uint8_t *data, size_t size) {
    uint8_t tail[2 * SHA1_BLOCK] = {0};
    uint64_t bits = (size + SHA1_BLOCK) * 8;
    for (; size >= SHA1_BLOCK; data += SHA1_BLOCK, size -= SHA1_BLOCK) sha1_block(h, data);
    memcpy(tail, data, size);
    tail[size] = 0x80;
    size_t padded = size + 9 <= SHA1_BLOCK ? SHA1_BLOCK : 2 * SHA1_BLOCK;
    for (int i = 0; i < 8; i++) tail[padded - 1 - (size_t)i] = (uint8_t)(bits >> (8 * i));
    for (size_t at = 0; at < padded; at += SHA1_BLOCK) sha1_block(h, tail + at);
}

/* Keys of up to 64 bytes. */
static void hmac_prepare(hmac_key *key, const char *secret) {
    uint8_t inner[SHA1_BLOCK], outer[SHA1_BLOCK];
    size_t size = strlen(secret);
    for (size_t i = 0; i < SHA1_BLOCK; i++) {
        uint8_t byte = i < size ? (uint8_t)secret[i] : 0;
        inner[i] = byte ^ 0x36, outer[i] = byte ^ 0x5C;
    }
    sha1_start(key->inner), sha1_block(key->inner, inner);
    sha1_start(key->outer), sha1_block(key->outer, outer);
}

/* Writes 40 lower-case hex digits, no zero behind them. */
static void hmac_hex(const hmac_key *key, const void *data, size_t size, char *hex) {
    uint32_t h[SHA1_WORDS];
    uint8_t digest[4 * SHA1_WORDS];
    for (int pass = 0; pass < 2; pass++) {
        memcpy(h, pass ? key->outer : key->inner, sizeof h);
        sha1_end(h, pass ? digest : data, pass ? sizeof digest : size);
        for (int i = 0; i < 4 * SHA1_WORDS; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
    }
    for (int i = 0; i < 4 * SHA1_WORDS; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
}

#endif
