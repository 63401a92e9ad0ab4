// A partitioner's inner loop: murmur2 as Kafka has it, over a key in memory, alone and for a batch of keys.
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

static uint8_t arena[1 << 20] __attribute__((aligned(8)));

EXPORT("arena") uint8_t *arena_at(void) { return arena; }

static uint32_t hash(const uint8_t *key, int32_t length) {
  const uint32_t m = 0x5bd1e995;
  uint32_t h = 0x9747b28c ^ (uint32_t)length;
  int32_t i = 0;
  for (; i + 4 <= length; i += 4) {
    uint32_t k = key[i] | key[i + 1] << 8 | key[i + 2] << 16 | (uint32_t)key[i + 3] << 24;
    k *= m;
    k ^= k >> 24;
    k *= m;
    h *= m;
    h ^= k;
  }
  switch (length & 3) {
  case 3:
    h ^= (uint32_t)key[i + 2] << 16; // fallthrough
  case 2:
    h ^= (uint32_t)key[i + 1] << 8; // fallthrough
  case 1:
    h ^= key[i];
    h *= m;
  }
  h ^= h >> 13;
  h *= m;
  h ^= h >> 15;
  return h;
}

EXPORT("murmur2") uint32_t murmur2(const uint8_t *key, int32_t length) { return hash(key, length); }

// batch hashes n keys of the same length, one after the other in memory, and sums the partitions up.
EXPORT("batch") uint32_t batch(const uint8_t *keys, int32_t length, int32_t n) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < n; i++)
    sum += (hash(keys + i * length, length) & 0x7fffffff) % 12;
  return sum;
}

// fib calls itself.
EXPORT("fib") uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

// sieve counts the primes below n.
EXPORT("sieve") uint32_t sieve(uint32_t n) {
  uint32_t count = 0;
  for (uint32_t i = 2; i < n; i++)
    arena[i] = 1;
  for (uint32_t i = 2; i < n; i++) {
    if (!arena[i])
      continue;
    count++;
    for (uint32_t j = i * 2; j < n; j += i)
      arena[j] = 0;
  }
  return count;
}

// fields counts the fields of JSON at that place, by a switch in a loop.
EXPORT("fields") uint32_t fields(const uint8_t *p, uint32_t length) {
  uint32_t depth = 0, fields = 0, string = 0;
  for (uint32_t i = 0; i < length; i++) {
    if (string) {
      if (p[i] == '\\')
        i++;
      else if (p[i] == '"')
        string = 0;
      continue;
    }
    switch (p[i]) {
    case '"':
      string = 1;
      break;
    case '{':
    case '[':
      depth++;
      break;
    case '}':
    case ']':
      depth--;
      break;
    case ':':
      fields += depth;
      break;
    default:
      break;
    }
  }
  return fields;
}
